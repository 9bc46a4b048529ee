"""OpenKBP's scores: from files as they lie on disk, by hand and on real plans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import write_image
from vesalius.evaluation import protocols
from vesalius.evaluation.protocols import Pair, Protocol
from vesalius.evaluation.protocols.openkbp import POSSIBLE_DOSE


@pytest.fixture
def openkbp() -> Protocol:
    found = protocols.get("openkbp")
    assert isinstance(found, Protocol)
    return found


def plan(folder: Path, name: str, dose: np.ndarray, structures: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / f"{name}.npz",
        ct=np.full(dose.shape, 1054, dtype=np.int16),
        dose=(100 * dose).astype(np.uint16),
        structures=structures.astype(np.uint16),
        spacing_mm=np.array([4.0, 4.0, 5.0]),
    )


def judged(protocol: Protocol, real: Path, generated: Path) -> Pair:
    truth = protocol.content(real, real=True)
    drawn = protocol.content(generated, real=False)
    return Pair(
        drawn.image.data[None].double(), truth.image.data[None].double(),
        spacing_mm=truth.image.spacing_mm,
        regions={name: region[None] for name, region in truth.regions.items()},
    )  # fmt: skip


def test_scores_by_hand(tmp_path: Path, openkbp: Protocol) -> None:
    dose = np.zeros((2, 2, 2))
    dose[0, 0] = [10, 20]
    structures = np.zeros((2, 2, 2), dtype=int)
    structures[0] = 1 << 10  # dose is possible in four voxels
    structures[0, 0] |= 1  # the brainstem in two
    structures[0, 0, 1] |= 1 << 9  # a target in one
    plan(tmp_path / "test", "pt_1", dose, structures)
    wrong = dose.copy()
    wrong[0, 0, 1] = 24
    wrong[1] = 70  # outside of possible dose: set to zero
    np.savez(tmp_path / "a.npz", dose=wrong)
    np.savez(tmp_path / "b.npz", dose=(100 * wrong).astype(np.uint16))
    write_image(tmp_path / "c.nii.gz", Image(torch.from_numpy(wrong)[None], stored="float64"))
    for name in ("a.npz", "b.npz", "c.nii.gz"):
        found = openkbp.values(judged(openkbp, tmp_path / "test" / "pt_1.npz", tmp_path / name))
        assert found["dose_score"][0] == pytest.approx(4 / 4)
        # brainstem: D_0.1cc is of one voxel of 80 mm3, at the median of two; its mean; then the
        # target's D99, D95 and D1
        assert found["dvh_score"] == pytest.approx([2, 2, 4, 4, 4])


def test_files_of_another_kind(tmp_path: Path, openkbp: Protocol) -> None:
    with pytest.raises(InputError, match="npz with ct, dose"):
        openkbp.content(tmp_path / "a.nii.gz", real=True)


def test_a_real_plan(real: Callable[[str], Path], openkbp: Protocol) -> None:
    path = sorted((real("openkbp") / "test").glob("pt_*.npz"))[0]
    pair = judged(openkbp, path, path)
    same = openkbp.values(pair)
    # dose beyond the possible-dose mask counts as an error of any prediction
    assert same["dose_score"][0] < 0.01
    assert max(same["dvh_score"]) < 0.5
    possible = pair.regions[POSSIBLE_DOSE]
    higher = Pair(
        pair.predicted + 2.0, pair.reference, spacing_mm=pair.spacing_mm, regions=pair.regions
    )
    found = openkbp.values(higher)
    assert possible.any()
    assert found["dose_score"][0] == pytest.approx(2, abs=0.01)
    assert np.mean(found["dvh_score"]) == pytest.approx(2, abs=0.3)
