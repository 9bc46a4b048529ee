"""A very small run from recipe to report, what it measured, and its weights put to use.

Run it with ``python examples/train_and_judge.py``; it takes well under a minute. A few dozen
steps at 48 x 48 teach little: it shows how the parts go together, not what they can do.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import vesalius

SMALL = {
    "task.source.n": "24",
    "task.source.size": "[48, 48]",
    "task.matrix": "[48, 48]",
    "networks.network.width": "8",
    "budget.batch_size": "4",
}


def main(folder: Path) -> None:
    recipe = vesalius.recipes.get("unet-regression")
    run = vesalius.run(
        recipe, steps=40, settings=SMALL, engine=vesalius.Engine("cpu"), out=folder / "run"
    )
    print(f"{run.recipe.name}, fingerprint {run.recipe.fingerprint()}: {run.status}")
    for record in run.records():
        if record.level == "pixel" and record.recipe == run.recipe.name:
            against = f", {record.baseline} {record.baseline_value:.4g}" if record.baseline else ""
            print(f"  {record.group} {record.metric}: {record.value:.4g} {record.unit}{against}")

    again = vesalius.Run.open(folder / "run")
    case = again.task.split["test"][0]
    drawn = again.fitted_system().draw(again.task.test_case(case), again.task.size)[0]
    print(f"drawn again for {case.identifier}: {tuple(again.task.judged(drawn).shape)}")


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
