"""A source in memory, whose images a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from vesalius.core import Image
from vesalius.data.source import Case, Source


@dataclass(frozen=True, eq=False)
class Written(Source):
    """Cases ``0`` to ``n - 1``, one a patient, the first ``tests`` of them for testing."""

    images: tuple[Mapping[str, Image], ...]
    tests: int = 0

    name: ClassVar[str] = "written"
    licence: ClassVar[str] = "none"
    citation: ClassVar[str] = "none"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False

    def channels(self) -> Mapping[str, str]:
        return {name: image.modality for name, image in self.images[0].items()}

    def cases(self) -> tuple[Case, ...]:
        parts = ["test"] * self.tests + ["train"] * (len(self.images) - self.tests)
        return tuple(Case(str(k), f"p{k}", partition=part) for k, part in enumerate(parts))

    def read(self, case: Case) -> Mapping[str, Image]:
        return self.images[int(case.identifier)]


@pytest.fixture(scope="session")
def written() -> Callable[..., Source]:
    """``written(images, tests=1)``: a source of the images that are given."""

    def make(*images: Mapping[str, Image], tests: int = 0) -> Source:
        return Written(tuple(images), tests)

    return make


@pytest.fixture(scope="session")
def about() -> dict[str, Any]:
    """Name, phase and question of a task whose words do not matter."""
    return {"name": "t", "phase": "diagnosis", "question": "?"}
