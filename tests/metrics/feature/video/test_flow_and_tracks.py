"""Displacements and tracks of shapes whose motion is known, and against scikit-image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vesalius.core import InputError
from vesalius.metrics.feature.video import Flow, LucasKanade, ScriptedFlow, TotalVariationFlow
from vesalius.metrics.feature.video.flow import sampled, warped
from vesalius.metrics.feature.video.tracks import grid_points, tracked


def moving_disc(
    frames: int,
    velocity: tuple[float, float],
    *,
    size: int = 64,
    centre: tuple[float, float] = (32.0, 28.0),
    radius: float = 9.0,
) -> Tensor:
    """``(time, size, size)``: a soft disc that moves by ``velocity`` pixels a frame, over noise."""
    rows, columns = torch.meshgrid(*[torch.arange(size, dtype=torch.float64)] * 2, indexing="ij")
    found = []
    for time in range(frames):
        distance = (
            (rows - centre[0] - velocity[0] * time) ** 2
            + (columns - centre[1] - velocity[1] * time) ** 2
        ).sqrt()
        found.append(100 * torch.sigmoid(radius - distance) - 20)
    return torch.stack(found)


@pytest.mark.parametrize("velocity", [(0.0, 0.4), (1.5, -1.0), (-3.0, 5.0)])
def test_a_translating_disc_moves_as_it_moves(velocity: tuple[float, float]) -> None:
    frames = moving_disc(3, velocity)
    inside = frames[:-1] > 30
    found = LucasKanade().of_sequence(frames)
    assert found.shape == (2, 2, 64, 64)
    for axis, wanted in enumerate(velocity):
        assert float(found[:, axis][inside].mean()) == pytest.approx(wanted, abs=0.02)


def test_a_translating_ball_in_three_dimensions() -> None:
    axes = torch.meshgrid(*[torch.arange(28, dtype=torch.float64)] * 3, indexing="ij")
    velocity = (1.0, -0.5, 2.0)

    def ball(time: int) -> Tensor:
        distance = sum(
            (x - 14 - v * time) ** 2 for x, v in zip(axes, velocity, strict=True)
        ) ** 0.5  # fmt: skip
        return torch.sigmoid(6 - distance)

    frames = torch.stack([ball(0), ball(1)])
    found = LucasKanade(radius=4).of_sequence(frames)[0]
    inside = frames[0] > 0.5
    assert [float(u[inside].mean()) for u in found] == pytest.approx(velocity, abs=0.05)


def test_still_frames_and_flat_ones_do_not_move() -> None:
    frames = moving_disc(1, (0, 0)).expand(3, 64, 64)
    for flow in (LucasKanade(), TotalVariationFlow()):
        assert torch.equal(flow.of_sequence(frames), torch.zeros(2, 2, 64, 64).to(frames))
    flat = torch.full((2, 20, 24), 7.0)
    assert torch.equal(LucasKanade().of_sequence(flat), torch.zeros(1, 2, 20, 24))


def test_the_unit_of_intensities_and_the_batch_do_not_matter() -> None:
    frames = moving_disc(4, (1.0, 2.0))
    plain = LucasKanade().of_sequence(frames)
    other = LucasKanade().of_sequence(frames * 1e4 - 3e5)
    torch.testing.assert_close(other, plain, rtol=0, atol=2e-3)
    torch.testing.assert_close(LucasKanade().of_sequence(frames[1:3])[0], plain[1])
    turned = LucasKanade().of_sequence(frames.mT)
    torch.testing.assert_close(turned, plain.flip(1).mT, rtol=0, atol=1e-3)


def test_against_scikit_image() -> None:
    from skimage.registration import optical_flow_ilk

    frames = moving_disc(2, (2.0, -1.5))
    theirs = torch.from_numpy(np.stack(optical_flow_ilk(*frames.numpy(), radius=5))).double()
    ours = LucasKanade().of_sequence(frames)[0]
    inside = frames[0] > 30
    assert float((ours - theirs)[:, inside].abs().mean()) < 0.05
    sharp = TotalVariationFlow().of_sequence(frames)[0]
    assert float((sharp - ours)[:, inside].abs().mean()) < 0.3


def test_a_warped_frame_is_the_earlier_one() -> None:
    frames = moving_disc(2, (1.0, 3.0))
    shift = torch.tensor([1.0, 3.0]).double().reshape(1, 2, 1, 1).expand(1, 2, 64, 64)
    back = warped(frames[1:], shift)
    torch.testing.assert_close(back[0, 4:-4, 4:-4], frames[0, 4:-4, 4:-4])
    ramp = torch.arange(20.0).reshape(1, 1, 4, 5)  # value 5 * row + column
    places = torch.tensor([[[1.5, 2.25], [0.0, 0.0], [9.0, 9.0]]])
    assert sampled(ramp, places)[0, 0].tolist() == pytest.approx([9.75, 0, 19])


def test_points_follow_what_they_lie_on() -> None:
    frames = moving_disc(6, (0.5, 1.5))
    points = torch.tensor([[32.0, 28.0], [30.0, 30.0], [5.0, 60.0]]).double()
    places = tracked(frames, points, LucasKanade())
    assert places.shape == (6, 3, 2)
    wanted = torch.tensor([2.5, 7.5]).double()
    torch.testing.assert_close(places[-1, :2] - points[:2], wanted.expand(2, 2), rtol=0, atol=0.3)
    assert float((places[-1, 2] - points[2]).abs().max()) < 0.5  # far from the disc


def test_grid() -> None:
    points = grid_points((256, 256), 20, 8)
    assert points.shape == (400, 2)
    assert points.amin(0).tolist() == [8, 8]
    assert points.amax(0).tolist() == [247, 247]
    assert points[1].tolist() == [8, pytest.approx(8 + 239 / 19)]


class Constant(nn.Module):
    """Moves everything by 3 pixels along the width and -1 along the height."""

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        flow = torch.tensor([3.0, -1.0]).reshape(1, 2, 1, 1)
        return flow.expand(before.size(0), 2, before.size(2), before.size(3))


def saved(network: nn.Module, path: Path) -> Path:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return path


def test_a_flow_network_by_path(tmp_path: Path) -> None:
    flow = ScriptedFlow(saved(Constant(), tmp_path / "raft_things.pt"), (0, 1))
    assert flow.name == "raft_things"
    found = flow.of_sequence(torch.zeros(3, 8, 9))
    assert found.shape == (2, 2, 8, 9)
    assert found[0, :, 0, 0].tolist() == [-1, 3]  # our axes: rows first
    with pytest.raises(InputError, match="2D frames"):
        flow.of_sequence(torch.zeros(2, 4, 4, 4))
    with pytest.raises(InputError, match=r"such as RAFT"):
        ScriptedFlow(tmp_path / "none.pt", (0, 1)).of_sequence(torch.zeros(2, 8, 8))


def test_names_and_settings() -> None:
    assert LucasKanade().name == "lucas_kanade"
    assert LucasKanade(radius=3).name == "lucas_kanade_3_4_4_0.001"
    assert LucasKanade(damping=1e-2).name != "lucas_kanade"
    assert TotalVariationFlow().name == "tv_l1"
    with pytest.raises(InputError, match="positive radius"):
        LucasKanade(radius=0)
    flows: tuple[Flow, ...] = (LucasKanade(), TotalVariationFlow())
    for flow in flows:
        with pytest.raises(InputError, match="of one shape"):
            flow.displacement(torch.zeros(1, 8, 8), torch.zeros(1, 8, 9))
    with pytest.raises(InputError, match="at least 4"):
        LucasKanade().of_sequence(torch.zeros(2, 3, 8))
