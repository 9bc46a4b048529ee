from __future__ import annotations

import dataclasses
import json
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
from vesalius.physics.complex_image import magnitude
from vesalius.physics.mri import CartesianMRI
from vesalius.physics.mri.phase import random_phase_image
from vesalius.physics.mri.undersampling import UndersampledMRI
from vesalius.tasks.reconstruction import Reconstruction
from vesalius.tasks.task import collate


@pytest.fixture(scope="module")
def task() -> Reconstruction:
    source = Call(DigitalPatients, n=12, size=(32, 32))
    made: Reconstruction = tasks.get("mri-4x", source).replace(matrix=(32, 32)).build()
    made.check()
    return made


def test_the_wanted_magnitude_is_the_image_over_its_scale(task: Reconstruction) -> None:
    assert task.scale.low == 0
    for case in task.split["test"]:
        batch = task.test_case(case)
        image = task.source.read(case)["t1"].data.clamp_min(0)
        assert batch.wanted is not None
        assert batch.wanted.shape == (1, 2, 32, 32)
        assert torch.allclose(magnitude(batch.wanted)[0] * task.scale.high, image, rtol=1e-4)
        assert torch.allclose(task.judged(batch.wanted)[0], image, rtol=1e-4)
        assert float(magnitude(batch.wanted).amax()) < 1.5


def test_the_record_makes_the_same_case_again(task: Reconstruction) -> None:
    case = task.split["train"][0]
    batch = task.load(case, np.random.default_rng(4))
    record = json.loads(json.dumps(batch.records[0]))
    image = random_phase_image(task.source.read(case)["t1"].data / task.scale.high, record["phase"])
    assert torch.allclose(image[None], batch.wanted, atol=1e-6)  # type: ignore[arg-type]
    measurement, operator = task.degradation.apply(image, record)
    assert batch.measurement is not None
    assert isinstance(batch.operator, CartesianMRI)
    assert torch.allclose(measurement[None], batch.measurement, atol=1e-6)
    assert torch.equal(operator.mask, batch.operator.mask)


def test_a_judged_case_is_measured_alike_whenever_and_others_differ(task: Reconstruction) -> None:
    first, other = task.split["test"][:2]
    a, b, c = task.test_case(first), task.test_case(first), task.test_case(other)
    assert a.records == b.records
    assert torch.equal(a.measurement, b.measurement)  # type: ignore[arg-type]
    assert a.records[0]["coil_seed"] != c.records[0]["coil_seed"]


def test_the_measurement_is_of_the_wanted_image(task: Reconstruction) -> None:
    batch = task.test_case(task.split["test"][0])
    assert batch.operator is not None
    assert batch.wanted is not None
    assert batch.measurement is not None
    residual = batch.operator.forward(batch.wanted) - batch.measurement
    sampled = batch.measurement != 0
    assert torch.equal(residual[~sampled], torch.zeros_like(residual[~sampled]))
    # complex noise of 0.005 in either part
    rms = float(residual[sampled].abs().square().mean().sqrt())
    assert rms == pytest.approx(0.005 * 2**0.5, rel=0.1)


def test_baselines_are_better_the_more_they_know(task: Reconstruction) -> None:
    errors: dict[str, list[float]] = {}
    for case in task.split["test"] + task.split["shifted"]:
        batch = task.test_case(case)
        reference = task.judged(batch.wanted)  # type: ignore[arg-type]
        for name, image in task.baselines(batch).items():
            error = (task.judged(image) - reference).square().mean()
            errors.setdefault(name, []).append(float(error))
    mean = {name: np.mean(values) for name, values in errors.items()}
    assert mean["total variation"] < mean["zero filling"]
    assert mean["CG-SENSE"] < mean["zero filling"]
    assert next(iter(errors)) == "total variation", "tests are against the strongest"


def test_batches_keep_their_own_physics(task: Reconstruction) -> None:
    cases = task.split["train"][:3]
    batch = collate([task.test_case(case) for case in cases])
    assert batch.operator is not None
    assert batch.wanted is not None
    together = batch.operator.forward(batch.wanted)
    for k, case in enumerate(cases):
        alone = task.test_case(case)
        assert alone.operator is not None
        assert alone.wanted is not None
        assert torch.allclose(together[k], alone.operator.forward(alone.wanted)[0], atol=1e-5)


def test_training_draws_another_measurement_at_every_visit(task: Reconstruction) -> None:
    case = task.split["train"][0]
    rng = np.random.default_rng(0)
    visits = [task.load(case, rng, augment=True).records[0] for _ in range(3)]
    assert len({json.dumps(visit, sort_keys=True) for visit in visits}) == 3


def test_measured_kspace_without_truth(task: Reconstruction) -> None:
    wider = UndersampledMRI(acceleration=2, centre_fraction=0.3)
    batch = dataclasses.replace(task, degradation=wider).test_case(task.split["test"][0])
    assert batch.measurement is not None
    kspace = Image(batch.measurement[0] * 1e4, modality="MR")
    new, placed = task.prepare({"kspace": kspace}, "new")
    assert new.wanted is None
    assert new.given is not None
    assert new.given.shape == (1, 2, 32, 32)
    assert torch.isfinite(new.given).all()
    restored = task.restore(new.given[0], {"kspace": kspace}, placed)
    assert restored.data.shape == (1, 32, 32)
    assert float(restored.data.max()) > 100, "back in the units of the measured k-space"


def test_kspace_of_zeros_is_refused(task: Reconstruction) -> None:
    silent = Image(torch.zeros(4, 32, 32, dtype=torch.complex64))
    with pytest.raises(InputError):
        task.prepare({"kspace": silent}, "new")


@pytest.mark.parametrize("channel", ["mr", "mask"])
def test_broken_cases_are_named(
    channel: str, written: Callable[..., Source], about: dict[str, Any]
) -> None:
    def images(n: int = 8) -> dict[str, Image]:
        values = torch.rand(1, 8, n, generator=torch.Generator().manual_seed(0))
        mask = Image(torch.ones(1, 8, 8, dtype=torch.int64), modality="mask")
        return {"mr": Image(values, modality="MR"), "mask": mask}

    whole, broken = images(), images()
    if channel == "mr":
        broken["mr"].data[0, 0, 0] = torch.nan
    else:
        broken["mask"] = Image(torch.ones(1, 8, 7, dtype=torch.int64), modality="mask")
    task = Reconstruction(source=written(whole, broken), matrix=(8, 8), flip=False, **about)
    sentence = "finite values" if channel == "mr" else "a pair of one size"
    with pytest.raises(InputError, match=rf"^1: expected {sentence}"):
        task.load(task.split["train"][1], np.random.default_rng(0))


def test_real_kspace(real: Callable[[str], Path], task: Reconstruction) -> None:
    array = np.load(real("kspace_brain_8coil") / "cartesian_ksp.npy", allow_pickle=False)
    batch, placed = task.prepare({"kspace": Image(torch.from_numpy(array))}, "brain")
    assert batch.given is not None
    assert torch.isfinite(batch.given).all()
    assert placed > 0
    assert float(magnitude(batch.given).amax()) < 10, (
        "the zero-filled image has a full scale of one"
    )
