from __future__ import annotations

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
from vesalius.data.sources import MedMNIST, OpenKBP, SynthRADSlices
from vesalius.physics.ct.low_dose import LowDoseCT
from vesalius.physics.downsampling import Downsampled, LowResolution
from vesalius.physics.gaussian_noise import GaussianNoise
from vesalius.physics.hole import Hole
from vesalius.tasks.classical_restoration import noise_level
from vesalius.tasks.restoration import Restoration
from vesalius.tasks.task import collate

SOURCE = Call(DigitalPatients, n=8, size=(32, 32))


def digital(**changes: Any) -> Restoration:
    task: Restoration = tasks.get("ct-low-dose", SOURCE).replace(matrix=(32, 32), **changes).build()
    return task


@pytest.fixture(scope="module")
def noisy() -> Restoration:
    return digital(degradation=Call(GaussianNoise, std=30.0))


@pytest.fixture(scope="module")
def holed() -> Restoration:
    return digital(degradation=Call(Hole), judged_over=None)


def test_given_is_the_image_under_the_degradation_of_the_record(noisy: Restoration) -> None:
    noisy.check()
    case = noisy.split["test"][0]
    batch = noisy.test_case(case)
    assert batch.wanted is not None
    assert batch.given is not None
    assert batch.mask is not None
    assert json.loads(json.dumps(batch.records)) == list(batch.records)
    physical = noisy.scale.to_physical(batch.wanted[0])
    again, _ = noisy.degradation.apply(physical, dict(batch.records[0]))
    assert torch.allclose(noisy.scale.to_model(again), batch.given[0])
    difference = noisy.scale.to_physical(batch.given) - noisy.scale.to_physical(batch.wanted)
    assert float(difference.std()) == pytest.approx(30, rel=0.1)
    assert torch.equal(noisy.test_case(case).given, batch.given), "judged alike whenever asked"
    other = noisy.load(case, np.random.default_rng(1))
    assert not torch.allclose(other.given, batch.given)
    assert torch.equal(other.wanted, batch.wanted)


def test_today_s_methods_are_tuned_and_ranked_by_training_cases(noisy: Restoration) -> None:
    batches = [noisy.test_case(case) for case in noisy.split["train"]]
    both = collate(batches)
    found = noisy.baselines(both)
    assert list(found)[-1] == "degraded"
    assert torch.equal(found["degraded"], both.given[:, :1])
    truth = noisy.judged(both.wanted)
    errors = {
        name: float((noisy.judged(image) - truth)[both.mask].square().mean())
        for name, image in found.items()
    }
    names = ["non-local means", "total variation", "Gaussian smoothing"]
    assert set(errors) == {*names, "degraded"}
    assert min(errors, key=lambda name: errors[name]) == next(iter(found))
    assert errors[next(iter(found))] < 0.6 * errors["degraded"]


def test_neighbours_come_after_the_image_with_noise_of_their_own() -> None:
    task = digital(degradation=Call(GaussianNoise, std=30.0), neighbours=1)
    batch = task.test_case(task.split["test"][0])
    assert task.shape.given == 3
    assert batch.given is not None
    assert batch.given.shape == (1, 3, 32, 32)
    # these slices are their own neighbours, so that noise alone differs
    noise = task.scale.to_physical(batch.given[0]) - task.scale.to_physical(batch.wanted[0])
    assert torch.corrcoef(noise.flatten(1)).fill_diagonal_(0).abs().max() < 0.15
    assert len(batch.records[0]["beside"]) == 2
    assert task.given_images() == ("ct", "ct_below_1", "ct_above_1")


def test_the_dose_knows_the_pixel_size() -> None:
    task = digital()
    assert isinstance(task.degradation, LowDoseCT)
    case = task.split["test"][0]
    spacing = task.source.read(case)["ct"].spacing_mm[0]
    assert task.test_case(case).records[0]["pixel_mm"] == pytest.approx(spacing)


def test_low_resolution_is_its_own_measurement_and_zero_filling() -> None:
    task = digital(degradation=Call(Downsampled, factor=4))
    batch = task.test_case(task.split["test"][0])
    assert isinstance(batch.operator, LowResolution)
    assert batch.wanted is not None
    assert torch.allclose(batch.operator.forward(batch.wanted), batch.measurement, atol=1e-5)
    assert torch.allclose(batch.measurement, batch.given, atol=1e-5)
    found = task.baselines(batch)
    assert torch.allclose(found["zero filling"], batch.given)
    assert set(found) == {"zero filling", "cubic interpolation", "linear interpolation"}


def test_interpolation_goes_through_the_coarse_samples() -> None:
    task = digital(degradation=Call(Downsampled, factor=4))
    batch = task.test_case(task.split["test"][0])
    assert batch.given is not None
    for name in ("cubic interpolation", "linear interpolation"):
        image = task.baselines(batch)[name]
        assert torch.allclose(image[..., ::4, ::4], batch.given[..., ::4, ::4], atol=1e-5), name


def test_what_is_missing_is_mapped_measured_and_judged(holed: Restoration) -> None:
    batch = holed.test_case(holed.split["test"][0])
    assert batch.given is not None
    assert batch.wanted is not None
    assert batch.mask is not None
    missing = batch.given[:, 1:] > 0
    assert torch.equal(missing, batch.mask)
    assert bool(missing.any())
    assert torch.equal(batch.given[:, :1][~missing], batch.wanted[~missing])
    assert holed.scale.to_physical(batch.given[:, :1])[missing].abs().max() < 0.01
    assert torch.equal(batch.measurement, batch.operator.forward(batch.wanted))
    for name, image in holed.baselines(batch).items():
        if name != "degraded":
            assert torch.allclose(image[~missing], batch.wanted[~missing], atol=1e-5), name
    assert "inside the holes" in holed.judgement.protocol


def test_new_images_go_in_as_they_are_and_come_back_on_their_grid(noisy: Restoration) -> None:
    images = dict(noisy.source.read(noisy.split["test"][0]))
    new = {name: images[name] for name in ("ct", "mask")}
    batch, placed = noisy.prepare(new, "new")
    assert batch.wanted is None
    assert torch.allclose(
        noisy.scale.to_physical(batch.given)[0], images["ct"].data.clamp(-1024, 1024), atol=0.01
    )
    restored = noisy.restore(batch.given[0], new, placed)
    assert restored.unit == "HU"
    assert np.array_equal(restored.affine, images["ct"].affine)
    assert torch.allclose(restored.data, images["ct"].data.clamp(-1024, 1024), atol=0.01)


def test_a_new_hole_is_filled_whatever_the_file_has_in_it(holed: Restoration) -> None:
    images = dict(holed.source.read(holed.split["test"][0]))
    marked = torch.zeros_like(images["mask"].data)
    marked[:, 10:20, 12:18] = 1
    new = {"ct": images["ct"], "mask": images["mask"]}
    new["missing"] = images["mask"].with_data(marked)
    batch, _ = holed.prepare(new, "new")
    assert holed.given_images() == ("ct", "missing")
    assert torch.equal(batch.given[0, 1], marked[0].float())
    assert holed.scale.to_physical(batch.given[0, :1])[marked > 0].abs().max() < 0.01
    broken = {**new, "ct": images["ct"].with_data(images["ct"].data * float("nan"))}
    with pytest.raises(InputError, match="new: expected finite"):
        holed.prepare(broken, "new")


def test_outside_of_the_frame_the_given_image_stays(
    written: Callable[..., Source], about: dict[str, Any]
) -> None:
    def image(seed: int) -> dict[str, Image]:
        data = torch.rand(1, 20, 20, generator=torch.Generator().manual_seed(seed)) * 255
        return {"image": Image(data, modality="DX", stored="uint8")}

    task = Restoration(source=written(image(0), image(1)), matrix=(8, 8), averaging=1, **about)
    batch, placed = task.prepare(image(2), "new")
    restored = task.restore(torch.zeros_like(batch.given[0]), image(2), placed)
    same = restored.data == image(2)["image"].data
    assert int((~same).sum()) == 64
    assert torch.allclose(restored.data[~same], torch.tensor(127.5))


@pytest.mark.parametrize("shape", [(200, 200), (40, 40, 40)])
def test_the_noise_level_is_seen_in_the_image(shape: tuple[int, ...]) -> None:
    smooth = np.add.outer(*(np.linspace(0, 50, n) for n in shape[:2]))
    smooth = smooth[..., None] + np.zeros(shape[2]) if len(shape) == 3 else smooth
    noise = np.random.default_rng(0).standard_normal(shape)
    assert noise_level(smooth + 3 * noise) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize(
    ("name", "kind", "folder", "better"),
    [
        ("ct-low-dose", OpenKBP, "openkbp", 1.0),
        ("mr-super-resolution-4x", SynthRADSlices, "synthrad_slices", 0.0),
        ("xray-denoising", MedMNIST, "pneumoniamnist", 4.0),
        ("xray-inpainting", MedMNIST, "pneumoniamnist", 8.0),
    ],
)
def test_real_images(
    real: Callable[[str], Path], name: str, kind: Any, folder: str, better: float
) -> None:
    task = tasks.get(name, Call(kind, path=str(real(folder)))).build()
    psnr = next(metric for metric in task.judgement.metrics if metric.name == "psnr")
    gains = []
    for case in task.split["test"][:8]:
        batch = task.test_case(case)
        truth = task.judged(batch.wanted)
        found = task.baselines(batch)
        first, given = (task.judged(x) for x in (next(iter(found.values())), batch.given[:, :1]))
        values = [float(psnr.statistic(x, truth, batch.mask)[0]) for x in (first, given)]
        gains.append(values[0] - values[1])
    assert np.mean(gains) >= better, "today's best method repairs something"
