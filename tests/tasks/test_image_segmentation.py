"""Segmentation as a task of its own: targets, the atlas, new cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.core import Call, Image, InputError
from vesalius.core.image import spacing_affine
from vesalius.data.source import Source
from vesalius.data.sources import Hippocampus
from vesalius.tasks.image_segmentation import ImageSegmentation


def labelled(labels: list[list[int]], spacing_mm: tuple[float, ...] = (1.0, 1.0)) -> dict[str, Any]:
    """An image that shows its labels as ten times their number, and one bright corner."""
    numbers = torch.tensor(labels)[None]
    affine = spacing_affine(spacing_mm)
    return {
        "image": Image(numbers * 10.0 + 1, affine, modality="MR-T1w"),
        "label": Image(numbers, affine, unit="label", modality="mask", stored="uint8"),
    }


@pytest.fixture
def task(written: Callable[..., Source], about: dict[str, Any]) -> ImageSegmentation:
    """One test patient and three for training, in maps of 2 x 3."""
    source = written(
        labelled([[0, 1, 2], [0, 0, 2]], (2.0, 3.0)),
        labelled([[0, 1, 2], [0, 0, 0]]),
        labelled([[0, 1, 1], [0, 2, 0]]),
        labelled([[0, 0, 2], [1, 2, 0]]),
        tests=1,
    )
    return ImageSegmentation(
        source=source, classes=("first", "second"), matrix=(2, 3), flip=False, **about
    )


def test_background_comes_first_and_the_image_is_over_its_percentile(
    task: ImageSegmentation,
) -> None:
    task.check()
    assert (task.shape.given, task.shape.wanted, task.shape.dims) == (1, 3, 2)
    batch = task.test_case(task.split["test"][0])
    assert batch.wanted is not None
    assert batch.given is not None
    assert task.judged(batch.wanted)[0, 0].tolist() == [[0, 1, 2], [0, 0, 2]]
    assert batch.wanted.sum(dim=1).unique().tolist() == [1.0]
    reference = np.percentile([1, 11, 21, 1, 1, 21], 99)
    given = task.base.scale.to_physical(batch.given)[0, 0]
    assert given[0].tolist() == pytest.approx([1 / reference, 11 / reference, 21 / reference])


def test_the_atlas_is_the_most_frequent_label_of_the_training_patients(
    task: ImageSegmentation,
) -> None:
    batch = task.test_case(task.split["test"][0])
    atlas = task.baselines(batch)["atlas"]
    # the voxel in the middle of the second row: background, second, second
    assert atlas[0, :, 1, 1].tolist() == pytest.approx([1 / 3, 0, 2 / 3])
    assert task.judged(atlas)[0, 0].tolist() == [[0, 1, 2], [0, 2, 0]]


def test_distances_are_in_the_millimetres_of_the_case(task: ImageSegmentation) -> None:
    case = task.split["test"][0]
    names = [metric.name for metric in task.metrics(case)]
    assert names == [metric.name for metric in task.judgement.metrics]
    assert names == ["dice", "hd95", "first dice", "second dice", "first hd95", "second hd95"]
    truth = task.judged(task.test_case(case).wanted)
    moved = torch.zeros_like(truth)
    moved[0, 0, 1, 1] = 1  # label 1 one row lower, where a row has 2 mm
    metrics = dict(zip(names, task.metrics(case), strict=True))
    assert float(metrics["first hd95"].statistic(moved, truth)) == 2.0


def test_image_and_labels_are_augmented_alike(task: ImageSegmentation) -> None:
    case = task.split["train"][0]
    plain = task.load(case, np.random.default_rng(0))
    shifts = set()
    for seed in range(8):
        batch = task.load(case, np.random.default_rng(seed), augment=True)
        assert batch.wanted is not None
        assert batch.given is not None
        assert not torch.equal(batch.given, plain.given)
        labels, image = task.judged(batch.wanted)[0, 0], batch.given[0, 0]
        shifts.add(tuple(labels.flatten().tolist()))
        if (labels == 2).any() and (labels == 1).any():
            assert image[labels == 2].min() > image[labels == 1].max() > image[labels == 0].max()
    assert len(shifts) > 1


def test_labels_are_merged_into_classes(
    written: Callable[..., Source], about: dict[str, Any]
) -> None:
    source = written(labelled([[0, 3, 5], [7, 9, 5]]), labelled([[0, 3, 5], [7, 9, 5]]), tests=1)
    kept = {"source": source, "classes": ("odd", "nine"), "matrix": (2, 3), **about}
    task = ImageSegmentation(merged=((3, 5), (9,)), **kept)
    truth = task.judged(task.test_case(task.split["test"][0]).wanted)
    assert truth[0, 0].tolist() == [[0, 1, 1], [0, 2, 1]]
    with pytest.raises(InputError, match="labels for each of 2 classes, got 1"):
        ImageSegmentation(merged=((3, 5),), **kept).test_case(task.split["test"][0])


@pytest.mark.parametrize("space", [(3, 5, 4), (6, 6, 6), (9, 5, 8)])
def test_a_label_map_comes_back_on_the_grid_of_the_new_case(
    written: Callable[..., Source], about: dict[str, Any], space: tuple[int, ...]
) -> None:
    rng = torch.Generator().manual_seed(0)
    affine = spacing_affine((1.0, 2.0, 3.0))
    labels = torch.randint(0, 3, (1, *space), generator=rng)
    images = {"image": Image(labels * 10.0 + 1, affine), "label": Image(labels, modality="mask")}
    source = written(images | {"label": Image(labels, affine, modality="mask")})
    task = ImageSegmentation(source=source, matrix=(6, 6, 6), classes=("a", "b"), **about)
    image = {"image": images["image"]}
    batch, placed = task.prepare(image, "new")
    known = task.test_case(task.split["train"][0])
    assert batch.given is not None
    assert known.given is not None
    assert torch.equal(batch.given, known.given), "as in training"
    assert known.wanted is not None
    restored = task.restore(known.wanted[0], image, placed)
    assert (restored.unit, restored.modality, restored.stored) == ("label", "mask", "uint8")
    assert np.array_equal(restored.affine, affine)
    assert restored.space == space
    seen = task.base.frame.restore(torch.ones(1, 6, 6, 6), images["image"], placed, 0) > 0
    assert torch.equal(restored.data[seen], labels[seen])
    assert not restored.data[~seen].any(), "background where the crop does not reach"


def test_hippocampi(real: Callable[[str], Path]) -> None:
    source = Call(Hippocampus, path=str(real("hippocampus")))
    task: ImageSegmentation = tasks.get("hippocampus-segmentation", source).build()
    assert len(task.split["train"]) == 150
    assert len(task.split["test"]) == 40
    batch = task.test_case(task.split["test"][0])
    assert batch.wanted is not None
    assert batch.wanted.shape == (1, 3, 44, 60, 48)
    shares = batch.wanted.mean(dim=(0, 2, 3, 4))
    assert shares[0] > 0.9
    assert (shares[1:] > 0.005).all()
