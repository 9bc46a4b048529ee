"""Coil sensitivities from the fully sampled centre of a measured k-space."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.mri.fourier import inverse_fourier_transform


def calibration_region(mask: Tensor, *, largest: int = 25) -> tuple[slice, ...]:
    """Find the largest fully sampled block around frequency zero (at ``size // 2``).

    ``mask`` is ``space``, bool. The block is symmetric, has an odd width and at most ``largest``
    lines along each axis. Raises InputError where frequency zero itself is not sampled.
    """
    centre = [size // 2 for size in mask.shape]
    half = [0] * mask.ndim

    def block() -> tuple[slice, ...]:
        return tuple(slice(c - h, c + h + 1) for c, h in zip(centre, half, strict=True))

    if not bool(mask[block()].all()):
        raise InputError(
            f"frequency zero to be sampled, at index {tuple(centre)}",
            came="no sample there",
            remedy="shift the k-space so that frequency zero is at size // 2 (numpy.fft.fftshift)",
        )
    growing = set(range(mask.ndim))
    while growing:
        for axis in sorted(growing):
            half[axis] += 1
            fits = half[axis] <= centre[axis] and centre[axis] + half[axis] < mask.shape[axis]
            if not fits or 2 * half[axis] + 1 > largest or not bool(mask[block()].all()):
                half[axis] -= 1
                growing.discard(axis)
    return block()


def low_resolution_maps(kspace: Tensor, region: tuple[slice, ...]) -> Tensor:
    """Coil images of the windowed centre, divided by their root sum of squares.

    ``kspace`` is complex ``(coil, *space)``; ``region`` from :func:`calibration_region`. Returns
    ``(coil, *space)`` with squares that sum to one. A Hann window keeps the ringing down. The maps
    carry the phase of the image itself, so the image combined with them is nearly real.

    References
    ----------
    McKenzie et al., Self-calibrating parallel imaging, Magn. Reson. Med. 47, 529 (2002).
    """
    centre = torch.zeros_like(kspace)
    window = torch.ones((), dtype=kspace.real.dtype, device=kspace.device)
    for part in region:
        # without the zeros at both ends of the window
        hann = torch.hann_window(part.stop - part.start + 2, periodic=False, dtype=window.dtype)
        window = window.unsqueeze(-1) * hann[1:-1].to(kspace.device)
    centre[(slice(None), *region)] = kspace[(slice(None), *region)] * window
    images = inverse_fourier_transform(centre, len(region))
    length = torch.linalg.vector_norm(images, dim=0, keepdim=True)
    maps: Tensor = images / length.clamp_min(torch.finfo(length.dtype).tiny)
    return maps


def espirit_maps(
    kspace: Tensor,
    region: tuple[slice, ...],
    *,
    kernel: int = 6,
    singular_value: float = 0.02,
    crop: float = 0.8,
) -> Tensor:
    """ESPIRiT: sensitivities as eigenvectors of the local relations between coils.

    Parameters
    ----------
    kspace:
        Complex ``(coil, *space)``.
    region:
        The calibration block, see :func:`calibration_region`; wider than ``kernel``.
    kernel:
        Width of the patches of k-space between which relations are learnt.
    singular_value:
        Part of the largest singular value of the calibration matrix above which one is signal.
    crop:
        Maps are zero where the eigenvalue (one inside the object) is lower than this.

    Returns
    -------
    ``(coil, *space)`` complex64 whose squares sum to one where they are not zero. Their common
    phase is that of the strongest combination of coils.

    References
    ----------
    Uecker et al., ESPIRiT, Magn. Reson. Med. 71, 990 (2014).
    """
    n_coils, *space = kspace.shape
    axes = len(region)
    widths = [part.stop - part.start for part in region]
    if min(widths) <= kernel:
        raise InputError(
            f"a fully sampled centre wider than {kernel} lines",
            came=f"{tuple(widths)}",
            remedy="lower the kernel width, or use low_resolution_maps()",
        )
    # one eigenvector problem a pixel: double precision costs little and needs no care
    centre = kspace[(slice(None), *region)].to(torch.complex128)
    patches = centre
    for axis in range(1, axes + 1):
        patches = patches.unfold(axis, kernel, 1)
    order = (0, *range(axes + 1, 2 * axes + 1), *range(1, axes + 1))
    patches = patches.permute(order).reshape(n_coils * kernel**axes, -1)
    values, vectors = torch.linalg.eigh(patches @ patches.mH)
    signal = vectors[:, values > singular_value**2 * values[-1]]
    relations = _image_relations(signal @ signal.mH, n_coils, kernel, tuple(space))
    eigenvalues, eigenvectors = torch.linalg.eigh(relations.to(torch.complex64))
    maps: Tensor = eigenvectors[..., -1]
    strongest = torch.linalg.eigh(centre.flatten(1) @ centre.flatten(1).mH)[1][:, -1]
    phase = torch.sgn(maps @ strongest.conj().to(maps.dtype))
    maps = maps * phase.conj().unsqueeze(-1) * (eigenvalues[..., -1:] > crop)
    return torch.movedim(maps, -1, 0).contiguous()


def _image_relations(
    projection: Tensor, n_coils: int, kernel: int, space: tuple[int, ...]
) -> Tensor:
    """Give every pixel the ``coil x coil`` matrix that keeps its sensitivities.

    Returns ``(*space, coil, coil)``.

    The projection onto signal patches, averaged over all places of a patch, is a convolution of
    k-space; its kernel between two coils is the sum over all pairs of positions in a patch that
    lie the same distance apart (Uecker et al., equations 12 to 15).
    """
    axes = len(space)
    n_positions = kernel**axes
    position = torch.cartesian_prod(*[torch.arange(kernel)] * axes).reshape(n_positions, axes)
    distance = (position[:, None] - position[None, :]).reshape(-1, axes)
    place = torch.zeros(n_positions**2, dtype=torch.long)
    for axis, size in enumerate(space):
        place = place * size + (distance[:, axis] + size // 2) % size
    pairs = projection.reshape(n_coils, n_positions, n_coils, n_positions)
    pairs = pairs.permute(0, 2, 1, 3).reshape(n_coils**2, n_positions**2) / n_positions
    kernels = torch.zeros(n_coils**2, math.prod(space), dtype=pairs.dtype)
    kernels.index_add_(1, place, pairs)
    images = inverse_fourier_transform(kernels.reshape(-1, *space), axes) * math.sqrt(
        math.prod(space)
    )
    relations: Tensor = images.movedim(0, -1).reshape(*space, n_coils, n_coils)
    return relations


def sampled(kspace: Tensor) -> Tensor:
    """Where a k-space ``(coil, *space)`` holds a value that is not zero: ``space``, bool."""
    found: Tensor = (kspace != 0).any(dim=0)
    return found
