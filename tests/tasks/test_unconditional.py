from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, Image, InputError
from vesalius.data.source import Source
from vesalius.data.sources import Hippocampus, MedMNIST, OpenKBP, SynthRADSlices
from vesalius.tasks.task import collate
from vesalius.tasks.unconditional import ImageSynthesis


@pytest.fixture(scope="module")
def digital() -> ImageSynthesis:
    source = Call(DigitalPatients, n=20, size=(32, 32))
    task: ImageSynthesis = tasks.get("ct-slices", source).replace(matrix=(32, 32)).build()
    return task


def test_nothing_is_given_and_hu_go_through_unchanged(digital: ImageSynthesis) -> None:
    digital.check()
    assert (digital.shape.given, digital.shape.wanted, digital.given_images()) == (0, 1, ())
    case = digital.split["test"][0]
    batch = digital.test_case(case)
    assert batch.given is None
    assert batch.mask is None, "drawn images have no mask"
    assert batch.wanted is not None
    truth = digital.source.read(case)["ct"].data
    found = digital.scale.to_physical(batch.wanted)[0]
    assert torch.allclose(found, truth.clamp(-1024, 1024), atol=0.01)
    judged = digital.judged(batch.wanted)
    assert (float(judged.min()), float(judged.max())) == (-160.0, 240.0)
    assert digital.judgement.unit == "HU"
    assert digital.judgement.metrics == ()
    with pytest.raises(InputError, match="vesalius sample"):
        digital.prepare({}, "new")


def test_the_baseline_draws_the_same_image_for_a_case_and_others_for_others(
    digital: ImageSynthesis,
) -> None:
    first, second = (digital.test_case(case) for case in digital.split["test"][:2])
    alone = digital.baselines(first)["principal components"]
    together = digital.baselines(collate([first, second]))["principal components"]
    assert together.shape == (2, 1, 32, 32)
    assert torch.equal(alone, together[:1])
    assert not torch.allclose(together[0], together[1])
    assert alone.dtype == torch.float32


def test_augmentation_is_for_training(digital: ImageSynthesis) -> None:
    case = digital.split["train"][0]
    plain = [digital.load(case, np.random.default_rng(seed)).wanted for seed in range(2)]
    assert plain[0] is not None
    assert torch.equal(plain[0], plain[1])
    moved = [
        digital.load(case, np.random.default_rng(seed), augment=True).wanted for seed in range(4)
    ]
    assert any(not torch.equal(plain[0], image) for image in moved)


def test_a_volume_is_read_once_for_all_its_slices(
    written: Callable[..., Source], about: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def volume(value: float) -> dict[str, Image]:
        height = torch.arange(6.0).expand(1, 8, 8, 6) + value
        return {"ct": Image(height.clone(), unit="HU", modality="CT")}

    source = written(volume(0), volume(100), volume(200), tests=1)
    task = ImageSynthesis(source=source, matrix=(8, 8), slices=3, mask_names=(), **about)
    assert len(task.split["train"]) == 6
    assert task.scale.unit == "HU"
    task.source.has_volumes  # noqa: B018  (reads a volume to tell)
    read: list[str] = []
    original = type(source).read
    monkeypatch.setattr(
        type(source),
        "read",
        lambda self, case: read.append(case.identifier) or original(self, case),
    )
    images = [task.test_case(case).wanted for case in task.split["test"]]
    assert read == ["0"]
    found = [float(task.scale.to_physical(image).mean()) for image in images if image is not None]
    assert found == pytest.approx([1, 3, 5], abs=1e-3)


def test_what_was_learnt_serves_without_the_data(digital: ImageSynthesis) -> None:
    call = Call(
        ImageSynthesis,
        name="t",
        phase="diagnosis",
        question="?",
        source=Call(DigitalPatients, n=1, size=(32, 32)),
        matrix=(32, 32),
    )
    other: ImageSynthesis = call.build()
    other.recall(digital.learnt())
    assert (other.scale, other.frame, other.channel) == (digital.scale, digital.frame, "ct")


@pytest.mark.parametrize(
    ("name", "kind", "folder", "size", "n_test"),
    [
        ("ct-slices", OpenKBP, "openkbp", (64, 64), 320),
        ("mr-slices", SynthRADSlices, "synthrad_slices", (64, 64), 54),
        ("xrays", MedMNIST, "pneumoniamnist", (28, 28), 624),
    ],
)
def test_real_images(
    real: Callable[[str], Path], name: str, kind: Any, folder: str, size: Any, n_test: int
) -> None:
    task = tasks.get(name, Call(kind, path=str(real(folder)))).build()
    assert len(task.split["test"]) == n_test
    batch = task.test_case(task.split["test"][0])
    assert batch.wanted.shape == (1, 1, *size)
    assert float(batch.wanted.min()) >= -1
    assert float(batch.wanted.max()) <= 1.01
    assert float(batch.wanted.std()) > 0.05


def test_hippocampi_are_over_their_own_percentile_and_hold_the_whole_structure(
    real: Callable[[str], Path],
) -> None:
    task = tasks.get("hippocampus-volumes", Call(Hippocampus, path=str(real("hippocampus"))))
    volumes: ImageSynthesis = task.build()
    volumes.check()
    sizes = {name: len(cases) for name, cases in volumes.split.partitions.items()}
    assert sizes == {"train": 150, "validation": 20, "test": 40}
    kept = []
    for case in volumes.split["test"]:
        images = volumes.source.read(case)
        label = images["label"]
        corner = volumes.frame.corner(images["image"], None)
        shown = volumes.frame.crop((label.data > 0).float(), corner, 0.0)
        kept.append(float(shown.sum() / (label.data > 0).sum()))
        batch = volumes.test_case(case)
        assert batch.wanted is not None
        assert batch.wanted.shape == (1, 1, 32, 32, 32)
        assert float(batch.wanted.min()) >= -1
        assert float(batch.wanted.max()) <= 1
    assert np.mean(kept) > 0.999
    assert min(kept) > 0.98
    assert volumes.scale.unit == "of P99"


def test_relative_images_forget_their_scale_and_are_clipped(
    written: Callable[..., Source], about: dict[str, Any]
) -> None:
    ramp = torch.arange(1000.0).reshape(1, 10, 10, 10)
    source = written({"image": Image(ramp)}, {"image": Image(ramp * 77)}, tests=1)
    task = ImageSynthesis(
        source=source, matrix=(10, 10, 10), relative=True, interval=(0.0, 0.5), **about
    )
    first, second = (task.test_case(task.split[part][0]).wanted for part in ("train", "test"))
    assert first is not None
    assert second is not None
    assert torch.allclose(first, second, atol=1e-5)
    found = task.scale.to_physical(first).flatten()
    expected = (torch.arange(1000.0) / 989.01).clamp(0, 0.5)  # numpy's 99th percentile of 0 to 999
    assert torch.allclose(found, expected, atol=1e-5)
    dark = Image(torch.zeros(1, 10, 10, 10))
    with pytest.raises(InputError, match=r"^who: expected an image that varies"):
        task.prepared({"image": dark}, "who")
