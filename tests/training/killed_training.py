"""Train in processes that are killed by SIGKILL at random moments until one reaches the end.

Called by test_resume.py with a recipe's JSON, a run folder and the number of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from vesalius.core import Recipe
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.training.fit import Engine, Loop


def newest(folder: Path) -> str:
    """Name of the last checkpoint."""
    return max((path.name for path in (folder / "checkpoints").glob("step-*")), default="")


def main() -> None:
    recipe = Recipe.from_json(json.loads(Path(sys.argv[1]).read_text()))
    folder, wanted = Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)  # before the first fork: threads do not survive one
    PatchDiscriminator(channels_in=1, width=2, n_layers=1)  # what is slow the first time
    task = recipe.task.build()
    for case in task.split["train"]:
        task.test_case(case)
    chance, kills = random.Random(wanted), 0
    while True:
        pid = os.fork()
        if pid == 0:
            Loop(recipe, task, folder, seed=3, engine=Engine("cpu")).run()
            os._exit(0)
        if kills < wanted:
            before, deadline = newest(folder), time.monotonic() + 30
            while newest(folder) == before and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(chance.uniform(0.0, 0.1))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            kills += 1
            continue
        if status == 0:
            print(kills)
            return
        raise SystemExit(f"the loop ended with status {status}")


main()
