from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.physics import as_channels, as_complex, collate, magnitude, operator_norm
from vesalius.physics.mri import CartesianMRI
from vesalius.physics.operator import Identity, LinearOperator
from vesalius.testing.check_operator import check_operator

MakeMRI = Callable[[int, int, int, tuple[int, ...]], CartesianMRI]
MakeDense = Callable[[LinearOperator], torch.Tensor]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def algebra(random_mri: MakeMRI, seed: int, batch: int) -> list[LinearOperator]:
    a, b = random_mri(seed, batch, 2, (4, 5)), random_mri(seed + 1, batch, 2, (4, 5))
    identity = Identity((2, 4, 5))
    return [
        identity,
        a + b,
        0.3 * a,
        a * -2,
        a.gram,
        a.H,
        a.H @ b,
        b @ (a.gram + 0.5 * identity),
        (a + b).gram @ identity,
        (2 * a).gram,
    ]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_algebra_keeps_the_laws(random_mri: MakeMRI, seed: int, batch: int) -> None:
    for operator in algebra(random_mri, seed, batch):
        check_operator(operator, generator=generator(seed))


def test_algebra_means_what_it_says(random_mri: MakeMRI) -> None:
    a, b = random_mri(0, 2, 3, (4, 5)), random_mri(1, 2, 3, (4, 5))
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, generator=generator())
    torch.testing.assert_close((a + b)(x), a(x) + b(x))
    torch.testing.assert_close((2.5 * a)(x), 2.5 * a(x))
    torch.testing.assert_close((a.H @ b)(x), a.adjoint(b(x)))
    torch.testing.assert_close((2 * a).gram(x), 4 * a.adjoint(a(x)))
    assert a.H.H is a


def test_wrong_compositions_are_refused_at_once(random_mri: MakeMRI) -> None:
    a = random_mri(0, 2, 3, (4, 5))
    with pytest.raises(InputError, match="outer operator that takes what the inner one gives"):
        _ = a @ a
    with pytest.raises(InputError, match="summands"):
        _ = a + random_mri(0, 2, 3, (5, 4))
    with pytest.raises(InputError, match="summands"):
        _ = a + random_mri(0, 3, 3, (4, 5))


def test_wrong_inputs_are_named(random_mri: MakeMRI) -> None:
    a = random_mri(0, 2, 3, (4, 5))
    x = torch.zeros(2, 2, 4, 5)
    with pytest.raises(InputError, match="real \\(2, 2, 4, 5\\), got real \\(2, 2, 5, 4\\)"):
        a.forward(x.mT)
    with pytest.raises(InputError, match="add the batch axis"):
        a.forward(x[0])
    with pytest.raises(InputError, match=r"take\(\)"):
        a.forward(x[:1])
    with pytest.raises(InputError, match="complex"):
        a.forward(x.to(torch.complex64))
    with pytest.raises(InputError, match="adjoint"):
        a.adjoint(x)


def test_collate_refuses_a_mixture(random_mri: MakeMRI) -> None:
    a = random_mri(0, 1, 3, (4, 5))
    with pytest.raises(InputError, match="one kind"):
        collate([a, a.H])
    with pytest.raises(InputError, match="one kind"):
        collate([])
    with pytest.raises(InputError, match="one number of coils"):
        collate([a, random_mri(0, 1, 2, (4, 5))])
    with pytest.raises(InputError, match="factor"):
        collate([2 * a, 3 * a])


def test_draws_of_every_case_at_once(random_mri: MakeMRI) -> None:
    a = random_mri(0, 2, 3, (4, 5))
    x = torch.randn(3, 2, 2, 4, 5, dtype=torch.float64, generator=generator())
    together = a.take(torch.arange(2).repeat(3)).forward(x.flatten(0, 1)).unflatten(0, (3, 2))
    for draw in range(3):
        torch.testing.assert_close(together[draw], a.forward(x[draw]))


def test_a_batch_carries_an_operator(random_mri: MakeMRI) -> None:
    a = random_mri(0, 2, 3, (4, 5))
    x = torch.ones(2, 2, 4, 5)
    batch = Batch(wanted=x, measurement=a.forward(x), operator=a).to("cpu")
    assert batch.operator is not None
    torch.testing.assert_close(batch.operator.forward(x), batch.measurement)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3), st.integers(3, 5), st.integers(3, 6))
def test_norm_is_the_largest_singular_value(
    random_mri: MakeMRI, dense_matrix: MakeDense, seed: int, coils: int, height: int, width: int
) -> None:
    a = random_mri(seed, 2, coils, (height, width))
    like = torch.zeros(2, 2, height, width, dtype=torch.float64)
    found = operator_norm(a, like, iterations=300)
    for case in range(2):
        dense = dense_matrix(a.take([case]))
        wanted = torch.linalg.matrix_norm(dense, 2)
        assert found[case] == pytest.approx(float(wanted), rel=1e-2)
    rough = operator_norm(a, like, iterations=5)
    assert bool((rough <= found * (1 + 1e-9)).all())


def test_norm_does_not_depend_on_the_batch(random_mri: MakeMRI) -> None:
    a = random_mri(5, 3, 2, (4, 6))
    like = torch.zeros(3, 2, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(
        operator_norm(a, like)[1:2], operator_norm(a.take([1]), like[:1]), rtol=1e-12, atol=0
    )


def test_norm_of_nothing_is_zero(random_mri: MakeMRI) -> None:
    a = random_mri(0, 1, 2, (4, 6))
    blind = CartesianMRI(torch.zeros_like(a.mask), a.coil_maps)
    assert float(operator_norm(blind, torch.zeros(1, 2, 4, 6))) == 0


def test_complex_images_and_channels() -> None:
    x = torch.arange(24.0).reshape(2, 2, 2, 3)
    z = as_complex(x)
    assert z.shape == (2, 1, 2, 3)
    assert z[1, 0, 0, 2] == complex(14, 20)
    assert torch.equal(as_channels(z), x)
    torch.testing.assert_close(magnitude(x), (x[:, :1] ** 2 + x[:, 1:] ** 2).sqrt())
    assert as_complex(x.half()).dtype == torch.complex64
    with pytest.raises(InputError, match="real and imaginary"):
        as_complex(x[:, :1])
    with pytest.raises(InputError, match="complex"):
        as_channels(x)
