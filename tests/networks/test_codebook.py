"""The codebook against van den Oord's appendix, computed by hand and by brute force."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import Codebook


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of(vectors: Tensor, **options: float) -> Codebook:
    """A codebook of given vectors that has started already."""
    codebook = Codebook(width=vectors.shape[1], codes=vectors.shape[0], **options)  # type: ignore[arg-type]
    codebook.vectors.copy_(vectors)
    codebook.sums.copy_(vectors)
    codebook.started.fill_(1)
    return codebook


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=0, max_size=3), st.integers(1, 5), st.integers(1, 9))
def test_nearest_against_brute_force(grid: list[int], width: int, codes: int) -> None:
    codebook = of(noise(codes, width))
    z = noise(2, width, *grid, seed=1)
    quantised, tokens = codebook(z)
    assert tokens.shape == (2, *grid)
    assert tokens.dtype == torch.int64
    rows = z.movedim(1, -1).reshape(-1, width)
    for row, token in zip(rows, tokens.flatten().tolist(), strict=True):
        distances = [(row - vector).square().sum().item() for vector in codebook.vectors]
        assert distances[token] <= min(distances) + 1e-5
    assert torch.allclose(quantised, codebook.look_up(tokens), atol=1e-6)
    picked = codebook.vectors[tokens.flatten()].reshape(2, *grid, width).movedim(-1, 1)
    assert torch.equal(codebook.look_up(tokens), picked)


def test_the_gradient_goes_straight_through() -> None:
    codebook = of(noise(5, 3))
    z = noise(2, 3, 4, 4, seed=1).requires_grad_()
    quantised, _ = codebook(z)
    weight = noise(2, 3, 4, 4, seed=2)
    torch.autograd.backward((quantised * weight).sum())
    assert z.grad is not None
    assert torch.equal(z.grad, weight)
    assert not list(codebook.parameters())


def test_moving_averages_by_hand() -> None:
    """Three updates in plain numbers; the third code is never used and not revived."""
    decay, smoothing = 0.9, 0.01
    codebook = of(torch.tensor([[0.0], [10.0], [99.0]]), decay=decay, smoothing=smoothing)
    codebook.revive_below = 0.0
    counts, sums = [1.0, 1.0, 1.0], [0.0, 10.0, 99.0]
    for step in range(3):
        values = [-1.0 + step, 0.5, 9.0, 11.0 + step, 12.0]
        z = torch.tensor(values).reshape(1, 1, 5)
        _, tokens = codebook(z)
        assert tokens.tolist() == [[0, 0, 1, 1, 1]]
        codebook.update(z, tokens, stream())
        now = [(2, sum(values[:2])), (3, sum(values[2:])), (0, 0.0)]
        counts = [decay * n + (1 - decay) * new for n, (new, _) in zip(counts, now, strict=True)]
        sums = [decay * m + (1 - decay) * new for m, (_, new) in zip(sums, now, strict=True)]
        total = sum(counts)
        shares = [(n + smoothing) / (total + 3 * smoothing) * total for n in counts]
        wanted = [m / n for m, n in zip(sums, shares, strict=True)]
        assert codebook.vectors.flatten().tolist() == pytest.approx(wanted, rel=1e-5)
        assert codebook.counts.tolist() == pytest.approx(counts, rel=1e-6)


def test_the_dead_start_again_as_features_of_the_batch_and_the_living_do_not() -> None:
    codebook = of(torch.tensor([[0.0, 0.0], [50.0, 50.0], [-50.0, 50.0]]), decay=0.5)
    codebook.revive_below = 0.2
    z = 0.1 * noise(4, 2, 3, 3)
    codebook.update(z, torch.zeros(4, 3, 3, dtype=torch.int64), stream(5))
    # counts (1 + 36) / 2, 1/2, 1/2; mean 6.5: both unused codes are below 1.3
    rows = z.movedim(1, -1).reshape(-1, 2)
    places = [(rows == vector).all(1).nonzero().flatten().tolist() for vector in codebook.vectors]
    assert places[0] == []
    assert len(places[1]) == len(places[2]) == 1
    assert places[1] != places[2]
    assert codebook.counts.tolist() == pytest.approx([18.5, 6.5, 6.5])
    assert torch.allclose(codebook.sums[1:], 6.5 * codebook.vectors[1:])
    again = of(torch.tensor([[0.0, 0.0], [50.0, 50.0], [-50.0, 50.0]]), decay=0.5)
    again.revive_below = 0.2
    again.update(z, torch.zeros(4, 3, 3, dtype=torch.int64), stream(5))
    assert torch.equal(again.vectors, codebook.vectors)
    again.update(z, torch.arange(36).reshape(4, 3, 3) % 3, stream(6))
    assert not any((rows == vector).all(1).any() for vector in again.vectors)


def test_more_dead_than_features_is_no_error() -> None:
    codebook = of(100 + noise(6, 1), decay=0.0, revive_below=0.5)
    codebook.update(torch.tensor([[[1.0, 2.0]]]), torch.zeros(1, 2, dtype=torch.int64), stream())
    assert set(codebook.vectors[1:].flatten().tolist()) == {1.0, 2.0}


def test_it_starts_as_features_of_the_first_batch_in_train_mode_only() -> None:
    codebook = Codebook(width=2, codes=4)
    z = 30 + noise(3, 2, 5, 5)
    before = codebook.vectors.clone()
    codebook.eval()(z)
    assert torch.equal(codebook.vectors, before)
    codebook.train()(z)
    rows = z.movedim(1, -1).reshape(-1, 2)
    assert all((rows == vector).all(1).any() for vector in codebook.vectors)
    assert len(codebook.vectors.unique(dim=0)) == 4
    started = codebook.vectors.clone()
    codebook(z + 5)
    assert torch.equal(codebook.vectors, started)


def test_without_memory_it_is_lloyds_algorithm() -> None:
    """With the whole data as every batch and no decay: k-means, written out."""
    z = noise(1, 2, 200)
    codebook = Codebook(width=2, codes=7, decay=0.0, smoothing=1e-9, revive_below=0.0)
    codebook(z)
    start = codebook.vectors.clone()
    centres = start.clone()
    for _ in range(15):
        nearest = torch.cdist(z[0].T, centres).argmin(1)
        centres = torch.stack([z[0].T[nearest == code].mean(0) for code in range(7)])
        _, tokens = codebook(z)
        codebook.update(z, tokens, stream())
    assert torch.allclose(codebook.vectors, centres, atol=1e-4)
    assert (codebook.vectors - start).abs().max() > 0.1


def test_it_follows_clusters_that_move() -> None:
    codebook = Codebook(width=3, codes=24, decay=0.8)
    member = torch.arange(64) % 8
    for step in range(60):
        centres = 10 * noise(8, 3, seed=4) + 0.1 * step
        rng = stream(step)
        z = (centres[member] + 0.1 * torch.randn(64, 3, generator=rng)).T[None]
        _, tokens = codebook(z)
        codebook.update(z, tokens, rng)
    # the average lags decay / (1 - decay) = 4 steps of 0.1 behind along each axis: 0.7
    assert torch.cdist(centres, codebook.vectors).amin(1).max().item() < 1.0
    assert codebook.perplexity(tokens).item() >= 8


def test_perplexity_by_hand() -> None:
    codebook = Codebook(width=1, codes=9)
    assert codebook.perplexity(torch.full((2, 3, 3), 5)).item() == pytest.approx(1)
    assert codebook.perplexity(torch.arange(9)).item() == pytest.approx(9)
    # half and two quarters: 1.5 bits
    assert codebook.perplexity(torch.tensor([0, 0, 4, 8])).item() == pytest.approx(2**1.5)


def test_state_goes_through_safetensors() -> None:
    codebook = Codebook(width=2, codes=3)
    z = noise(2, 2, 4, 4)
    _, tokens = codebook(z)
    codebook.update(z, tokens, stream())
    other = Codebook(width=2, codes=3)
    other.load_state_dict(load(save(codebook.state_dict())))
    assert all(value.is_floating_point() for value in codebook.state_dict().values())
    assert torch.equal(other(z)[0], codebook(z)[0])


def test_half_precision_around_it_does_not_confuse_codes() -> None:
    codebook = of(torch.tensor([[100.0], [100.1]]))
    z = torch.tensor([[[100.0, 100.1, 100.02, 100.09]]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, tokens = codebook(z)
    assert tokens.tolist() == [[0, 1, 0, 1]]


@pytest.mark.slow
def test_two_processes_learn_what_one_would(tmp_path: Path) -> None:
    """Each sees half of every batch; rank 0 alone holds what starts and what revives."""
    code = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from torch import distributed
from vesalius.networks import Codebook
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
distributed.init_process_group("gloo", f"file://{folder / 'store'}", rank=rank, world_size=2)
torch.manual_seed(rank)
codebook = Codebook(width=2, codes=4, decay=0.5, revive_below=0.4)
for step in range(5):
    z = torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(step))
    half = z[2 * rank : 2 * rank + 2]
    _, tokens = codebook(half)
    codebook.update(half, tokens, torch.Generator().manual_seed(7 + rank))
save_file(codebook.state_dict(), folder / f"{rank}.safetensors")
distributed.destroy_process_group()
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(rank), str(tmp_path)])
        for rank in range(2)
    ]
    assert [process.wait(timeout=200) for process in running] == [0, 0]
    first, second = (load((tmp_path / f"{rank}.safetensors").read_bytes()) for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    # and the sums are over both halves: 36 features a step
    wanted = 4.0
    for _ in range(5):
        wanted = wanted / 2 + 36 / 2
    assert first["counts"].sum().item() >= wanted - 1e-3


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(InputError, match=r"Codebook: expected features \(batch, 3, \*grid\)"):
        Codebook(width=3)(noise(2, 4, 5))
    with pytest.raises(InputError, match="at least one code"):
        Codebook(width=3, codes=0)
    with pytest.raises(InputError, match="decay"):
        Codebook(width=3, decay=1.0)


def test_it_is_no_burden_to_an_optimiser_and_moves_with_its_network() -> None:
    network = nn.Sequential(nn.Linear(2, 2), Codebook(width=2, codes=3))
    assert len(list(network.parameters())) == 2
    assert {name for name, _ in network.named_buffers()} == {
        "1.vectors",
        "1.counts",
        "1.sums",
        "1.started",
    }
