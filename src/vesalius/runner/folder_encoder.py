"""An encoder trained on a folder of real images, for judging others by its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from torch import Tensor

from vesalius.evaluation.own_encoder import EncoderTraining, train_encoder
from vesalius.evaluation.protocols import ByMetrics
from vesalius.metrics.feature import EncoderCard
from vesalius.runner.image_folder import Item, image_items
from vesalius.runner.run import Silent, Watcher
from vesalius.runner.scene import Scene, content_of, look

READER = ByMetrics("", "", ())


@dataclass(frozen=True)
class _Files(Sequence[Tensor]):
    """Images that are read when they are asked for."""

    items: tuple[Item, ...]
    scene: Scene

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, place: int | slice) -> Tensor | Sequence[Tensor]:
        if isinstance(place, slice):
            return _Files(self.items[place], self.scene)
        item = self.items[place]
        return self.scene.check(content_of(item, READER, real=True).image, item).data


def train_folder_encoder(
    folder: str | Path,
    out: str | Path,
    *,
    unit: str | None = None,
    value_range: tuple[float, float] | None = None,
    training: EncoderTraining | None = None,
    seed: int = 0,
    watch: Watcher | None = None,
) -> EncoderCard:
    """Train an encoder on the real images of ``folder``, none of which it may judge later.

    Parameters
    ----------
    folder:
        Images as for :func:`vesalius.runner.folders.evaluate_folders`; patients are what its
        ``patients.csv`` or the DICOM header says, else the names of files.
    out:
        The file ``NAME.safetensors``; interrupted, the same call goes on.
    unit, value_range:
        As for ``evaluate_folders``, which must be given the same.

    Raises
    ------
    InputError
        For fewer than 16 images, broken files, mixed units or kinds.
    """
    watch = watch or Silent()
    training = training or EncoderTraining()
    items = image_items(Path(folder))
    scene = look(items, None, unit, value_range, READER, watch)
    watch.stage("train", training.steps)
    return train_encoder(
        _Files(items, scene), [item.patient for item in items], scene.value_range, out=out,
        training=training, seed=seed, advance=watch.advance,
    )  # fmt: skip
