"""Named protocols against their definitions, written out with scikit-image, SciPy and NumPy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.signal import fftconvolve
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vesalius.core.errors import InputError, UnknownName
from vesalius.core.image import Image
from vesalius.data.formats import write_image
from vesalius.evaluation import protocols
from vesalius.evaluation.protocols import Found, LabelMaps, Pair, Protocol, named_labels

Volume = NDArray[Any]


def pair(x: Volume, y: Volume, mask: Volume | None = None, **more: Any) -> Pair:
    a, b = (torch.from_numpy(np.asarray(image, dtype=np.float64))[None, None] for image in (x, y))
    inside = None if mask is None else torch.from_numpy(np.asarray(mask))[None, None]
    return Pair(a, b, inside, spacing_mm=(1.0,) * x.ndim, **more)


def measures(name: str, judged: Pair) -> Found:
    """Values of a named protocol."""
    found = protocols.get(name)
    assert isinstance(found, Protocol)
    return found.values(judged)


def volumes(seed: int, *shape: int) -> tuple[Volume, Volume]:
    """A smooth CT-like volume and a noisy one."""
    rng = np.random.default_rng(seed)
    reference = uniform_filter(rng.normal(0, 4000, shape), 3) - 100
    return reference + rng.normal(0, 60, shape), reference


def test_names_and_what_they_say() -> None:
    assert {"fastmri-knee-4x", "ldct-bench-neuro", "synthrad2025", "brasyn"} <= set(
        protocols.names()
    )
    for name in protocols.names():
        found = protocols.get(name)
        assert found.name == name
        assert found.text().startswith(name)
        assert found.citation
        assert protocols.describe(name).endswith(".")
        if isinstance(found, Protocol):
            assert len({measure.name for measure in found.measures}) == len(found.measures)
    with pytest.raises(UnknownName, match="synthrad2023"):
        protocols.get("synthrad2022")


@pytest.mark.parametrize("axis", [0, 2])
def test_fastmri_crops_to_a_square_and_is_relative_to_the_volumes_maximum(axis: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.random((3, 30, 20)) * 3e-4  # slice, row, column
    x = rng.random((3, 34, 24)) * 3e-4
    cropped_y, cropped_x = y[:, 5:25], x[:, 7:27, 2:22]
    wanted = {
        "nmse": np.linalg.norm(cropped_y - cropped_x) ** 2 / np.linalg.norm(cropped_y) ** 2,
        "psnr": peak_signal_noise_ratio(cropped_y, cropped_x, data_range=cropped_y.max()),
        "ssim": np.mean(
            [
                structural_similarity(b, a, data_range=cropped_y.max())
                for a, b in zip(cropped_x, cropped_y, strict=True)
            ]
        ),
    }
    for name in ("fastmri-knee-4x", "fastmri-brain-8x"):
        turned = pair(np.moveaxis(x, 0, axis), np.moveaxis(y, 0, axis), slice_axis=axis)
        found = measures(name, turned)
        assert {key: value[0] for key, value in found.items()} == pytest.approx(wanted, rel=1e-9)


def test_fastmri_reads_submissions_and_refuses_small_ones(tmp_path: Path) -> None:
    import h5py

    found = protocols.get("fastmri-knee-4x")
    assert isinstance(found, Protocol)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["reconstruction"] = np.ones((4, 1, 8, 8), dtype=np.float32)
    content = found.content(tmp_path / "a.h5", real=False)
    assert content.image.space == (4, 8, 8)
    assert content.slice_axis == 0
    write_image(tmp_path / "b.h5", Image(torch.ones(1, 4, 8, 8)))
    assert found.content(tmp_path / "b.h5", real=True).slice_axis == 0
    small = pair(np.ones((4, 6, 6)), np.ones((4, 8, 8)), slice_axis=0)
    with pytest.raises(InputError, match="at least the target's size"):
        found.values(small)


def redcnn_ssim(x: Volume, y: Volume) -> float:
    """SSIM by convolution with a Gaussian window and zeros beyond the border."""
    taps = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = torch.from_numpy(np.outer(taps, taps) / taps.sum() ** 2)[None, None]

    def mean(image: Volume) -> Volume:
        tensor = torch.from_numpy(image)[None, None]
        return torch.nn.functional.conv2d(tensor, window, padding=5)[0, 0].numpy()

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 400) ** 2, (0.03 * 400) ** 2
    top = (2 * mx * my + c1) * (2 * cov + c2)
    return float((top / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def test_redcnn_convention() -> None:
    x, y = volumes(1, 20, 24, 18)  # more slices than are measured at once
    cx, cy = np.clip(x, -160, 240), np.clip(y, -160, 240)
    found = measures("ldct-redcnn", pair(x, y, slice_axis=2))
    slices = [(cx[..., k], cy[..., k]) for k in range(18)]
    assert found["rmse"] == pytest.approx([np.sqrt(((a - b) ** 2).mean()) for a, b in slices])
    assert found["psnr"] == pytest.approx(
        [peak_signal_noise_ratio(b, a, data_range=400) for a, b in slices]
    )
    assert found["ssim"] == pytest.approx([redcnn_ssim(a, b) for a, b in slices], rel=1e-9)
    one = measures("ldct-redcnn", pair(x[..., 0], y[..., 0]))
    assert one["ssim"] == pytest.approx(found["ssim"][:1])


@pytest.mark.parametrize(
    ("exam", "low", "high"),
    [("chest", -1350, 149), ("abdomen", -150, 249), ("neuro", 0, 79)],
)
def test_ldct_bench(exam: str, low: float, high: float) -> None:
    from torchmetrics.functional.image import visual_information_fidelity

    x, y = volumes(2, 3, 48, 44)
    found = measures(f"ldct-bench-{exam}", pair(x, y, slice_axis=0))
    wx, wy = ((np.clip(image, low, high) - low) / (high - low) for image in (x, y))
    assert found["ssim"] == pytest.approx(
        [structural_similarity(b, a, data_range=1.0) for a, b in zip(wx, wy, strict=True)]
    )
    assert found["psnr"] == pytest.approx(
        [peak_signal_noise_ratio(b, a, data_range=1.0) for a, b in zip(wx, wy, strict=True)]
    )
    cx, cy = (np.clip(image + 1024, 0, 2924) for image in (x, y))
    assert found["rmse"] == pytest.approx(np.sqrt(((cx - cy) ** 2).mean(axis=(1, 2))))
    # its code passes the target first
    vif = [
        visual_information_fidelity(*(torch.from_numpy(v[k])[None, None] for v in (cy, cx)))
        for k in range(3)
    ]
    assert found["vif"] == pytest.approx([float(value) for value in vif], rel=1e-5)


def body(*shape: int) -> Volume:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(size // 6, size - size // 8) for size in shape)] = True
    return mask


def test_synthrad_2023() -> None:
    x, y = volumes(3, 14, 20, 18)
    mask = body(*x.shape)
    found = measures("synthrad2023", pair(x, y, mask))
    cx, cy = np.clip(x, -1024, 3000), np.clip(y, -1024, 3000)
    _, full = structural_similarity(
        np.where(mask, cy, -1024) + 1024, np.where(mask, cx, -1024) + 1024,
        data_range=4024, full=True,
    )  # fmt: skip
    core = (slice(3, -3),) * 3
    wanted = {
        "mae": np.abs(x - y)[mask].mean(),
        "psnr": peak_signal_noise_ratio(cy[mask], cx[mask], data_range=4024),
        "ssim": full[core][mask[core]].mean(),
    }
    assert {key: value[0] for key, value in found.items()} == pytest.approx(wanted, rel=1e-9)


def synthrad_ms_ssim(x: Volume, y: Volume, mask: Volume) -> float:
    """The challenge's MS-SSIM, of whole maps, with SciPy."""
    x, y = (np.where(mask, np.clip(v, -1024, 3071), -1024) + 1024 for v in (x, y))
    pads = [((97 - n) // 2, 97 - n - (97 - n) // 2) if n < 97 else (0, 0) for n in x.shape]
    x, y, inside = (np.pad(v, pads, mode="edge") for v in (x, y, mask.astype(float)))
    c1, c2 = (0.01 * 4095) ** 2, (0.03 * 4095) ** 2
    value, n = 1.0, 343
    for weight in (0.0448, 0.2856, 0.3001, 0.2363, 0.1333):
        ux, uy = uniform_filter(x, 7), uniform_filter(y, 7)
        vx = n / (n - 1) * (uniform_filter(x * x, 7) - ux * ux)
        vy = n / (n - 1) * (uniform_filter(y * y, 7) - uy * uy)
        vxy = n / (n - 1) * (uniform_filter(x * y, 7) - ux * uy)
        both = np.sqrt(np.clip(vx, 0, None)) * np.sqrt(np.clip(vy, 0, None))
        parts = (
            (2 * ux * uy + c1) / (ux**2 + uy**2 + c1),
            (2 * both + c2) / (vx + vy + c2),
            (vxy + c2 / 2) / (both + c2 / 2),
        )
        similarity = np.prod([np.clip(part, 0, None) ** weight for part in parts], axis=0)
        core = (slice(3, -3),) * 3
        value *= np.clip(similarity[core][inside[core] > 0].mean(), 0, 1)
        halve = np.ones((2, 2, 2)) / 8
        x, y = (fftconvolve(v, halve, mode="same")[::2, ::2, ::2] for v in (x, y))
        inside = inside[::2, ::2, ::2]
    return float(value)


@pytest.mark.parametrize("shape", [(40, 30, 99), (98, 20, 33)])
def test_synthrad_2025(shape: tuple[int, ...]) -> None:
    x, y = volumes(4, *shape)
    mask = body(*shape)
    found = measures("synthrad2025", pair(x, y, mask))
    assert found["ms_ssim"][0] == pytest.approx(synthrad_ms_ssim(x, y, mask), rel=1e-6)
    assert 0 < found["ms_ssim"][0] < 1
    cx, cy = np.clip(x, -1024, 3071), np.clip(y, -1024, 3071)
    assert found["psnr"][0] == pytest.approx(
        peak_signal_noise_ratio(cy[mask], cx[mask], data_range=4095)
    )
    assert found["mae"][0] == pytest.approx(np.abs(x - y)[mask].mean())
    same = measures("synthrad2025", pair(y, y, mask))
    assert same["ms_ssim"][0] == pytest.approx(1)


def test_brasyn_scales_by_what_lies_outside_the_region() -> None:
    from torchmetrics.functional.image import structural_similarity_index_measure

    rng = np.random.default_rng(5)
    y = np.clip(uniform_filter(rng.normal(300, 900, (34, 30, 32)), 3), 0, None)
    x = np.clip(y + rng.normal(0, 30, y.shape), 0, None)
    mask = np.zeros(y.shape, dtype=bool)
    mask[10:22, 9:20, 11:21] = True
    y[mask] *= 3  # a bright lesion, which does not set the range
    found = measures("brasyn", pair(x, y, mask))
    low, high = np.percentile(y[~mask], [0.5, 99.5])
    sx, sy = ((np.clip(image, max(low, 0), high) - low) / (high - low) for image in (x, y))
    assert found["mse"][0] == pytest.approx(((sx - sy)[mask] ** 2).mean())
    assert found["psnr"][0] == pytest.approx(
        peak_signal_noise_ratio(sy[mask], sx[mask], data_range=1)
    )
    blank = [torch.from_numpy(np.where(mask, image, 0))[None, None] for image in (sx, sy)]
    _, full = structural_similarity_index_measure(*blank, data_range=1.0, return_full_image=True)
    assert found["ssim"][0] == pytest.approx(full[0, 0].numpy()[mask].mean(), rel=1e-6)
    with pytest.raises(InputError, match="leaves part of the image outside"):
        measures("brasyn", pair(x, y, np.ones_like(mask)))
    with pytest.raises(InputError, match="varies outside"):
        measures("brasyn", pair(x, np.where(mask, y, 0), mask))


def test_tumour_regions_by_hand() -> None:
    y = np.zeros((4, 4, 4))
    y[0, 0] = [1, 2, 3, 0]
    x = np.zeros((4, 4, 4))
    x[0, 0] = [1, 1, 2, 0]
    found = measures("brasyn-tumour", pair(x, y))
    assert found == {
        "whole tumour dice": (1.0,),
        "tumour core dice": (0.5,),  # voxels 0 and 1 against voxels 0 and 2
        "enhancing tumour dice": (0.0,),
    }
    none = measures("brasyn-tumour", pair(np.zeros((4, 4, 4)), np.zeros((4, 4, 4))))
    assert set(none.values()) == {(1.0,)}


def test_label_maps_by_hand() -> None:
    y = np.zeros((6, 6, 6))
    y[1:3, 1:3, 1:3] = 1
    x = np.zeros((6, 6, 6))
    x[1:3, 1:3, 1:4] = 1
    judged = LabelMaps.of(named_labels("1=liver,2=spleen"))
    found = judged.values(pair(x, y))
    assert found["liver dice"][0] == pytest.approx(2 * 8 / (8 + 12))
    assert found["liver volume_error"][0] == pytest.approx(4 / 1000)
    assert found["liver hd95"][0] == pytest.approx(1)
    assert found["liver surface_dice"] == (1.0,)
    assert math.isnan(found["spleen dice"][0])
    assert {measure.name for measure in judged.measures} == set(found)
    assert found["liver iou"][0] == pytest.approx(8 / 12)
    y[5, 5, 5] = 1  # a second part, which is missed
    counted = LabelMaps.of({1: "lesion"}, lesions=True).values(pair(x, y))
    assert counted["lesion lesion_detection_f1"][0] == pytest.approx(2 * 1 * 0.5 / 1.5)
    flat = judged.values(pair(x[1], y[1]))
    assert math.isnan(flat["liver volume_error"][0])
    for wrong in ("liver", "1=a,1=b", "1=a,2=a", "x=a", ""):
        with pytest.raises(InputError):
            named_labels(wrong)
