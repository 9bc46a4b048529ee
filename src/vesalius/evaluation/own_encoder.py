"""An encoder trained on a site's own real images, without labels, to judge generated ones by."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.core.rng import derive, torch_stream
from vesalius.generative.objectives.info_nce import info_nce
from vesalius.metrics.feature.image_window import check_window, windowed
from vesalius.metrics.feature.own_features import EncoderCard, patient_digests, write_encoder
from vesalius.metrics.feature.own_network import OwnNetwork
from vesalius.metrics.feature.planes import planes
from vesalius.training import checkpoint as checkpoints

METHOD = "contrast of two views (SimCLR), no mirroring, blur or noise"
#: Below this number of cases there is nothing to tell a case from.
LEAST_CASES = 16
#: Steps between two checkpoints.
KEEP_EVERY = 100


@dataclass(frozen=True)
class EncoderTraining:
    """How an encoder of one's own is trained.

    Parameters
    ----------
    steps, batch_size, learning_rate:
        Of AdamW, with a cosine schedule; batches are of different cases.
    width:
        Of the network: ``15 * width`` features, a multiple of 8.
    size:
        Pixels along each side at its input.
    slices:
        Slices of each of the three planes of a volume that are seen.
    temperature:
        By which cosines are divided before the softmax.
    zoom, degrees, shift, gamma:
        What a view may differ by, and what the features therefore hardly see: the smallest part of
        the side that is zoomed into, rotation, shift as a part of the side, exponent of intensity.
    """

    steps: int = 600
    batch_size: int = 64
    learning_rate: float = 1e-3
    width: int = 16
    size: int = 64
    slices: int = 8
    temperature: float = 0.2
    zoom: float = 0.7
    degrees: float = 10.0
    shift: float = 0.1
    gamma: float = 1.25

    def __post_init__(self) -> None:
        if min(self.steps, self.slices) < 1 or self.batch_size < 2 or self.size < 16:
            raise InputError(
                "steps and slices from 1, batches from 2 and images from 16 pixels",
                came=f"{self.steps}, {self.slices}, {self.batch_size} and {self.size}",
            )
        if self.width < 8 or self.width % 8:
            raise InputError("a width that 8 divides", came=self.width)
        if not (0 < self.zoom <= 1 and self.gamma >= 1 and self.temperature > 0):
            raise InputError(
                "a zoom in (0, 1], gamma from 1 and a temperature above 0",
                came=f"{self.zoom}, {self.gamma} and {self.temperature}",
            )


def train_encoder(
    images: Sequence[Tensor],
    patients: Sequence[str],
    window: tuple[float, float],
    *,
    out: str | Path,
    training: EncoderTraining | None = None,
    seed: int = 0,
    advance: Callable[[int], None] = lambda step: None,
) -> EncoderCard:
    """Train an encoder on real training images and write it as ``out``, a safetensors file.

    Two views of a case, moved a little in place and contrast, are to find each other among those of
    other cases. Nothing is mirrored, blurred or made noisy: an encoder goes blind to what its views
    differ by, and a judge must see those. Volumes are seen by slices. Only digests of the patients
    are kept, so that :class:`~vesalius.metrics.feature.own_features.OwnFeatures` can refuse to
    judge them. Interrupted, it goes on from its last checkpoint, beside ``out``, to the same
    weights.

    Parameters
    ----------
    images:
        ``(1, *space)`` each, of the real TRAINING split alone, 2D or 3D; read once, one by one, so
        that a sequence may load them as they are asked for.
    patients:
        One identifier an image.
    window:
        (low, high) in the unit of the images.
    advance:
        Told the number of steps done.

    Returns
    -------
    The card that lies in the file. Its ``partners_found`` is how often, in the last tenth of the
    steps, a view was nearest to its partner: near 1 / batch nothing was learnt.

    Raises
    ------
    InputError
        For fewer than 16 images, other shapes, values that are not finite, other numbers of
        patients.

    References
    ----------
    Chen et al. 2020, arXiv:2002.05709.
    """
    training = training or EncoderTraining()
    out = Path(out)
    if out.suffix != ".safetensors":
        raise InputError("a path NAME.safetensors", came=out.name)
    if len(images) != len(patients):
        raise InputError(f"one patient for each of {len(images)} images", came=len(patients))
    if len(images) < LEAST_CASES:
        raise InputError(
            f"at least {LEAST_CASES} images to tell apart",
            came=len(images),
            remedy="give more, or use radiomics, which learns nothing",
        )
    window = check_window(window)
    pictures, owners = _pictures(images, window, training)
    beside = out.with_name(f".{out.name}.training")
    loop = _Loop(pictures, owners, training, seed)
    identity = _fingerprint(pictures, training, seed)
    known = checkpoints.found(beside)
    if known:
        loop.resume(checkpoints.load(known[-1], identity))
    while loop.step < training.steps:
        loop.advance()
        advance(loop.step)
        if loop.step % KEEP_EVERY == 0 and loop.step < training.steps:
            checkpoints.save(beside, loop.step, loop.checkpoint(identity))
    loop.network.fit_scale(torch.split(pictures, 256))
    salt = secrets.token_hex(16)
    card = EncoderCard(
        width=training.width,
        size=training.size,
        window=window,
        salt=salt,
        patients=patient_digests(patients, salt),
        images=len(images),
        steps=training.steps,
        seed=seed,
        method=METHOD,
        partners_found=loop.partners_found,
        among=loop.batch,
    )
    write_encoder(out, loop.network, card)
    shutil.rmtree(beside, ignore_errors=True)
    return card


def _pictures(
    images: Sequence[Tensor], window: tuple[float, float], training: EncoderTraining
) -> tuple[Tensor, Tensor]:
    """All slices in the window at the network's size, ``(n, 1, size, size)``, and their images."""
    found, owners = [], []
    for number in range(len(images)):
        try:
            scaled = windowed(images[number][None], None, window)
        except InputError as error:
            raise InputError(error.expected, came=error.came, case=f"image {number}") from None
        for view in planes(scaled, training.slices):
            few = view.flatten(0, 1)[:, None]
            found.append(
                functional.interpolate(
                    few, size=(training.size,) * 2, mode="bilinear", antialias=True
                )
            )
            owners += [number] * len(few)
    return torch.cat(found), torch.tensor(owners)


def _fingerprint(pictures: Tensor, training: EncoderTraining, seed: int) -> str:
    digest = hashlib.blake2b(json.dumps([asdict(training), seed]).encode(), digest_size=8)
    digest.update(pictures.numpy().tobytes())
    return digest.hexdigest()


def moved(pictures: Tensor, training: EncoderTraining, rng: torch.Generator) -> Tensor:
    """``(n, 1, size, size)`` in [0, 1], each moved in place and contrast by what ``rng`` draws."""
    n = len(pictures)

    def uniform(least: float, most: float) -> Tensor:
        return least + (most - least) * torch.rand(n, generator=rng)

    zoom = uniform(training.zoom, 1.0)
    angle = torch.deg2rad(uniform(-training.degrees, training.degrees))
    cosine, sine = zoom * angle.cos(), zoom * angle.sin()
    across, down = (2 * uniform(-training.shift, training.shift) for _ in range(2))
    rows = [torch.stack([cosine, -sine, across], 1), torch.stack([sine, cosine, down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    sampled = functional.grid_sample(pictures, grid, align_corners=False)
    reach = math.log(training.gamma)
    return sampled.clamp(0, 1) ** uniform(-reach, reach).exp().reshape(-1, 1, 1, 1)


class _Loop:
    """Weights, optimiser and step number: all that goes into a checkpoint."""

    def __init__(
        self, pictures: Tensor, owners: Tensor, training: EncoderTraining, seed: int
    ) -> None:
        self.pictures, self.training, self.seed = pictures, training, seed
        self.of_image = [
            (owners == owner).nonzero()[:, 0] for owner in range(int(owners.max()) + 1)
        ]
        self.batch = min(training.batch_size, len(self.of_image))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "own encoder", "weights"))
            self.network = OwnNetwork(training.width)
            wide = self.network.features
            self.head = nn.Sequential(nn.Linear(wide, wide), nn.SiLU(), nn.Linear(wide, 64))
        self.modules = nn.ModuleDict({"network": self.network, "head": self.head})
        self.optimiser = torch.optim.AdamW(self.modules.parameters(), lr=training.learning_rate)
        self.step, self.met = 0, [0, 0]

    @property
    def partners_found(self) -> float:
        """Over the last tenth of the steps."""
        return self.met[0] / max(1, self.met[1])

    def advance(self) -> None:
        """One step, of what the stream of its number draws."""
        training = self.training
        rng = torch_stream(self.seed, "own encoder", "step", self.step)
        chosen = torch.randperm(len(self.of_image), generator=rng)[: self.batch].tolist()
        slices = [self.of_image[place] for place in chosen]
        picked = [s[int(torch.randint(len(s), (1,), generator=rng))] for s in slices]
        few = self.pictures[torch.stack(picked)]
        views = torch.cat([moved(few, training, rng) for _ in range(2)])
        vectors = functional.normalize(self.head(self.network(views)), dim=1)
        first, second = vectors.chunk(2)
        logits = first @ second.T / training.temperature
        for group in self.optimiser.param_groups:
            done = self.step / training.steps
            group["lr"] = training.learning_rate * (1 + math.cos(math.pi * done)) / 2
        self.optimiser.zero_grad()
        info_nce(logits).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        if self.step >= 0.9 * training.steps - 1:
            found = (logits.argmax(1) == torch.arange(len(logits))).sum()
            self.met = [self.met[0] + int(found), self.met[1] + len(logits)]
        self.step += 1

    def checkpoint(self, identity: str) -> checkpoints.Checkpoint:
        """What :meth:`resume` takes."""
        tensors, groups = checkpoints.flat_optimiser(self.optimiser.state_dict())
        return checkpoints.Checkpoint(
            {"modules": self.modules.state_dict(), "optimiser": tensors},
            {"fingerprint": identity, "step": self.step, "met": self.met, "groups": groups},
        )

    def resume(self, kept: checkpoints.Checkpoint) -> None:
        """Go on from there."""
        self.modules.load_state_dict(dict(kept.tensors["modules"]))
        self.optimiser.load_state_dict(
            checkpoints.deep_optimiser(dict(kept.tensors["optimiser"]), kept.state["groups"])
        )
        self.step, self.met = int(kept.state["step"]), list(kept.state["met"])
