"""Levels are told apart, wherever on the line they lie."""

from __future__ import annotations

import math

import torch

from vesalius.networks.level_embedding import LevelEmbedding


def test_frequencies_by_hand() -> None:
    cycles = LevelEmbedding(8).frequencies / (2 * math.pi)
    assert cycles[0].item() == 2.0**-10
    assert cycles[-1].item() == 16.0
    steps = cycles[1:] / cycles[:-1]
    assert torch.allclose(steps, steps[0].expand(31))


def test_levels_are_told_apart() -> None:
    """Features before the linear layers differ for times, log noise levels and step numbers."""
    embed = LevelEmbedding(8)
    embed.layers = torch.nn.Sequential()
    for levels in (
        torch.linspace(0, 1, 200),
        torch.linspace(-6, 5, 300),
        torch.arange(0.0, 500.0),
    ):
        distance = torch.cdist(embed(levels), embed(levels)) + 10 * torch.eye(len(levels))
        assert distance.min() > 0.2


def test_takes_any_type_of_number() -> None:
    embed = LevelEmbedding(8)
    assert embed(torch.tensor([3.0, 4.0], dtype=torch.float64)).dtype == torch.float32
    assert torch.equal(embed(torch.tensor([3])), embed(torch.tensor([3.0])))
