from __future__ import annotations

import math
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
from vesalius.data.sources.synthrad import SynthRADSlices
from vesalius.tasks.task import Task, collate
from vesalius.tasks.translation import Translation

Written = Callable[..., Source]


@pytest.fixture(scope="module")
def digital() -> Translation:
    """CT from T1 of digital patients."""
    source = Call(DigitalPatients, n=12, size=(32, 32))
    task: Translation = tasks.get("mr-to-ct", source).replace(matrix=(32, 32)).build()
    return task


def pair(given: Any, wanted: Any, mask: Any = None, stored: str = "uint8") -> dict[str, Image]:
    """A row of voxels as three equal rows, scaled 0 to 255 as 8-bit images are."""

    def image(values: Any, modality: str) -> Image:
        row = torch.as_tensor(values, dtype=torch.float32)
        return Image(row.expand(3, -1)[None].clone(), modality=modality, stored=stored)

    images = {"mr": image(given, "MR"), "ct": image(wanted, "CT")}
    inside = [1] * len(given) if mask is None else mask
    images["mask"] = Image(image(inside, "mask").data.long(), unit="label", modality="mask")
    return images


def test_a_case_in_model_units_and_back(digital: Translation) -> None:
    digital.check()
    case = digital.split["test"][0]
    batch = digital.test_case(case)
    assert batch.wanted is not None
    assert batch.given is not None
    assert batch.mask is not None
    assert batch.given.shape == batch.wanted.shape == batch.mask.shape == (1, 1, 32, 32)
    images = digital.source.read(case)
    assert torch.allclose(
        digital.judged(batch.wanted)[0], images["ct"].data.clamp(-1024, 1650), atol=0.01
    ), "HU go through unchanged"
    assert digital.judgement.unit == "HU"
    assert torch.equal(batch.mask[0], images["mask"].data > 0)
    new, placed = digital.prepare({"t1": images["t1"]}, "new")
    assert new.wanted is None
    assert torch.allclose(new.given, batch.given)
    restored = digital.restore(batch.wanted[0], {"t1": images["t1"]}, placed)
    assert (restored.unit, restored.modality) == ("HU", "CT")
    assert np.array_equal(restored.affine, images["t1"].affine)
    assert torch.allclose(restored.data, images["ct"].data, atol=0.01)


def test_sites_held_out_are_never_trained_on(digital: Translation) -> None:
    assert {case.site for case in digital.split["shifted"]} == {"C"}
    assert "C" not in {case.site for case in digital.split["train"]}


def test_augmentation_is_for_training_and_by_the_stream(digital: Translation) -> None:
    case = digital.split["train"][0]

    def load(seed: int, augment: bool) -> torch.Tensor:
        wanted = digital.load(case, np.random.default_rng(seed), augment=augment).wanted
        assert wanted is not None
        return wanted

    assert torch.equal(load(0, False), load(1, False))
    assert torch.equal(load(0, True), load(0, True))
    assert not torch.equal(load(0, True), load(1, True))
    assert digital.flip_axis == 1, "columns of an axial slice run from right to left"


def test_the_lookup_by_hand(written: Written, about: dict[str, Any]) -> None:
    """Bins of 4 of 255 grey levels: 0 and 2 share one, 100 has another."""
    train = pair([0, 2, 100, 100, 200], [10, 30, 50, 70, 250], mask=[1, 1, 1, 1, 0])
    test = pair([1, 100, 200], [0, 0, 0], mask=[1, 1, 0])
    task = Translation(
        source=written(test, train, tests=1),
        matrix=(3, 5),
        given_names=("mr",),
        flip=False,
        **about,
    )
    drawn = task.baselines(task.test_case(task.split["test"][0]))["intensity lookup"]
    grey = task.judged(drawn)[0, 0, 0].tolist()
    # the field of five is centred on the mask of two; between bins the map is linear
    assert grey == pytest.approx([0, 0, 20, 60, 0], abs=0.7)


def test_the_lookup_does_not_see_test_images(written: Written, about: dict[str, Any]) -> None:
    train = pair([0, 100, 200], [50, 100, 150])
    results = []
    for wanted in ([0, 0, 0], [255, 255, 255]):
        source = written(pair([0, 100, 200], wanted), train, tests=1)
        task = Translation(source=source, matrix=(3, 3), flip=False, **about)
        batch = task.test_case(task.split["test"][0])
        results.append(task.baselines(batch)["intensity lookup"])
    assert torch.equal(results[0], results[1])


def test_a_missing_channel_is_named(written: Written, about: dict[str, Any]) -> None:
    images = pair([0, 1, 2], [0, 1, 2])
    del images["ct"]
    task: Task = Translation(source=written(images), matrix=(3, 3), **about)
    with pytest.raises(
        InputError, match=r"^written: expected a channel 'ct' for the task t, got mr, mask"
    ):
        task.check()


@pytest.mark.parametrize("channel", ["mr", "ct"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("stored", ["uint8", "float32"])
def test_a_broken_image_names_its_case(
    written: Written, about: dict[str, Any], channel: str, bad: float, stored: str
) -> None:
    whole, broken = (pair([0, 100, 200], [50, 100, 150], stored=stored) for _ in range(2))
    broken[channel].data[0, 1, 1] = bad
    source = written(whole, whole, broken, tests=1)
    task = Translation(source=source, matrix=(3, 3), flip=False, **about)
    with pytest.raises(InputError, match=r"^2: expected finite values, got 1 NaN or infinite"):
        task.load(task.split["train"][1], np.random.default_rng(0))


@pytest.mark.parametrize("channel", ["mr", "mask"])
def test_mismatched_pairs_name_their_case(
    written: Written, about: dict[str, Any], channel: str
) -> None:
    shifted, small = (pair([0, 100, 200], [50, 100, 150]) for _ in range(2))
    other = shifted[channel]
    affine = np.eye(4)
    affine[1, 3] = 2.0
    shifted[channel] = Image(other.data, affine, other.unit, other.modality, other.stored)
    small[channel] = Image(
        other.data[..., :2], other.affine, other.unit, other.modality, other.stored
    )
    task = Translation(
        source=written(pair([0, 9, 200], [5, 1, 1]), shifted, small), matrix=(3, 3), **about
    )
    for number, sentence in ((1, "a pair with one affine"), (2, "a pair of one size")):
        with pytest.raises(InputError, match=rf"^{number}: expected {sentence}"):
            task.load(task.split["train"][number], np.random.default_rng(0))


def test_collated_cases_stay_apart(digital: Translation) -> None:
    cases = digital.split["train"][:3]
    batch = collate([digital.test_case(case) for case in cases])
    assert batch.cases == tuple(case.identifier for case in cases)
    assert batch.size == 3
    assert batch.wanted is not None
    for k, case in enumerate(cases):
        assert torch.equal(batch.wanted[k : k + 1], digital.test_case(case).wanted)


def test_what_was_learnt_is_recalled_without_training_data(
    digital: Translation, written: Written, about: dict[str, Any]
) -> None:
    from vesalius.core.call import from_plain, to_plain

    learnt = from_plain(to_plain(digital.learnt()))
    fresh = Translation(source=written(pair([0], [0])), given_names=("none",), **about)
    fresh.recall(learnt)
    assert fresh.given == digital.given
    assert fresh.scales == digital.scales
    assert fresh.frame == digital.frame


def test_synthrad_slices(real: Callable[[str], Path]) -> None:
    source = Call(SynthRADSlices, path=str(real("synthrad_slices")))
    task: Translation = tasks.get("mr-to-ct", source).build()
    task.check()
    assert task.given == "mr"
    assert {case.site for case in task.split["shifted"]} == {"C"}
    case = task.split["test"][0]
    batch = task.test_case(case)
    assert batch.wanted is not None
    assert batch.mask is not None
    assert batch.wanted.shape == (1, 1, 128, 128)
    assert task.judgement.unit == "a.u.", "8-bit values are no HU"
    judged = task.judged(batch.wanted)
    assert 0 <= float(judged.min()) < float(judged.max()) <= 255
    inside = judged[batch.mask]
    drawn = task.judged(task.baselines(batch)["intensity lookup"])
    error = float((drawn - judged)[batch.mask].abs().mean())
    constant = float((inside - inside.median()).abs().mean())
    assert error < constant, "even a lookup is better than the best constant"
