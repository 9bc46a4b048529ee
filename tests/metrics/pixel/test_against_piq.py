"""FSIM, VIF, GMSD and IW-SSIM against values of piq on file.

piq needs torchvision, so its values are kept in ``tests/golden/piq.json``. Write them again, where
piq 0.8 can be imported, with ``python tests/metrics/pixel/test_against_piq.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import FSIM, GMSD, IWSSIM, VIF

FILE = Path(__file__).parents[2] / "golden" / "piq.json"
SIZES = ((162, 170), (163, 175), (300, 288), (400, 384))
METRICS: tuple[CaseMetric, ...] = (FSIM(1.0), VIF(1.0), GMSD(1.0), IWSSIM(1.0))


def scene(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """A ring, a ramp and waves, and the same with stripes and less contrast; no randomness."""
    y = torch.linspace(-1, 1, rows, dtype=torch.float64)[:, None]
    x = torch.linspace(-1, 1, columns, dtype=torch.float64)
    radius = (x * x + y * y).sqrt()
    ring = torch.sigmoid(40 * (radius - 0.4)) * torch.sigmoid(40 * (0.7 - radius))
    waves = torch.sin(37 * x + 11 * y) * torch.cos(23 * x * y + 5)
    reference = (0.35 + 0.4 * ring + 0.1 * x + 0.1 * waves).clamp(0, 1)
    stripes = torch.sin(90 * x) * torch.cos(61 * y + 3 * x)
    predicted = (0.1 + 0.75 * reference + 0.06 * stripes).clamp(0, 1)
    return predicted[None, None], reference[None, None]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_against_piq(metric: CaseMetric, size: tuple[int, int]) -> None:
    if metric.name == "gmsd" and any(n % 2 for n in size):
        pytest.skip("piq adds zeros to an odd size, ours leaves the last voxel out")
    wanted = json.loads(FILE.read_text())["x".join(map(str, size))][metric.name]
    assert metric.statistic(*scene(*size)).item() == pytest.approx(wanted, rel=1e-8)


def values_of_piq() -> dict[str, dict[str, float]]:
    import piq

    found = {}
    for size in SIZES:
        images = scene(*size)
        # rows and columns change places for FSIM: piq gives the highest frequency of an even size
        # to the other side, and so agrees with the authors on the transposed image
        turned = [image.mT.contiguous() for image in images]
        found["x".join(map(str, size))] = {
            "fsim": piq.fsim(*turned, data_range=1.0, chromatic=False).item(),
            "vif": piq.vif_p(*images, data_range=1.0).item(),
            "gmsd": piq.gmsd(*images, data_range=1.0).item(),
            "iw_ssim": piq.information_weighted_ssim(*images, data_range=1.0).item(),
        }
    return found


if __name__ == "__main__":
    library = torch.library.Library("torchvision", "DEF")  # builds without compiled operators
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    FILE.write_text(json.dumps(values_of_piq(), indent=1) + "\n")
