"""A run folder: a recipe goes in; weights, drawn images, numbers and a report come out.

Layout::

    run.json            recipe, seed, engine, task, split hash, software, machine, status
    split.json          case identifiers by partition
    log.jsonl           a line a step: losses and seconds
    checkpoints/        the last two, each whole: step-<n>/*.safetensors and state.json
    model/              the weights that draw: <network>.safetensors
    learnt.json         scales, frame and orientation of the training images; with model/ and
                        run.json all that new images need
    stages/<recipe>/    a run of its own, fitted first, from whose weights networks start
    draws/<partition>/  <case>.npz with draws (draw, channel, *space) in model units
    downstream/, agreement/  networks that learn from drawn images, and that read them
    cases.json          test cases with their patients, and values by metric and method
    metrics.json        records (see core.record)
    report.html         one self-contained page
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch

from vesalius.core.answer import Answer
from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays, write_arrays, write_atomically
from vesalius.core.recipe import Recipe
from vesalius.core.record import Record, read_records, write_records
from vesalius.data.source import Case
from vesalius.generative.system import System
from vesalius.runner.machine import describe_machine
from vesalius.runner.stages import first_recipes, settled, stage_recipe
from vesalius.runner.trained_on import Trained
from vesalius.tasks.task import Task, collate
from vesalius.training.checkpoint import save_tensors
from vesalius.training.first_weights import STAGES, drawing_weights
from vesalius.training.fit import Engine, Fitted, Loop, Progress

STATUSES = ("new", "fitting", "fitted", "drawn", "judged", "reported")
DRAWN_AT_ONCE = 8


class Watcher(Protocol):
    """Whoever shows how far a run is."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins; ``total`` is 0 where its length is not known yet."""

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """So much of the stage is done."""


class Silent:
    """Shows nothing."""

    def stage(self, name: str, total: int) -> None:
        """Nothing."""

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """Nothing."""


def never() -> bool:
    """Never asks to stop."""
    return False


class Run:
    """A run folder; see the module for its layout."""

    def __init__(
        self, folder: Path, recipe: Recipe, seed: int, engine: Engine, status: str
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.seed = seed
        self.engine = engine
        self.status = status

    @staticmethod
    def create(
        recipe: Recipe, folder: str | Path, *, seed: int = 0, engine: Engine | None = None
    ) -> Run:
        """A new run folder; InputError if it already holds a run or anything else."""
        folder = Path(folder)
        if (folder / "run.json").exists():
            raise InputError(
                "a new folder",
                came="one that holds a run",
                case=folder,
                remedy=f"go on with it by: vesalius resume {folder}",
            )
        if folder.exists() and any(folder.iterdir()):
            raise InputError("an empty folder", came="one with files", case=folder)
        run = Run(folder, settled(recipe), seed, engine or Engine(), "new")
        run.task.check()
        require_answer(recipe, run.task)
        run.write_status("new")
        split = {"hash": run.task.split.hash, "partitions": run.task.split.to_json()}
        write_atomically(folder / "split.json", json.dumps(split, indent=1).encode())
        return run

    @staticmethod
    def open(folder: str | Path) -> Run:
        """The run in ``folder``; InputError when it is no run folder."""
        folder = Path(folder)
        try:
            saved = json.loads((folder / "run.json").read_text())
            recipe = Recipe.from_json(saved["recipe"])
            engine = Engine(**saved["engine"])
            return Run(folder, recipe, int(saved["seed"]), engine, saved["status"])
        except FileNotFoundError:
            raise InputError(
                "a run folder with run.json",
                came="none",
                case=folder,
                remedy="give the folder that vesalius run printed",
            ) from None
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError("a whole run.json", came=str(error), case=folder) from None

    @cached_property
    def task(self) -> Task:
        """The recipe's task; once trained, it needs no training data for new images."""
        task: Task = self.recipe.task.build()
        path = self.folder / "learnt.json"
        if path.is_file():
            learnt = json.loads(path.read_text())
            task.__dict__["channels"] = learnt["channels"]
            task.recall(learnt["task"])
        return task

    def trained_on(self) -> Trained:
        """Orientation and voxel size of the training images; InputError before that."""
        path = self.folder / "learnt.json"
        if not path.is_file():
            raise InputError("a trained run", came=f"one that is '{self.status}'", case=self.folder)
        return Trained.from_json(json.loads(path.read_text())["trained_on"])

    @cached_property
    def info(self) -> dict[str, Any]:
        """What run.json says beyond the recipe: software, machine, times."""
        path = self.folder / "run.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def write_status(self, status: str, **more: Any) -> None:
        """Write run.json: the recipe, what ran where, and ``more``."""
        from vesalius import __version__

        self.status = status
        info = {
            "version": __version__,
            "status": status,
            "name": self.recipe.name,
            "fingerprint": self.recipe.fingerprint(),
            "seed": self.seed,
            "engine": dataclasses.asdict(self.engine),
            "task": self.task.summary(),
            "machine": describe_machine(),
            **{
                k: v
                for k, v in self.info.items()
                if k in ("started", "steps", "seconds", "data_wait_s", "draw_seconds")
            },
            **more,
            "recipe": self.recipe.to_json(),
        }
        info.setdefault("started", time.strftime("%Y-%m-%dT%H:%M:%S"))
        write_atomically(self.folder / "run.json", (json.dumps(info, indent=1) + "\n").encode())
        self.__dict__["info"] = info

    def go(self, *, watch: Watcher | None = None, stop: Callable[[], bool] = never) -> Run:
        """Go on to the report from wherever the run is; returns early once ``stop`` is true.

        A run that only serves others to start from ends when it is fitted.
        """
        watch = watch or Silent()
        self._require_split()
        if self.status in ("new", "fitting") and not self._fit(watch, stop):
            return self
        if self.status == "fitted" and not self.draws_images:
            return self
        if self.status == "fitted" and not self._draw(watch, stop):
            return self
        if self.status == "drawn" and not self._judge(watch, stop):
            return self
        if self.status in ("judged", "reported"):
            self.report()
        return self

    @property
    def draws_images(self) -> bool:
        """Whether the run goes on to a report; else it ends when it is fitted."""
        draws: bool = self.recipe.objective.target.draws  # type: ignore[attr-defined]
        return draws

    def _require_split(self) -> None:
        """Raise InputError if the data has changed: test patients could be trained on."""
        path = self.folder / "split.json"
        if path.is_file() and json.loads(path.read_text())["hash"] != self.task.split.hash:
            raise InputError(
                "the data that the run began with",
                came="another split of cases",
                case=self.folder,
                remedy="put the data back as it was, or start a new run",
            )

    def _fit(self, watch: Watcher, stop: Callable[[], bool], name: str = "fit") -> bool:
        self.write_status("fitting")
        for first in first_recipes(self.recipe):
            if not self._fit_first(first, watch, stop):
                return False
        watch.stage(name, self.recipe.budget.steps if self.recipe.budget.minutes is None else 0)

        def tell(progress: Progress) -> None:
            terms = "  ".join(f"{name} {value:.4g}" for name, value in progress.losses.items())
            watch.advance(progress.step, terms, progress.steps or None)

        loop = Loop(self.recipe, self.task, self.folder, self.seed, self.engine, tell, stop)
        fitted = loop.run()
        if fitted.stopped:
            return False
        self._keep(fitted)
        return True

    def _fit_first(self, name: str, watch: Watcher, stop: Callable[[], bool]) -> bool:
        """Fit the recipe that networks start from, or go on with it; false if it was stopped."""
        folder = self.folder / STAGES / name
        if (folder / "run.json").is_file():
            first = Run.open(folder)
        else:
            recipe = stage_recipe(self.recipe, name)
            first = Run.create(recipe, folder, seed=self.seed, engine=self.engine)
        return first.status not in ("new", "fitting") or first._fit(watch, stop, f"fit {name}")

    def _keep(self, fitted: Fitted) -> None:
        learnt = {
            "channels": dict(self.task.channels),
            "trained_on": Trained.on(self.task).to_json(),
            "task": self.task.learnt(),
        }
        write_atomically(
            self.folder / "learnt.json", (json.dumps(learnt, indent=1) + "\n").encode()
        )
        for name, network in fitted.networks.items():
            path = self.folder / "model" / f"{name}.safetensors"
            path.parent.mkdir(parents=True, exist_ok=True)
            note = {"recipe": self.recipe.fingerprint(), "steps": str(fitted.steps)}
            save_tensors(path, network.state_dict(), note)
        self.write_status(
            "fitted",
            steps=fitted.steps,
            seconds=round(fitted.seconds, 2),
            data_wait_s=round(fitted.data_wait_s, 2),
        )

    def fitted_system(self) -> System:
        """The trained system, in eval mode, on the engine's device; InputError before that."""
        if self.status in ("new", "fitting"):
            raise InputError(
                "a trained run",
                came=f"one that is '{self.status}'",
                case=self.folder,
                remedy=f"finish it with: vesalius resume {self.folder}",
            )
        system = System.build(self.recipe, self.task.shape, self.seed)
        device = torch.device(
            "cuda" if self.engine.accelerator != "cpu" and torch.cuda.is_available() else "cpu"
        )
        for name in system.objective.drawing():
            tensors, note = drawing_weights(self.folder, name)
            if note.get("recipe") != self.recipe.fingerprint():
                raise InputError(
                    f"weights of the recipe {self.recipe.fingerprint()}",
                    came=f"those of {note.get('recipe')}",
                    case=self.folder / "model",
                )
            system.networks[name].load_state_dict(tensors)
            system.networks[name].to(device).eval()
        return system

    def _partitions(self) -> list[str]:
        names = ["test", "shifted"]
        if self.task.judgement.downstream is not None:
            names.append("train")
        return [name for name in names if self.task.split[name]]

    def _drawn_cases(self, partition: str) -> tuple[Case, ...]:
        cases, study = self.task.split[partition], self.task.judgement.downstream
        return cases[: study.cases] if partition == "train" and study is not None else cases

    def _draw(self, watch: Watcher, stop: Callable[[], bool]) -> bool:
        system = self.fitted_system()
        started = time.perf_counter()
        n_drawn = 0
        for partition in self._partitions():
            cases = self._drawn_cases(partition)
            watch.stage(f"draw {partition}", len(cases))
            for first in range(0, len(cases), DRAWN_AT_ONCE):
                if stop():
                    return False
                group = cases[first : first + DRAWN_AT_ONCE]
                paths = [self._draws_path(partition, case) for case in group]
                if not all(path.is_file() for path in paths):
                    batch = collate([self.task.test_case(case) for case in group])
                    drawn = system.draw(
                        batch, self.task.size, draws=self.recipe.draws, seed=self.seed
                    ).cpu()
                    n_drawn += drawn.shape[0] * drawn.shape[1]
                    for k, path in enumerate(paths):
                        write_arrays(path, draws=drawn[:, k].numpy())
                watch.advance(first + len(group))
        spent = (time.perf_counter() - started) / max(1, n_drawn)
        more = {"draw_seconds": round(spent, 4)} if n_drawn else {}
        self.write_status("drawn", **more)
        return True

    def _draws_path(self, partition: str, case: Case) -> Path:
        return self.folder / "draws" / partition / f"{case.identifier}.npz"

    def draws(self, partition: str, case: Case) -> torch.Tensor:
        """Drawn images of a case, (draw, channel, *space) in model units."""
        return torch.from_numpy(read_arrays(self._draws_path(partition, case))["draws"])

    def context(self) -> Record:
        """What all records of the run share."""
        summary = self.task.summary()
        return Record(
            recipe=self.recipe.name,
            task=self.task.name,
            dataset=summary["dataset"],
            protocol=summary["protocol"],
            metric="",
            level="cost",
            unit="",
            direction="down",
            value=0.0,
            seed=self.seed,
            steps=int(self.info.get("steps", 0)),
            seconds=float(self.info.get("seconds", 0.0)),
            device=describe_machine()["device"],
            split=summary["split"],
            fingerprint=self.recipe.fingerprint(),
        )

    def _judge(self, watch: Watcher, stop: Callable[[], bool]) -> bool:
        from vesalius.evaluation.agreement import agreement_records
        from vesalius.evaluation.downstream import downstream_study, draw_baseline
        from vesalius.evaluation.judge import judge

        total = sum(len(self.task.split[name]) for name in ("test", "shifted"))
        watch.stage("judge", total)
        context = self.context()
        judged = judge(self.task, self.draws, context, seed=self.seed, advance=watch.advance)
        records = [*judged.records, *self._costs(context)]
        if self.task.judgement.downstream is not None:
            first = self.task.test_case(self.task.split["train"][0])
            control = next(iter(self.task.baselines(first)))
            draw_baseline(self.task, control, self.folder / "draws" / "baseline")
            drawn = {
                self.recipe.name: str(self.folder / "draws" / "train"),
                control: str(self.folder / "draws" / "baseline"),
            }
            watch.stage("downstream study", 0)
            found = downstream_study(
                self.recipe.task,
                drawn,
                self.folder / "downstream",
                context,
                engine=self.engine,
                watch=lambda arm, done, total: watch.advance(done, arm, total),
                stop=stop,
            )
            if not found:
                return False
            records += found
        if self.task.judgement.agreement:
            watch.stage("agreement", 0)
            told = agreement_records(
                self.recipe.task,
                self.draws,
                self.folder / "agreement",
                context,
                engine=self.engine,
                stop=stop,
            )
            if not told:
                return False
            records += told
        write_records(self.folder / "metrics.json", records)
        values = {
            partition: {
                "cases": [case.identifier for case in found.cases],
                "patients": found.patients,
                "values": found.values,
            }
            for partition, found in judged.by_partition.items()
        }
        content = {"warnings": list(judged.warnings), "partitions": values}
        write_atomically(self.folder / "cases.json", json.dumps(content).encode())
        self.write_status("judged")
        return True

    def _costs(self, context: Record) -> list[Record]:
        from vesalius.networks import count_parameters

        system = System.build(self.recipe, self.task.shape, self.seed)
        parameters = sum(count_parameters(network) for network in system.networks.values())
        image = (1, self.task.shape.wanted, *self.task.size)
        calls = system.sampler.calls_for(system.objective.code_shape(system.networks, image))
        costs: Mapping[str, tuple[float, str]] = {
            "training time": (float(self.info.get("seconds", 0)), "s"),
            "waiting for data": (float(self.info.get("data_wait_s", 0)), "s"),
            "time a drawn image": (float(self.info.get("draw_seconds", 0)), "s"),
            "network calls a draw": (float(calls), "1"),
            "parameters": (float(parameters), "1"),
        }
        return [
            dataclasses.replace(context, metric=name, unit=unit, value=value)
            for name, (value, unit) in costs.items()
        ]

    def records(self) -> list[Record]:
        """What was measured; InputError before the run is judged."""
        path = self.folder / "metrics.json"
        if not path.is_file():
            raise InputError("a judged run", came=f"one that is '{self.status}'", case=self.folder)
        return read_records(path)

    def report(self) -> Path:
        """Write report.html from what the folder holds, and return its path."""
        from vesalius.reports import write_report
        from vesalius.runner.present import present

        path = self.folder / "report.html"
        write_report(path, present(self))
        self.write_status("reported")
        return path


def require_answer(recipe: Recipe, task: Task) -> None:
    """Raise InputError unless the recipe's objective learns what the task is answered with."""
    answers: tuple[Answer, ...] = recipe.objective.target.answers  # type: ignore[attr-defined]
    if task.judgement.answer not in answers:
        named = {"image": "an image", "labels": "a label map", "class": "a class"}
        raise InputError(
            f"a task that is answered with {' or '.join(named[answer] for answer in answers)}",
            came=f"'{task.name}', whose answer is {named[task.judgement.answer]}",
            case=recipe.name,
            remedy="choose another task or recipe: vesalius list",
        )


def prepared(
    recipe: Recipe,
    *,
    data: str | Path | None = None,
    task: str | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    settings: Mapping[str, str] | None = None,
) -> Recipe:
    """``recipe`` on other data, for another task, within another budget, with single values set."""
    from vesalius import tasks

    source: Call = recipe.task.arguments["source"]
    if data is not None:
        from vesalius.data import open_source
        from vesalius.dicom import DicomFolder

        found = open_source(Path(data), more=[DicomFolder])
        arguments = {
            item.name: str(value) if isinstance(value := getattr(found, item.name), Path) else value
            for item in dataclasses.fields(found)  # type: ignore[arg-type]
            if item.init
        }
        source = Call(type(found), **arguments)
    chosen = tasks.get(task, source) if task is not None else recipe.task.replace(source=source)
    recipe = dataclasses.replace(recipe, task=chosen)
    if steps is not None and minutes is not None:
        raise InputError("steps or minutes", came="both")
    if steps is not None or minutes is not None:
        budget = dataclasses.replace(
            recipe.budget,
            steps=recipe.budget.steps if steps is None else steps,
            minutes=minutes,
        )
        recipe = dataclasses.replace(recipe, budget=budget)
    for key, text in (settings or {}).items():
        recipe = recipe.set(key, text)
    return settled(recipe)


def run(
    recipe: Recipe,
    *,
    data: str | Path | None = None,
    task: str | None = None,
    out: str | Path | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    settings: Mapping[str, str] | None = None,
    watch: Watcher | None = None,
    stop: Callable[[], bool] = never,
) -> Run:
    """Fit, draw, judge and report; the run in ``out``, by default ``runs/<recipe>-<time>``."""
    recipe = prepared(recipe, data=data, task=task, steps=steps, minutes=minutes, settings=settings)
    if out is None:
        out = Path("runs") / f"{recipe.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    return Run.create(recipe, out, seed=seed, engine=engine).go(watch=watch, stop=stop)
