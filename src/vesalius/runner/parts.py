"""What was measured so far, on disk: a stopped evaluation goes on, changed files are seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from vesalius.core.files import read_arrays, write_arrays
from vesalius.runner.measuring import Failure, Job, Part, Plan, measure
from vesalius.runner.run import Watcher
from vesalius.runner.workers import Workers

PARTS = "parts"
KEY_LENGTH = 16
#: Of the arrays in a file; another number, and nothing kept before is read.
LAYOUT = 2


@dataclass(frozen=True)
class Parts:
    """The chunks of an evaluation, one file each, named after what they were made from.

    A file's name holds a digest of the settings and of name, size and time of every image in the
    chunk: what has changed has another name and is measured again.
    """

    folder: Path
    plan: Plan
    chunks: tuple[tuple[Job, ...], ...]

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """One a chunk."""
        settings = settings_digest(self.plan)
        return tuple(
            self.folder / f"{number:06d}-{chunk_digest(settings, jobs)}.npz"
            for number, jobs in enumerate(self.chunks)
        )

    def complete(
        self,
        workers: Workers,
        watch: Watcher,
        stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Measure what is not there yet; raises the InputError of a file, False if stopped."""
        paths = self.paths
        self._forget(paths)
        missing = {
            number: self.chunks[number] for number, path in enumerate(paths) if not path.is_file()
        }
        total = sum(map(len, self.chunks))
        done = total - sum(map(len, missing.values()))
        watch.stage("measure", total)
        watch.advance(done)
        for number, found in workers.results(partial(measure, self.plan), missing):
            if isinstance(found, Failure):
                raise found.error()
            write_arrays(paths[number], **found)
            done += len(self.chunks[number])
            watch.advance(done)
            if stop():
                return False
        return True

    def _forget(self, paths: Sequence[Path]) -> None:
        """Remove parts of earlier settings or files."""
        kept = {path.name for path in paths}
        for path in self.folder.glob("*.npz"):
            if path.name not in kept:
                path.unlink()

    def read(self, number: int) -> Part:
        """What one chunk left behind."""
        return read_arrays(self.paths[number])


def settings_digest(plan: Plan) -> str:
    """What decides values besides the images: protocol, range, extractors, version."""
    from vesalius import __version__

    scene = plan.scene
    told: Mapping[str, object] = {
        "version": __version__,
        "layout": LAYOUT,
        "protocol": [type(plan.protocol).__name__, repr(plan.protocol), plan.protocol.text()],
        "scene": [scene.unit, scene.dims, scene.value_range, scene.given_unit, scene.stored],
        "extractors": [_extractor_state(spec) for spec in plan.extractors],
    }
    return json.dumps(told, sort_keys=True)


def _extractor_state(spec: str) -> list[object]:
    path = Path(spec)
    if not path.is_file():
        return [spec]
    known = path.stat()
    return [spec, known.st_size, known.st_mtime_ns]


def chunk_digest(settings: str, jobs: Sequence[Job]) -> str:
    """Digest of the settings and of the state of every file of a chunk."""
    states = [
        [(side, *item.state) for side, item in job.items.items()]
        + [("mask", *job.mask.state) if job.mask is not None else ("mask",)]
        for job in jobs
    ]
    text = settings + json.dumps(states)
    return hashlib.blake2b(text.encode(), digest_size=KEY_LENGTH // 2).hexdigest()
