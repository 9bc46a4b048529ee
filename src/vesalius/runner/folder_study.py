"""A study of generated images: networks that learn from them, and the report on it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from vesalius import __version__
from vesalius.core.errors import InputError
from vesalius.core.record import Record, write_records
from vesalius.evaluation.protocols.study_protocol import StudyProtocol
from vesalius.reports import ReportContent, verdict, write_report
from vesalius.runner.machine import describe_machine
from vesalius.runner.run import Watcher

STUDY = "study"
KEY_LENGTH = 16


def study_folder(protocol: StudyProtocol, real: Path, generated: Path, out: Path) -> Path:
    """Where arms are trained: named after settings and files, so that what has changed is not kept.

    Arms of other settings or files are removed.
    """
    states = [
        [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        for files in (
            sorted(path.iterdir()) if path.is_dir() else [path] for path in (real, generated)
        )
    ]
    told = json.dumps([__version__, repr(protocol), protocol.text(), states])
    key = hashlib.blake2b(told.encode(), digest_size=KEY_LENGTH // 2).hexdigest()
    for other in (out / STUDY).glob("*/"):
        if other.name != key and len(other.name) == KEY_LENGTH:
            shutil.rmtree(other)
    return out / STUDY / key


def run_study(
    protocol: StudyProtocol, real: Path, generated: Path, out: Path, seed: int, watch: Watcher
) -> Path:
    """Train and test every arm of a study; the report. A second call goes on where one stopped."""
    for path in (real, generated):
        if not path.exists():
            raise InputError("a file or a folder", came="nothing there", case=path)
    context = Record(
        recipe=generated.resolve().stem, task=protocol.name, dataset=real.resolve().stem,
        protocol=protocol.text(), metric="", level="clinical", unit="", direction="up", value=0.0,
        seed=seed, device=describe_machine()["device"],
    )  # fmt: skip
    watch.stage("train and test every arm", 0)
    records = protocol.records(
        real, generated, study_folder(protocol, real, generated, out), context,
        watch=lambda arm, done, total: watch.advance(done, arm, total),
    )  # fmt: skip
    write_records(out / "metrics.json", records)
    path = out / "report.html"
    content = ReportContent(
        title=f"{context.recipe} for {context.dataset}",
        question="Do networks learn more with the generated images?",
        verdict=verdict(records),
        facts={
            "real": context.dataset,
            "generated": context.recipe,
            "protocol": protocol.text(),
            "citation": protocol.citation,
            "seed": seed,
            "software": f"vesalius {__version__}, torch {describe_machine()['torch']}",
        },
        records=tuple(records),
        warnings=protocol.remarks,
    )
    write_report(path, content)
    return path
