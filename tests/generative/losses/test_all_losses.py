"""What every loss promises: see ``Loss``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core import Batch, Call, InputError
from vesalius.generative import losses
from vesalius.generative.losses import Loss, all_losses

every = pytest.mark.parametrize("kind", all_losses(), ids=lambda kind: kind.__name__)
dims = pytest.mark.parametrize("dims", [2, 3], ids=["2d", "3d"])
MakeExample = Callable[[type[Loss], int], Any]


def of_cases(batch: Batch, cases: slice) -> Batch:
    """Some cases alone."""
    return Batch(
        wanted=None if batch.wanted is None else batch.wanted[cases],
        given=None if batch.given is None else batch.given[cases],
        measurement=None if batch.measurement is None else batch.measurement[cases],
        operator=batch.operator,
        extras={name: value[cases] for name, value in batch.extras.items()},
    )


def single(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.float()


@every
@dims
def test_gradients_are_those_of_finite_differences(
    kind: type[Loss], dims: int, example: MakeExample
) -> None:
    found = example(kind, dims)
    x = found.predicted.clone().requires_grad_()
    # its weights are held fixed, which finite differences cannot do: see its own test
    fixed = kind is losses.FocalFrequency
    loss = losses.FocalFrequency(alpha=0.0) if fixed else found.loss
    assert torch.autograd.gradcheck(lambda x: loss(x, found.batch), x, fast_mode=dims == 3)


@every
@dims
def test_a_scalar_in_its_range(kind: type[Loss], dims: int, example: MakeExample) -> None:
    found = example(kind, dims)
    value = found.loss(found.predicted, found.batch)
    assert value.shape == ()
    assert found.smallest < float(value) <= found.largest


@every
@dims
def test_zero_where_it_is_best_with_a_gradient_that_is_a_number(
    kind: type[Loss], dims: int, example: MakeExample
) -> None:
    found = example(kind, dims)
    if found.best is None:
        pytest.skip("promises no zero")
    best = found.best.clone().requires_grad_()
    value = found.loss(best, found.batch)
    assert float(value.detach()) == pytest.approx(0, abs=1e-12)
    value.backward()
    assert best.grad is not None
    assert bool(best.grad.isfinite().all())


@every
@dims
def test_a_mean_over_cases(kind: type[Loss], dims: int, example: MakeExample) -> None:
    found = example(kind, dims)
    if not found.by_case:
        pytest.skip("compares cases with one another")
    together = float(found.loss(found.predicted, found.batch))
    alone = [
        float(found.loss(found.predicted[case], of_cases(found.batch, case)))
        for case in (slice(0, 1), slice(1, 2))
    ]
    assert alone[0] != pytest.approx(alone[1], rel=1e-9)
    assert together == pytest.approx(sum(alone) / 2, rel=1e-9)


@every
@dims
def test_single_precision_stays_single(kind: type[Loss], dims: int, example: MakeExample) -> None:
    found = example(kind, dims)
    batch = dataclasses.replace(
        found.batch,
        wanted=single(found.batch.wanted),
        given=single(found.batch.given),
        measurement=single(found.batch.measurement),
        extras={name: value.float() for name, value in found.batch.extras.items()},
    )
    value = found.loss(found.predicted.float(), batch)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(
        float(found.loss(found.predicted, found.batch)), rel=1e-4, abs=1e-5
    )


@every
def test_what_does_not_fit_is_refused(kind: type[Loss], example: MakeExample) -> None:
    """A batch of nothing, which every loss but regularisers needs something of."""
    found = example(kind, 2)
    regularises = kind in (losses.TotalVariation, losses.Smoothness, losses.Folding)
    if regularises:
        assert float(found.loss(found.predicted, Batch(wanted=None))) > 0
        return
    with pytest.raises(InputError):
        found.loss(found.predicted, Batch(wanted=None))
    if found.batch.wanted is not None:
        wrong = dataclasses.replace(found.batch, wanted=found.batch.wanted[..., 1:])
        with pytest.raises(InputError, match="wanted images of the predicted shape"):
            found.loss(found.predicted, wrong)


@every
def test_a_recipe_can_name_it(kind: type[Loss], example: MakeExample) -> None:
    loss = example(kind, 2).loss
    call = Call(
        kind,
        **{
            item.name: value
            for item in dataclasses.fields(loss)  # type: ignore[arg-type]
            if not dataclasses.is_dataclass(value := getattr(loss, item.name))
        },
    )
    again = Call.from_json(json.loads(json.dumps(call.to_json())))
    built = again.replace(weight=3.0).build()
    assert isinstance(built, kind)
    assert built.weight == 3.0
    assert built.name == kind.__name__.lower()
    assert getattr(losses, kind.__name__) is kind


def test_all_are_listed() -> None:
    def below(kind: type[Loss]) -> set[type[Loss]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    own = {kind for kind in below(Loss) if kind.__module__.startswith(losses.__name__)}
    assert own - {Loss} == set(all_losses())
    assert len(all_losses()) == 45
