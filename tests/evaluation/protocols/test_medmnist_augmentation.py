"""Generated images handed out to training cases by class, and a study on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vesalius import tasks
from vesalius.core import Call, InputError, Record
from vesalius.core.files import read_arrays
from vesalius.data.sources import MedMNIST
from vesalius.evaluation.protocols.medmnist_augmentation import (
    MedmnistAugmentation,
    hand_out,
    labelled_images,
)
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.training.fit import Engine

CONTEXT = Record("painter", "t", "d", "p", "", "clinical", "", "up", 0.0)


def films(n: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noise, brighter for the second class; classes take turns."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    images = rng.integers(0, 128, (n, 28, 28)) + 100 * labels[:, None, None]
    return images.astype(np.uint8), labels


@pytest.fixture
def real(tmp_path: Path) -> Path:
    arrays = {}
    for part, n, seed in (("train", 24, 0), ("val", 8, 1), ("test", 12, 2)):
        images, labels = films(n, seed)
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    np.savez(tmp_path / "pneumoniamnist.npz", **arrays)
    return tmp_path / "pneumoniamnist.npz"


@pytest.fixture
def task(real: Path) -> LabelSynthesis:
    made: LabelSynthesis = tasks.get("xray-from-class", Call(MedMNIST, path=str(real))).build()
    return made


@pytest.mark.parametrize("n", [6, 60])
def test_every_case_is_given_images_of_its_class(
    task: LabelSynthesis, tmp_path: Path, n: int
) -> None:
    images, labels = films(n, 3)
    hand_out(task, images, labels, tmp_path / "drawn")
    given = []
    for case in task.split["train"]:
        draws = read_arrays(tmp_path / "drawn" / f"{case.identifier}.npz")["draws"]
        for draw in draws:
            place = next(
                k for k in range(n) if np.allclose(draw[0], images[k] / 255 * 2 - 1, atol=1e-6)
            )
            assert labels[place] == case.covariates["label"]
            given.append(place)
    assert set(given) == set(range(n)), "no image is lost"
    if n == 60:
        assert len(given) == n, "and none is given twice where there are enough"


def test_files_that_do_not_fit(task: LabelSynthesis, tmp_path: Path) -> None:
    images, labels = films(6, 0)

    def saved(**arrays: NDArray[np.generic]) -> Path:
        np.savez(tmp_path / "a.npz", **arrays)
        return tmp_path / "a.npz"

    assert labelled_images(saved(images=images, labels=labels[:, None]))[1].shape == (6,)
    with pytest.raises(InputError, match="'labels'"):
        labelled_images(saved(images=images))
    with pytest.raises(InputError, match="a label for each"):
        labelled_images(saved(images=images, labels=labels[:3]))
    with pytest.raises(InputError, match="multiply by 255"):
        labelled_images(saved(images=images / 255.0, labels=labels))
    with pytest.raises(InputError, match="0 to 255"):
        labelled_images(saved(images=images.astype(float) - 50, labels=labels))
    with pytest.raises(InputError, match="class 1"):
        hand_out(task, images, np.zeros(6, dtype=np.int64), tmp_path)
    with pytest.raises(InputError, match="size"):
        hand_out(task, images[:, :14], labels, tmp_path)


def test_a_small_study(real: Path, tmp_path: Path) -> None:
    images, labels = films(20, 5)
    np.savez(tmp_path / "painter.npz", images=images, labels=labels)
    protocol = MedmnistAugmentation(fractions=(0.5,), seeds=1, steps=2)
    records = protocol.records(
        real, tmp_path / "painter.npz", tmp_path / "study", CONTEXT, engine=Engine("cpu")
    )
    assert {record.group for record in records} == {
        "50 % real", "50 % real, not augmented", "50 % real, oversampled", "50 % real + painter",
        "50 % real + 2 x painter", "painter alone", "class mean alone",
    }  # fmt: skip
    assert "downstream auc" in {record.metric for record in records}
    assert all(record.n == 12 for record in records)
