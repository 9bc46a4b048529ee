"""A study of folders goes on where it stopped, and not with what was trained on other files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vesalius.core.record import Record, read_records
from vesalius.evaluation.protocols import StudyProtocol
from vesalius.runner.folder_study import run_study
from vesalius.runner.run import Silent
from vesalius.training.fit import Engine


@dataclass(frozen=True)
class LetterCount(StudyProtocol):
    """Counts letters instead of training, and keeps what it counted."""

    times: int = 1

    name = "letter-count"
    citation = "none"
    settings = "letters"

    def records(
        self,
        real: Path,
        generated: Path,
        folder: Path,
        context: Record,
        *,
        engine: Engine | None = None,
        watch: Callable[[str, int, int], None] = lambda arm, done, total: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Record]:
        kept = folder / "arm.txt"
        if not kept.is_file():
            folder.mkdir(parents=True)
            kept.write_text(str(self.times * len(generated.read_text())))
        return [replace(context, metric="letters", value=float(kept.read_text()))]


def judged(protocol: StudyProtocol, top: Path) -> float:
    run_study(protocol, top / "real", top / "drawn", top / "out", 0, Silent())
    return read_records(top / "out" / "metrics.json")[0].value


def test_what_was_trained_is_kept_until_files_or_settings_change(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("abc")
    (tmp_path / "drawn").write_text("abcd")
    assert judged(LetterCount(), tmp_path) == 4
    (arm,) = (tmp_path / "out").rglob("arm.txt")
    arm.write_text("99")
    assert judged(LetterCount(), tmp_path) == 99, "the same call goes on with what there is"
    (tmp_path / "drawn").write_text("abcdef")
    assert judged(LetterCount(), tmp_path) == 6
    assert judged(LetterCount(times=2), tmp_path) == 12
    (arm,) = (tmp_path / "out").rglob("arm.txt")
    arm.write_text("99")
    os.utime(tmp_path / "real", ns=(1, 1))
    assert judged(LetterCount(times=2), tmp_path) == 12
    assert len(list((tmp_path / "out").rglob("arm.txt"))) == 1, "what is outdated is removed"
