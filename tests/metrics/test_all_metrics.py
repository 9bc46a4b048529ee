"""The list of metrics, and what every one of them says of itself."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from vesalius.metrics import Metric, all_metrics


def test_every_level_is_there() -> None:
    names = {metric.name for metric in all_metrics()}
    assert {"mae", "psnr", "ssim", "ms_ssim", "dice", "hd95", "auc", "tissue_agreement"} <= names
    assert {metric.level for metric in all_metrics()} == {"pixel", "feature", "clinical"}
    assert len(all_metrics()) == len(set(all_metrics()))


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda metric: metric.__name__)
def test_what_a_metric_says_of_itself(metric: type[Metric]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
    assert metric.level in {"pixel", "feature", "clinical"}
    assert metric.direction in {"up", "down", "zero"}
    assert len(metric.citation) > 10
    assert metric.__doc__


def test_metrics_load_nothing_slow() -> None:
    code = (
        "import sys; import vesalius.metrics.pixel, vesalius.metrics.clinical;"
        "slow = {'monai', 'skimage', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(slow)) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, f"loaded early: {found.stderr}"
