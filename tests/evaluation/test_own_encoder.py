"""An encoder trained on one's own images: it learns, resumes to the bit, and keeps no name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from vesalius.core import InputError
from vesalius.evaluation import own_encoder
from vesalius.evaluation.own_encoder import EncoderTraining, moved, train_encoder
from vesalius.metrics.feature import EnergyDistance, OwnFeatures

TINY = EncoderTraining(steps=20, batch_size=24, width=8, size=16, learning_rate=3e-3)


def drawn(seed: int, n: int, *space: int) -> Tensor:
    """Smooth images between 0 and 100, no two alike."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 1, *(4,) * len(space), generator=draw)
    mode = "bilinear" if len(space) == 2 else "trilinear"
    return 100 * functional.interpolate(coarse, size=space, mode=mode, align_corners=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    path = tmp_path_factory.mktemp("encoder") / "own.safetensors"
    told: list[int] = []
    images = drawn(0, 48, 24, 20)
    names = [f"patient-{k // 2}" for k in range(48)]
    train_encoder(images, names, (0, 100), out=path, training=TINY, advance=told.append)
    return path, told


def test_it_learns_to_tell_images_apart(trained: tuple[Path, list[int]]) -> None:
    path, told = trained
    encoder = OwnFeatures(path, (0, 100))
    assert told == list(range(1, 21))
    assert encoder.card.among == 24
    assert encoder.card.partners_found > 5 / 24  # by chance 1 / 24
    real, other = (encoder.features(drawn(seed, 80, 24, 20)) for seed in (1, 2))
    near = EnergyDistance().value(other, real)
    noise = 40 * torch.randn(80, 1, 24, 20, generator=torch.Generator().manual_seed(3))
    fresh = drawn(2, 80, 24, 20)
    for worse in (fresh + noise, fresh * 0.6, fresh[:1].expand(80, -1, -1, -1)):
        assert EnergyDistance().value(encoder.features(worse), real) > near + 0.1


def test_the_file_keeps_no_name_and_refuses_those_it_knows(
    trained: tuple[Path, list[int]],
) -> None:
    path, _ = trained
    assert b"patient-" not in path.read_bytes()
    encoder = OwnFeatures(path, (0, 100))
    assert len(encoder.card.patients) == 24
    encoder.require_unseen(["patient-24", "patient-99"])
    with pytest.raises(InputError, match="got 1 of 2 that it was"):
        encoder.require_unseen(["patient-23", "patient-24"])


def test_interrupted_it_ends_in_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_encoder, "KEEP_EVERY", 4)
    training = EncoderTraining(steps=10, batch_size=16, width=8, size=16)
    images, names = list(drawn(4, 20, 16, 16)), [str(k) for k in range(20)]

    def stop(step: int) -> None:
        if step == 7:
            raise KeyboardInterrupt

    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    train_encoder(images, names, (0, 100), out=whole, training=training)
    with pytest.raises(KeyboardInterrupt):
        train_encoder(images, names, (0, 100), out=parts, training=training, advance=stop)
    assert not parts.exists()
    seen: list[int] = []
    train_encoder(images, names, (0, 100), out=parts, training=training, advance=seen.append)
    assert seen == list(range(5, 11))
    one, two = load_file(whole), load_file(parts)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["parts.safetensors", "whole.safetensors"]


def test_the_seed_alone_decides(tmp_path: Path) -> None:
    training = EncoderTraining(steps=2, batch_size=16, width=8, size=16, slices=1)
    images, names = drawn(5, 16, 9, 8, 10), [str(k) for k in range(16)]
    found = []
    for number, (seed, outside) in enumerate(((0, 1), (0, 2), (1, 1))):
        torch.manual_seed(outside)
        path = tmp_path / f"{number}.safetensors"
        before = torch.get_rng_state()
        card = train_encoder(images, names, (0, 100), out=path, training=training, seed=seed)
        assert torch.equal(before, torch.get_rng_state())
        found.append(load_file(path)["stem.weight"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    # a volume was seen by slices of its three planes
    assert card.images == 16
    assert OwnFeatures(path, (0, 100)).features(images[:2]).shape == (2, 120)


def test_views_are_moved_and_never_mirrored() -> None:
    image = torch.zeros(64, 1, 16, 16)
    image[:, :, 6:10, 9:14] = 0.5  # right of the middle
    still = EncoderTraining(zoom=1.0, degrees=0.0, shift=0.0, gamma=1.0)
    draw = torch.Generator().manual_seed(0)
    torch.testing.assert_close(moved(image, still, draw), image, rtol=0, atol=1e-5)
    views = moved(image, EncoderTraining(), draw)
    right = views[..., 8:].sum((1, 2, 3)) > views[..., :8].sum((1, 2, 3))
    assert bool(right.all())
    assert (views.flatten(1).unique(dim=0)).shape[0] == 64
    assert float(views.min()) >= 0 and float(views.max()) <= 1  # noqa: PT018


@pytest.mark.parametrize(
    ("n", "patients", "out", "message"),
    [
        (15, 15, "a.safetensors", "at least 16 images to tell apart, got 15"),
        (20, 19, "a.safetensors", "one patient for each of 20 images"),
        (20, 20, "a.pt", "NAME.safetensors"),
    ],
)
def test_what_cannot_be(tmp_path: Path, n: int, patients: int, out: str, message: str) -> None:
    names = [str(k) for k in range(patients)]
    with pytest.raises(InputError, match=message):
        train_encoder(drawn(6, n, 16, 16), names, (0, 100), out=tmp_path / out, training=TINY)


def test_broken_images_are_named_by_number(tmp_path: Path) -> None:
    images, names = list(drawn(7, 16, 16, 16)), [f"secret-{k}" for k in range(16)]
    images[3] = images[3] * float("nan")
    with pytest.raises(InputError, match="image 3: expected finite values"):
        train_encoder(images, names, (0, 100), out=tmp_path / "a.safetensors", training=TINY)
    for wrong in ({"steps": 0}, {"width": 12}, {"zoom": 0.0}, {"size": 8}):
        with pytest.raises(InputError):
            EncoderTraining(**wrong)  # type: ignore[arg-type]
