"""Runs that answer with label maps and classes: to the report, and on new cases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius import recipes
from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import read_image, write_image
from vesalius.runner.agreement import combined, two_answers
from vesalius.runner.apply import BrokenCases, apply
from vesalius.runner.run import Run, prepared
from vesalius.runner.sample import sample
from vesalius.training.fit import Engine

SETTINGS = {
    "task.source.n": "24",
    "task.source.size": "[32, 32]",
    "task.source.contrasts": '["t1"]',
    "task.matrix": "[32, 32]",
    "budget.batch_size": "2",
    "networks.network.width": "8",
    "networks.network.levels": "3",
}


#: Enough test patients that some are over 60 and some are not.
HALVES = {"task.source.n": "30", "task.rule.test": "0.5", "task.rule.shifted_sites": "[]"}


def reported(recipe: str, folder: Path, **settings: str) -> Run:
    ready = prepared(recipes.get(recipe), steps=2, settings={**SETTINGS, **settings})
    return Run.create(ready, folder, engine=Engine("cpu")).go()


@pytest.fixture(scope="module")
def segmentation_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return reported("unet-segmentation", tmp_path_factory.mktemp("runs") / "segmentation")


@pytest.fixture(scope="module")
def classification_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "classification"
    return reported("cnn-classification", folder, **HALVES)


def test_a_segmenter_is_reported_with_labels_over_the_image(segmentation_run: Run) -> None:
    page = (segmentation_run.folder / "report.html").read_text()
    for words in ("given t1", "atlas", "segmented", "reference", "labels laid over it", "missed"):
        assert words in page
    assert "grey matter dice" in page
    assert "of one draw" not in page
    metrics = {record.metric for record in segmentation_run.records()}
    assert {"dice", "hd95", "skull dice", "deep nuclei hd95", "training time"} <= metrics


def test_a_classifier_is_reported_with_its_curves(classification_run: Run) -> None:
    page = (classification_run.folder / "report.html").read_text()
    for words in (
        "Receiver operating characteristic (test)",
        "Calibration (test)",
        "Who was called what (test)",
        "logistic regression",
        "called over 60",
    ):
        assert words in page
    metrics = {record.metric for record in classification_run.records()}
    assert {"auc", "accuracy", "sensitivity", "specificity", "calibration_error"} <= metrics
    assert "these 5 score worst" in page


def test_a_label_map_on_the_grid_of_a_new_image(segmentation_run: Run, tmp_path: Path) -> None:
    affine = np.diag([7.0, 7.0, 6.0, 1.0])
    data = torch.rand(1, 30, 36, 3, generator=torch.Generator().manual_seed(0))
    write_image(tmp_path / "in" / "p1.nii.gz", Image(data, affine, modality="MR-T1w"))
    out = tmp_path / "out"
    apply(segmentation_run, tmp_path / "in", out, draws=4)
    found = read_image(out / "labels" / "p1.nii.gz")
    assert found.space == (30, 36, 3)
    assert np.allclose(found.affine, affine)
    assert found.stored == "uint8"
    assert set(found.data.unique().tolist()) <= set(range(6))
    assert len(found.data.unique()) > 1
    about = json.loads((out / "p1.json").read_text())
    assert about["synthetic"] is False
    assert about["notice"].startswith("Label map: made by a trained network")
    assert about["labels"] == ["background", *segmentation_run.task.judgement.labels[1:]]
    assert about["draws"] == 1
    assert "the system draws the same image every time: one draw, no uncertainty" in about["notes"]
    covered = [note for note in about["notes"] if "of the voxels lie in the field" in note]
    assert covered == [
        "89 % of the voxels lie in the field that the run draws; the others have the lowest value"
    ]
    # beyond the field of 32 voxels there is background
    assert not found.data[:, :, :2].any()
    assert not found.data[:, :, -2:].any()


def test_a_label_map_of_a_picture_is_a_picture(segmentation_run: Run, tmp_path: Path) -> None:
    grey = torch.randint(0, 255, (1, 32, 32), generator=torch.Generator().manual_seed(0))
    write_image(tmp_path / "in" / "p.png", Image(grey, stored="uint8"))
    apply(segmentation_run, tmp_path / "in", tmp_path / "out", draws=1)
    found = read_image(tmp_path / "out" / "labels" / "p.png")
    assert set(found.data.unique().tolist()) <= set(range(6))


def test_probabilities_of_a_new_image(classification_run: Run, tmp_path: Path) -> None:
    case = classification_run.task.split["test"][0]
    image = classification_run.task.source.read(case)["t1"]
    write_image(tmp_path / "in" / "p1.nii.gz", image)
    out = tmp_path / "out"
    files = apply(classification_run, tmp_path / "in", out, draws=3)
    assert files == [out / "p1.json"]
    about = json.loads(files[0].read_text())
    drawn = classification_run.draws("test", case)
    assert list(about["probabilities"]) == ["60 or younger", "over 60"]
    assert list(about["probabilities"].values()) == pytest.approx(drawn[0].tolist(), abs=1e-4)
    assert about["synthetic"] is False
    assert about["notice"].startswith("Probabilities:")
    assert about["files"] == []
    assert "uncertainty" not in about
    assert apply(classification_run, tmp_path / "in", out, draws=3) == files, "there already"


def test_what_cannot_be_classified_is_refused(classification_run: Run, tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "volume.nii.gz", Image(torch.rand(1, 32, 32, 8)))
    write_image(tmp_path / "in" / "large.nii.gz", Image(torch.rand(1, 512, 512)))
    with pytest.raises(BrokenCases) as caught:
        apply(classification_run, tmp_path / "in", tmp_path / "out")
    broken = caught.value.broken
    assert "images with 2 axes of space, got 3" in broken["volume"]
    assert "an image of about 32 x 32 voxels" in broken["large"]
    assert "resample it first" in broken["large"]


def test_samples_are_label_maps_and_never_classes(
    segmentation_run: Run, classification_run: Run, tmp_path: Path
) -> None:
    (path,) = sample(segmentation_run, 1, tmp_path / "maps")
    assert read_image(path).stored == "uint8"
    about = json.loads((tmp_path / "maps" / "samples.json").read_text())
    assert about["synthetic"] is False
    with pytest.raises(InputError, match="use: vesalius apply, which writes probabilities"):
        sample(classification_run, 1, tmp_path / "none")


@pytest.mark.parametrize(
    ("recipe", "task_of", "match"),
    [
        ("unet-segmentation", "unet-regression", "answered with a label map, got .* is an image"),
        ("unet-segmentation", "cnn-classification", "answered with a label map, .* is a class"),
        ("cnn-classification", "unet-regression", "answered with a class, got .* is an image"),
        ("unet-regression", "cnn-classification", "an image or a label map, got .* is a class"),
    ],
)
def test_a_task_of_another_kind_is_refused(
    recipe: str, task_of: str, match: str, tmp_path: Path
) -> None:
    import dataclasses

    mixed = dataclasses.replace(recipes.get(recipe), task=recipes.get(task_of).task)
    with pytest.raises(InputError, match=match):
        Run.create(mixed, tmp_path / "run", engine=Engine("cpu"))


def test_draws_of_labels_are_counted_and_those_of_images_averaged() -> None:
    maps = [Image(torch.tensor([[row]]), unit="label", stored="uint8") for row in
            ([0, 2, 1], [0, 1, 1], [0, 1, 2])]  # fmt: skip
    agreed, unsure = combined(maps, "labels")
    assert agreed.data.tolist() == [[[0, 1, 1]]]
    assert (agreed.unit, agreed.stored) == ("label", "uint8")
    assert unsure is not None
    assert unsure.data.flatten().tolist() == pytest.approx([0, 1 / 3, 1 / 3])
    assert (unsure.unit, unsure.stored) == ("1", "float32")
    images = [Image(torch.tensor([[[value]]])) for value in (1.0, 3.0)]
    mean, deviation = combined(images, "image")
    assert mean.data.item() == 2
    assert deviation is not None
    assert deviation.data.item() == pytest.approx(2**0.5)
    assert combined(images[:1], "image")[1] is None
    assert combined(maps[:1], "labels")[1] is None
    for model, answer in ((torch.zeros(3, 2, 2), "labels"), (torch.zeros(1, 2, 2), "image")):
        one, other = two_answers(model, answer)
        same = one.argmax(0) == other.argmax(0) if answer == "labels" else one == other
        assert not same.any()
