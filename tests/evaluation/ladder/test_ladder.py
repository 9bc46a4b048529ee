"""The ladder notices what was planted, and an uncorrupted set about as often as it says."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.ladder import (
    Cohort,
    Judge,
    Ladder,
    Measure,
    Rung,
    corruption_ladder,
    in_short,
    standard_judges,
)
from vesalius.evaluation.ladder.corruptions import (
    Blur,
    CopiedTraining,
    Mirrored,
    ModeCollapse,
    Noise,
    Nothing,
)
from vesalius.evaluation.ladder.judge import column_mean, paired
from vesalius.evaluation.ladder.ladder import JudgeLine
from vesalius.evaluation.ladder.notice import RealSets
from vesalius.metrics.pixel import MAE, PSNR


class Corners(Measure):
    """Four voxels of each image."""

    def rows(self, cohort: Cohort) -> Tensor:
        return cohort.images.double().flatten(1)[:, :4]


def corner_judges() -> tuple[Judge, ...]:
    measure = Corners()
    return tuple(
        Judge(f"corner {k}", "pixel", "zero", "1", measure, column_mean(k)) for k in range(4)
    )


def noise_images(n: int, seed: int, size: int = 2) -> Tensor:
    return torch.randn(n, 1, size, size, generator=torch.Generator().manual_seed(seed))


def texture(n: int, seed: int, size: int = 32) -> Tensor:
    """Smooth random images, brighter on the left, about 0 to 2."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 1, 6, 6, generator=generator)
    fine = 0.02 * torch.randn(n, 1, size, size, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")
    return smooth + torch.linspace(1, 0, size) + fine


def real_sets(values: list[list[float]], least: float = 0.0, share: float = 0.0) -> RealSets:
    array = np.array(values, dtype=float)
    return RealSets(array, np.full(array.shape[1], least), share)


def test_strength_is_one_at_the_edge_of_the_interval() -> None:
    rng = numpy_stream(0)
    drawn = rng.normal(5.0, 2.0, (4000, 1))
    real = RealSets(drawn, np.zeros(1), 0.0)
    low, high = real.bounds()
    assert float(low[0]) == pytest.approx(5 - 1.96 * 2, abs=0.25)
    assert float(high[0]) == pytest.approx(5 + 1.96 * 2, abs=0.25)
    assert real.strength(np.array([low[0]]))[0] == pytest.approx(-1.0)
    assert real.strength(np.array([2 * high[0] - real.centre[0]]))[0] == pytest.approx(2.0)
    assert real.threshold() == pytest.approx(1.0, abs=0.05)


def test_the_threshold_grows_with_the_number_of_judges() -> None:
    drawn = numpy_stream(1).normal(0, 1, (4000, 40))
    real = RealSets(drawn, np.zeros(40), 0.0)
    # of 40 independent normal judges one is beyond 3.23 deviations in one set of twenty
    assert real.threshold() == pytest.approx(3.23 / 1.96, rel=0.06)
    same = RealSets(np.repeat(drawn[:, :1], 40, axis=1), np.zeros(40), 0.0)
    assert same.threshold() == pytest.approx(1.0, abs=0.05)


def test_sets_of_a_small_pool_have_wider_intervals() -> None:
    values = numpy_stream(2).normal(0, 1, (500, 3))
    narrow = RealSets(values, np.zeros(3), 0.0)
    wide = RealSets(values, np.zeros(3), 0.5)
    ratio = (wide.bounds()[1] - wide.centre) / (narrow.bounds()[1] - narrow.centre)
    assert ratio == pytest.approx(math.sqrt(3))
    # a set of the pool is judged as before, but not one further off than that
    assert wide.threshold() == pytest.approx(narrow.threshold())


def test_where_all_real_sets_score_alike_any_other_value_is_noticed() -> None:
    real = real_sets([[3.0, math.inf, math.nan]] * 20)
    found = real.strength(np.array([[3.0, math.inf, 1.0], [3.1, 40.0, 1.0], [2.9, math.nan, 1.0]]))
    assert found[0, :2].tolist() == [0.0, 0.0]
    assert found[1, :2].tolist() == [math.inf, -math.inf]
    assert found[2, 0] == -math.inf
    assert math.isnan(found[2, 1])
    assert np.isnan(found[:, 2]).all()
    assert real.threshold() == 1.0
    # the last digit is no difference
    assert real.strength(np.array([3.0 + 1e-12, math.inf, 0.0]))[0] == 0.0


def test_one_event_is_never_enough_where_events_are_counted() -> None:
    real = real_sets([[0.0]] * 50, least=1 / 40)
    assert real.strength(np.array([1 / 40]))[0] == pytest.approx(1.0)
    assert real.threshold() == 1.0
    assert real.strength(np.array([2 / 40]))[0] == pytest.approx(2.0)


def test_uncorrupted_sets_are_noticed_about_as_often_as_is_said() -> None:
    sets = 300
    ladder = corruption_ladder(
        Cohort(noise_images(600, 0)),
        corner_judges(),
        [Nothing()],
        patients_a_set=20,
        real_sets=800,
        corrupted_sets=sets,
        control=Cohort(noise_images(20 * sets, 1)),
    )
    # five in a hundred, give or take three standard errors and the chance of this pool
    noticed = ladder.rung("nothing", 0.0).any_noticed["any"]
    assert noticed < 0.05 + 3 * math.sqrt(0.05 * 0.95 / sets)
    control = ladder.control
    assert control is not None
    assert control.sets == sets
    assert 0.02 < control.sets_noticed / sets < 0.10
    assert control.answers == 4 * sets
    assert 0.025 < control.outside / control.answers < 0.085
    assert control.noticed < control.outside


def test_patients_are_drawn_and_not_images() -> None:
    # ten images a patient, all alike: a set of patients scatters as much as one image of each
    alone = noise_images(200, 3)
    many = alone.repeat_interleave(10, 0)
    owners = tuple(f"p{k // 10}" for k in range(len(many)))
    options = {"patients_a_set": 20, "real_sets": 300, "corrupted_sets": 1}
    first, second = (
        corruption_ladder(cohort, corner_judges(), [Nothing()], **options)  # type: ignore[arg-type]
        for cohort in (Cohort(alone), Cohort(many, owners))
    )
    for one, other in zip(first.judges, second.judges, strict=True):
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def paired_ladder(noise: tuple[float, ...]) -> Ladder:
    head = texture(60, 5)
    cohort = Cohort(
        head + 0.01 * noise_images(60, 6, 32), reference=head + 0.01 * noise_images(60, 7, 32)
    )
    return corruption_ladder(
        cohort,
        [paired(MAE("a.u.")), paired(PSNR(2.0, data_unit="a.u."))],
        [Nothing(), Noise(2.0, noise), Blur()],
        patients_a_set=12,
        real_sets=200,
    )


def test_strong_noise_is_noticed_by_pixels_and_slight_noise_is_not() -> None:
    ladder = paired_ladder((1e-6, 0.002, 0.1))
    for judge, sign in ((0, 1), (1, -1)):
        assert ladder.rung("noise", 1e-6).noticed[judge] == 0.0
        assert ladder.rung("noise", 0.1).noticed[judge] == 1.0
        assert sign * ladder.rung("noise", 0.1).strengths[judge] > 10
        assert ladder.smallest_noticed("noise", judge) in (0.002, 0.1)
        assert ladder.smallest_noticed("nothing", judge) is None
    assert ladder.level_notices("noise", "pixel") == ladder.smallest_noticed("noise", 0)
    assert ladder.level_notices("noise", "clinical") is None


def test_without_a_second_scan_any_change_is_noticed_by_pixels() -> None:
    head = texture(30, 8)
    ladder = corruption_ladder(
        Cohort(head, reference=head),
        [paired(MAE("a.u.")), paired(PSNR(2.0, data_unit="a.u."))],
        [Nothing(), Noise(2.0, (1e-4,))],
        patients_a_set=10,
        real_sets=20,
        corrupted_sets=1,
    )
    assert ladder.rung("noise", 1e-4).strengths == (math.inf, -math.inf)
    assert ladder.rung("nothing", 0.0).strengths == (0.0, 0.0)


def test_the_standard_judges_and_the_faults_that_only_sets_show() -> None:
    limits = (-0.5, 2.5)
    training, real = Cohort(texture(40, 10)), Cohort(texture(40, 11))
    judges = standard_judges(training, real, limits)
    assert {judge.level for judge in judges} == {"pixel", "feature", "clinical"}
    ladder = corruption_ladder(
        Cohort(texture(40, 12)),
        judges,
        [
            Nothing(),
            Blur((1.5,)),
            ModeCollapse(0.001, (0.5,)),
            CopiedTraining(training.images, severities=(0.5,)),
            Mirrored((1.0,)),
        ],
        patients_a_set=20,
        real_sets=30,
        corrupted_sets=1,
    )
    # no references, so nothing paired is left
    assert {judge.level for judge in ladder.judges} == {"feature"}
    shares = [judge for judge in ladder.judges if "share" in judge.name or "recall" in judge.name]
    assert all(0 <= judge.low <= judge.median <= judge.high <= 1 for judge in shares)
    names = [judge.name for judge in ladder.judges]
    at = {name: names.index(name) for name in names}
    blurred = ladder.rung("blur", 1.5).strengths
    assert blurred[at["energy[radiomics]"]] > 5
    copied = ladder.rung("copied training images", 0.5).strengths
    assert copied[at["copied_share[pixels]"]] > 3
    assert copied[at["duplicate_share[pixels]"]] < 1
    collapsed = ladder.rung("mode collapse", 0.5).strengths
    assert collapsed[at["duplicate_share[pixels]"]] > 3
    assert collapsed[at["copied_share[pixels]"]] < 1
    assert collapsed[at["vendi[radiomics]"]] < -2


def test_what_cannot_be_judged_is_said() -> None:
    cohort = Cohort(noise_images(10, 0))
    with pytest.raises(InputError, match="a judge that has what it needs, got 1 without"):
        corruption_ladder(cohort, [paired(MAE("1"))], [Nothing()], patients_a_set=2)
    with pytest.raises(InputError, match="1 to 5 patients a set, got 6"):
        corruption_ladder(cohort, corner_judges(), [Nothing()], patients_a_set=6)
    with pytest.raises(InputError, match="one set or more"):
        corruption_ladder(cohort, corner_judges(), [Nothing()], patients_a_set=2, real_sets=0)
    with pytest.raises(InputError, match="at least 5 patients, got 4"):
        corruption_ladder(
            cohort, corner_judges(), [Nothing()], patients_a_set=5, real_sets=5,
            control=Cohort(noise_images(4, 1)),
        )  # fmt: skip


def a_ladder(noticed: list[float]) -> Ladder:
    judge = JudgeLine("mae", "pixel", "down", "1", "a reader", 0.0, -1.0, math.inf)
    rungs = tuple(
        Rung("noise", severity, (1.0,), (math.nan,), (share,), {"pixel": share, "any": share})
        for severity, share in zip((0.1, 0.2, 0.3), noticed, strict=True)
    )
    described = {
        "name": "noise", "what": "w", "severity_unit": "u", "severities": [0.1, 0.2, 0.3]
    }  # fmt: skip
    return Ladder((judge,), rungs, (described,), 1.5, 10, 100, 3)


@pytest.mark.parametrize(
    ("noticed", "least"),
    [([0, 0, 0], None), ([0, 1, 1], 0.2), ([1, 0, 1], 0.3), ([1, 1, 0], None), ([1, 1, 0.5], None)],
)
def test_a_severity_counts_only_if_all_greater_ones_are_noticed(
    noticed: list[float], least: float | None
) -> None:
    ladder = a_ladder(noticed)
    assert ladder.smallest_noticed("noise", 0) == least
    (line,) = in_short(ladder)
    assert line.severity == least
    assert line.judge == ("" if least is None else "mae, a reader")


def test_a_ladder_goes_to_json_and_back() -> None:
    ladder = a_ladder([0, 1, 1])
    text = json.dumps(ladder.to_json(), allow_nan=False)
    again = Ladder.from_json(json.loads(text))
    assert again.judges == ladder.judges
    assert again.rungs[0].noticed == (0.0,)
    assert math.isnan(again.rungs[0].strengths[0])
    assert again.to_json() == ladder.to_json()
    with pytest.raises(InputError, match="fields of a ladder"):
        Ladder.from_json({})
    with pytest.raises(InputError, match="a rung of the ladder, got noise 7"):
        ladder.rung("noise", 7)
