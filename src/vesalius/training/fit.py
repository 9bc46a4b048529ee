"""One loop for every objective, on Lightning Fabric: devices and precision are settings."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vesalius.core.allocator import keep_freed_memory
from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Optimiser, Recipe
from vesalius.core.rng import derive, torch_stream
from vesalius.generative.losses.loss import Losses
from vesalius.generative.system import System, seeded
from vesalius.tasks.task import Task
from vesalius.training import checkpoint as checkpoints
from vesalius.training.batches import Prefetched
from vesalius.training.first_weights import begin

#: Steps after which a budget in minutes is turned into a number of steps.
MEASURED_STEPS = 12


@dataclass(frozen=True)
class Engine:
    """Where and how a loop runs; the words are Lightning Fabric's.

    On a CPU keep ``precision`` "32-true": bfloat16 there is about twenty times slower. ``devices``
    over one on a CPU starts that many processes.
    """

    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = 1
    strategy: str = "auto"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"

    def fabric(self) -> Any:
        """A launched-to-be Fabric."""
        from lightning_fabric import Fabric

        if self.accelerator == "cuda" and not torch.cuda.is_available():
            raise InputError("a CUDA device", came="none", remedy="use --device cpu or auto")
        strategy = self.strategy
        on_cpu = self.accelerator == "cpu" or not torch.cuda.is_available()
        if strategy == "auto" and self.devices > 1 and on_cpu:
            strategy = "ddp_spawn"
        return Fabric(
            accelerator=self.accelerator,
            devices=self.devices,
            strategy=strategy,
            precision=self.precision,
        )


@dataclass
class Progress:
    """What the loop tells whoever watches, after each step."""

    step: int
    steps: int
    losses: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """The end of a loop: weights that draw, steps taken, seconds spent, whether it was stopped."""

    networks: Mapping[str, nn.Module]
    steps: int
    seconds: float
    data_wait_s: float
    stopped: bool


def learning_rate(optimiser: Optimiser, step: int, steps: int) -> float:
    """The rate at ``step`` of ``steps``: linear warm-up, then constant or a cosine to zero."""
    if step < optimiser.warmup_steps:
        return optimiser.rate * (step + 1) / optimiser.warmup_steps
    if optimiser.schedule == "constant":
        return optimiser.rate
    done = (step - optimiser.warmup_steps) / max(1, steps - optimiser.warmup_steps)
    return optimiser.rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


class BrokenTraining(InputError):
    """A loss that is not a number."""

    def __init__(self, step: int, player: str, losses: Losses, batch: Batch) -> None:
        bad = [name for name, value in losses.values().items() if not math.isfinite(value)]
        bad = bad or [f"the gradient of {' + '.join(losses.values())}"]
        super().__init__(
            "finite losses",
            came=f"{', '.join(bad)} of {player} not finite at step {step}",
            case="cases " + ", ".join(batch.cases),
            remedy="look at these cases, or lower optimiser.rate; the last checkpoint is whole",
        )


@dataclass
class Loop:
    """State of one fit; :meth:`run` goes from the last checkpoint to the end of the budget."""

    recipe: Recipe
    task: Task
    folder: Path
    seed: int
    engine: Engine = field(default_factory=Engine)
    watch: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False

    def run(self) -> Fitted:
        """Train; on several devices the result is that of the first process."""
        fabric = self.engine.fabric()
        if self.engine.devices > 1:
            from vesalius.training.processes import launch_and_reload

            return launch_and_reload(self, fabric)
        fabric.launch()
        return self.train(fabric)

    def train(self, fabric: Any) -> Fitted:
        """The loop itself, in one process of ``fabric``."""
        keep_freed_memory()
        recipe, budget = self.recipe, self.recipe.budget
        n_parts = fabric.world_size * budget.accumulate
        if budget.batch_size % n_parts:
            raise InputError(
                f"a batch size that {n_parts} parts (processes x accumulate) divide",
                came=budget.batch_size,
                remedy="change budget.batch_size or budget.accumulate",
            )
        self.task.check()
        system = System.build(recipe, self.task.shape, self.seed)
        last = checkpoints.found(self.folder / "checkpoints")
        if not last:
            begin(system.networks, recipe, self.folder)
        players = system.objective.players()
        optimisers: dict[str, Any] = {}
        networks: dict[str, Any] = {
            name: fabric.setup_module(network)
            if name not in system.objective.frozen()
            else network.to(fabric.device)
            for name, network in system.networks.items()
        }
        for name in system.objective.frozen():
            system.networks[name].requires_grad_(False)
        for name, network in networks.items():
            if name in system.objective.frozen():
                continue
            if callable(getattr(network.module, "features", None)):
                network.mark_forward_method("features")
        for player, names in players.items():
            parameters = [p for name in names for p in networks[name].parameters()]
            kind = torch.optim.AdamW if recipe.optimiser.weight_decay else torch.optim.Adam
            made = kind(
                parameters,
                lr=recipe.optimiser.rate,
                betas=recipe.optimiser.betas,
                weight_decay=recipe.optimiser.weight_decay,
            )
            optimisers[player] = fabric.setup_optimizers(made)
        averages = self._averages(system) if recipe.optimiser.ema_decay > 0 else {}

        step, steps, spent = 0, budget.steps, 0.0
        fixed = budget.minutes is None
        if last:
            saved = checkpoints.load(last[-1], recipe.fingerprint())
            step, steps, spent, fixed = self._restore(
                saved, system, networks, optimisers, averages, fabric
            )
        parts = [fabric.global_rank * budget.accumulate + k for k in range(budget.accumulate)]
        started = time.perf_counter()
        saved_at, stopped = started, False
        for name, network in system.networks.items():
            network.train(name not in system.objective.frozen())
        log = self._open_log(step) if fabric.global_rank == 0 else None
        limit = steps if fixed else 10**9
        prefetched = Prefetched(
            self.task, step, limit, parts, n_parts, budget.batch_size, self.seed
        )
        with prefetched as batches, log or contextlib.nullcontext():
            stream = iter(batches)
            while step < (steps if fixed else limit):
                if self.stop():
                    stopped = True
                    break
                values = self._step(
                    fabric,
                    system,
                    networks,
                    optimisers,
                    players,
                    next(stream),
                    step,
                    steps if fixed else 10 * MEASURED_STEPS,
                )
                for name, average in averages.items():
                    average.update_parameters(system.networks[name])
                step += 1
                seconds = spent + time.perf_counter() - started
                if not fixed and step >= MEASURED_STEPS:
                    steps = self._steps_for_minutes(fabric, step, seconds)
                    fixed = True
                if log is not None:
                    log.write(json.dumps({"step": step, "seconds": round(seconds, 3), **values}))
                    log.write("\n")
                    log.flush()
                    self.watch(Progress(step, steps if fixed else 0, values, seconds))
                due = time.perf_counter() - saved_at > budget.save_every_s
                if fabric.world_size > 1:  # clocks differ, and all must save at the same step
                    due = bool(fabric.broadcast(due))
                if due:
                    self._save(fabric, step, steps, fixed, seconds, system, optimisers, averages)
                    saved_at = time.perf_counter()
            seconds = spent + time.perf_counter() - started
            waited = batches.waited_s
        self._save(fabric, step, steps, fixed, seconds, system, optimisers, averages)
        drawing = {
            name: averages[name].module if name in averages else system.networks[name]
            for name in system.objective.drawing()
        }
        return Fitted(drawing, step, seconds, waited, stopped)

    def _step(
        self,
        fabric: Any,
        system: System,
        networks: Mapping[str, Any],
        optimisers: Mapping[str, Any],
        players: Mapping[str, tuple[str, ...]],
        batches: list[Batch],
        step: int,
        steps: int,
    ) -> dict[str, float]:
        """Every player's update, in order."""
        recipe, objective = self.recipe, system.objective
        batches = [batch.to(fabric.device) for batch in batches]
        done = torch.tensor(step / steps)
        carries: list[dict[str, Tensor]] = [{"done": done} for _ in batches]
        values: dict[str, float] = {}
        rate = learning_rate(recipe.optimiser, step, steps)
        for player, names in players.items():
            optimiser = optimisers[player]
            for group in optimiser.param_groups:
                group["lr"] = rate
            for other, network in system.networks.items():
                network.requires_grad_(other in names)
            for k, (batch, carry) in enumerate(zip(batches, carries, strict=True)):
                last = k == len(batches) - 1
                stream = ("step", step, player, k, fabric.global_rank)
                rng = torch_stream(self.seed, *stream, device=fabric.device)
                with contextlib.ExitStack() as stack:
                    for name in names:
                        stack.enter_context(
                            fabric.no_backward_sync(networks[name], enabled=not last)
                        )
                    stack.enter_context(
                        seeded(derive(self.seed, "dropout", *stream), fabric.device)
                    )
                    losses = objective.loss(player, networks, batch, rng, carry)
                    if not losses.terms:
                        break
                    for name, value in losses.values().items():
                        values[name] = values.get(name, 0.0) + value / len(batches)
                    if not math.isfinite(float(losses.total.detach())):
                        raise BrokenTraining(step, player, losses, batch)
                    fabric.backward(losses.total / len(batches))
            if not losses.terms:
                continue  # the player rests
            trained = [p for name in names for p in system.networks[name].parameters()]
            bound = recipe.optimiser.clip_norm
            norm = torch.nn.utils.clip_grad_norm_(trained, math.inf if bound is None else bound)
            if self.engine.precision != "16-mixed" and not math.isfinite(float(norm)):
                raise BrokenTraining(step, player, losses, batch)  # a scaler skips such steps
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return values

    def _averages(self, system: System) -> dict[str, Any]:
        from torch.optim.swa_utils import AveragedModel

        decay = self.recipe.optimiser.ema_decay

        @torch.no_grad()
        def average(
            kept: tuple[Tensor, ...] | list[Tensor],
            new: tuple[Tensor, ...] | list[Tensor],
            n: Tensor | int,
        ) -> None:
            # a young average must forget its start: the decay grows with the number of updates
            part = 1 - min(decay, (1 + float(n)) / (10 + float(n)))
            for old, current in zip(kept, new, strict=True):
                if old.is_floating_point():
                    old.lerp_(current.to(old.dtype), part)
                else:
                    old.copy_(current)

        return {
            name: AveragedModel(system.networks[name], multi_avg_fn=average, use_buffers=True)
            for name in system.objective.drawing()
            if name not in system.objective.frozen()
        }

    def _steps_for_minutes(self, fabric: Any, step: int, seconds: float) -> int:
        """Steps that fit in the budget's minutes at the speed seen; the same in every process."""
        assert self.recipe.budget.minutes is not None
        speed = step / max(seconds, 1e-9)
        steps = max(step, int(self.recipe.budget.minutes * 60 * speed))
        return int(fabric.broadcast(steps))

    def _open_log(self, step: int) -> Any:
        """The log, cut back to ``step``: steps after the last checkpoint are taken again."""
        path = self.folder / "log.jsonl"
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_log(self.folder) if line["step"] <= step]
        with open(path, "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
        return open(path, "a")

    def _save(
        self,
        fabric: Any,
        step: int,
        steps: int,
        fixed: bool,
        seconds: float,
        system: System,
        optimisers: Mapping[str, Any],
        averages: Mapping[str, Any],
    ) -> None:
        tensors: dict[str, Mapping[str, Tensor]] = {}
        groups: dict[str, Any] = {}
        for name, network in system.networks.items():
            tensors[f"weights-{name}"] = network.state_dict()
        for name, average in averages.items():
            tensors[f"average-{name}"] = average.state_dict()
        for player, optimiser in optimisers.items():
            flat, groups[player] = checkpoints.flat_optimiser(optimiser.state_dict())
            tensors[f"optimiser-{player}"] = flat
        objective_state = system.objective.state()
        if objective_state:
            tensors["objective"] = objective_state
        if fabric.global_rank == 0:
            state = {
                "fingerprint": self.recipe.fingerprint(),
                "step": step,
                "steps": steps,
                "fixed": fixed,
                "seconds": seconds,
                "seed": self.seed,
                "groups": groups,
                "threads": torch.get_num_threads(),
            }
            checkpoints.save(
                self.folder / "checkpoints", step, checkpoints.Checkpoint(tensors, state)
            )
        fabric.barrier()

    def _restore(
        self,
        saved: checkpoints.Checkpoint,
        system: System,
        networks: Mapping[str, Any],
        optimisers: Mapping[str, Any],
        averages: Mapping[str, Any],
        fabric: Any,
    ) -> tuple[int, int, float, bool]:
        state = saved.state
        torch.set_num_threads(int(state["threads"]))  # sums depend on how they are cut
        for name, network in system.networks.items():
            network.load_state_dict(dict(saved.tensors[f"weights-{name}"]))
        for name, average in averages.items():
            average.load_state_dict(dict(saved.tensors[f"average-{name}"]))
        for player, optimiser in optimisers.items():
            flat = saved.tensors.get(f"optimiser-{player}", {})
            optimiser.load_state_dict(checkpoints.deep_optimiser(flat, state["groups"][player]))
        pools = saved.tensors.get("objective", {})
        system.objective.restore({name: t.to(fabric.device) for name, t in pools.items()})
        fixed = bool(state["fixed"])
        steps = int(state["steps"])
        if self.recipe.budget.minutes is None:
            steps = self.recipe.budget.steps
        return int(state["step"]), steps, float(state["seconds"]), fixed


def read_log(folder: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of a run's log; a line that a crash cut short is left out."""
    path = Path(folder) / "log.jsonl"
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)
