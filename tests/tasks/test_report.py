"""Reports that are written from what is known."""

from __future__ import annotations

import re

import numpy as np
import pytest

from vesalius.core import InputError
from vesalius.data.source import Case
from vesalius.tasks.report import ChestReport, HeadReport, OwnReport, Report


def texts(report: Report, n: int = 200, **known: float | str) -> list[str]:
    case = Case("c", "p", covariates=known)
    return [report.write(case, np.random.default_rng(k)) for k in range(n)]


def test_the_same_generator_writes_the_same_words() -> None:
    assert texts(ChestReport(), label=1.0) == texts(ChestReport(), label=1.0)
    assert len(set(texts(ChestReport(), label=1.0))) > 60


def test_what_only_one_class_is_said_to_show_tells_them_apart() -> None:
    normal, pneumonia = (texts(ChestReport(), label=k) for k in (0.0, 1.0))
    assert not set(normal) & set(pneumonia), "each report says which it is"
    # no single word does: what is denied is named too
    for word in ("pneumonia", "consolidation", "infiltrate", "clear"):
        assert any(word in text.lower() for text in normal)
        assert any(word in text.lower() for text in pneumonia)
    said = {s for text in pneumonia for s in re.findall(r"[^.]+\.", text)}
    assert {s.strip() for s in said} & {"Frontal chest radiograph.", "Findings of pneumonia."}


def test_sides_and_lobes_are_not_invented() -> None:
    for text in texts(ChestReport(), label=1.0):
        assert not re.search(r"\b(left|right|lobe|upper|lower|basal|heart)\b", text.lower())


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        (0.0, r"no white matter|normal signal"),
        (1.0, r"few small|mild"),
        (5.0, r"several|moderate"),
        (20.0, r"confluent|severe"),
    ],
)
def test_a_head_is_described_truly(volume: float, said: str) -> None:
    known = {"age_years": 67.4, "sex": "female", "lesion_volume_ml": volume}
    found = texts(HeadReport(), **known)
    assert len(set(found)) > 40
    for text in found:
        assert re.search(said, text, re.IGNORECASE), text
        assert re.search(r"\b(67|60 and 69)\b", text), text
        assert re.search(r"woman|female", text, re.IGNORECASE), text
        assert not re.search(r"\bman\b|\bmale", text, re.IGNORECASE), text


def test_what_a_report_needs_is_said() -> None:
    with pytest.raises(InputError, match="c: expected a covariate 'label' of 0 or 1, got 2"):
        texts(ChestReport(), 1, label=2.0)
    with pytest.raises(InputError, match="age and the volume of lesions"):
        texts(HeadReport(), 1, age_years=3.0)
    assert texts(OwnReport("notes"), 1, notes="As read.") == ["As read."]
    with pytest.raises(InputError, match="c: expected a text as the covariate 'notes', got none"):
        texts(OwnReport("notes"), 1)
