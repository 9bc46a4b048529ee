"""What tasks on images of one channel share: slices, frame, scale, prepared cases."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor

from vesalius.core.image import Image
from vesalius.data.source import Case
from vesalius.data.sources.axial_slices import AxialSlices
from vesalius.tasks.augmentation import left_right_axis
from vesalius.tasks.frame import Frame
from vesalius.tasks.intensity import Scale
from vesalius.tasks.recent import Recent
from vesalius.tasks.task import Task

SCALE_CASES = 16


@dataclass(frozen=True, eq=False)
class ImageTask(Task):
    """Images of one channel on one grid.

    Parameters
    ----------
    channel_names, mask_names:
        The channel is the first that the source has, and so is the mask that images are placed by;
        without one, images are placed by their middle.
    matrix, averaging:
        Voxels of the frame, and how many voxels of the source are averaged along each axis: one
        number, a number an axis, or None for the one whose field is nearest to the images'.
    interval:
        Physical values of -1 and 1 in model units, to which images are clipped (metal in CT); None
        takes those of the unit or of the training images and does not clip.
    judged_over:
        Images are clipped to this window before they are judged; None judges over the scale.
    slices, neighbours:
        Where ``matrix`` has two axes and the source volumes: axial slices a volume, and slices
        given beside each; see :class:`~vesalius.data.sources.axial_slices.AxialSlices`.
    flip, shift_voxels:
        Training mirrors left and right, and shifts by up to so many voxels.
    """

    channel_names: tuple[str, ...] = ("ct", "mr", "t1", "image")
    mask_names: tuple[str, ...] = ("mask", "possible_dose")
    matrix: tuple[int, ...] = (64, 64)
    averaging: int | tuple[float, ...] | None = None
    interval: tuple[float, float] | None = None
    judged_over: tuple[float, float] | None = None
    slices: int = 8
    neighbours: int = 0
    flip: bool = True
    shift_voxels: int = 2
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        if len(self.matrix) == 2 and not isinstance(self.source, AxialSlices):
            sliced = AxialSlices(
                self.source,
                self.slices,
                (*self.channel_names, *self.mask_names),
                self.mask_names,
                self.neighbours,
            )
            object.__setattr__(self, "source", sliced)

    @cached_property
    def channel(self) -> str:
        """The channel in question."""
        names = self.channel_names
        return next((name for name in names if name in self.channels), names[0])

    @cached_property
    def mask(self) -> str | None:
        """The mask that images are placed by."""
        return next((name for name in self.mask_names if name in self.channels), None)

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    def needed(self) -> tuple[str, ...]:
        """The channel, and the mask."""
        return (self.channel, *([self.mask] if self.mask else []))

    @cached_property
    def _first(self) -> tuple[Image, ...]:
        """Training images spread over the split, from which scale and frame are taken."""
        cases = self.split["train"]
        stride = max(1, len(cases) // SCALE_CASES)
        return tuple(
            self.source.read(case)[self.channel].require_finite(case.identifier)
            for case in cases[::stride][:SCALE_CASES]
        )

    @cached_property
    def flip_axis(self) -> int | None:
        """Left-right, as the images' own affine says."""
        return left_right_axis(self._first[0]) if self.flip else None

    @cached_property
    def frame(self) -> Frame:
        """One frame for all cases."""
        case = self.split["train"][0].identifier
        fitting = Frame.fitting(self.matrix, self._first[0].space, case)
        return fitting if self.averaging is None else Frame(self.matrix, self.averaging)

    @cached_property
    def scale(self) -> Scale:
        """Of the channel."""
        if self.interval is not None:
            return Scale(*self.interval, self._first[0].unit)
        return Scale.of(self._first, self.channel)

    @property
    def window(self) -> tuple[float, float]:
        """Values that are judged."""
        return self.judged_over or (self.scale.low, self.scale.high)

    def _recent(self, case: Case) -> dict[str, Tensor]:
        """Parts of a case, prepared now or before; a volume is read once for all its slices."""

        def make() -> dict[str, Tensor]:
            if not isinstance(self.source, AxialSlices):
                return self.prepared(self.source.read(case), case.identifier)
            volume = self.source.read_volume(case)
            made = {name: self.prepared(images, name) for name, images in volume.items()}
            for name, parts in made.items():
                if name != case.identifier:
                    self.recent.get(name, lambda parts=parts: parts)  # type: ignore[misc]
            return made[case.identifier]

        return self.recent.get(case.identifier, make)

    def prepared(self, images: Mapping[str, Image], case: str) -> dict[str, Tensor]:
        """``wanted`` in model units, ``(1, *matrix)``, and ``mask`` where there is one."""
        image = images[self.channel].require_finite(case)
        mask, corner = self._corner(images, case)
        parts = {"wanted": self._placed(image, corner)}
        if mask is not None:
            parts["mask"] = self.frame.place_labels(mask.data, corner) > 0
        return parts

    def _corner(
        self, images: Mapping[str, Image], case: str
    ) -> tuple[Image | None, tuple[int, ...]]:
        """The mask, where there is one, and where the frame lies."""
        image = images[self.channel]
        mask = images.get(self.mask) if self.mask else None
        if mask is not None:
            mask.require_same_grid(image, case)
        return mask, self.frame.corner(image, mask)

    def _placed(self, image: Image, corner: tuple[int, ...]) -> Tensor:
        """An image of the channel's scale in model units."""
        data = image.data if self.interval is None else image.data.clamp(*self.interval)
        return self.scale.to_model(self.frame.place(data, corner, self.scale.low))

    def judged(self, model: Tensor) -> Tensor:
        """Physical units, clipped to the window that is judged."""
        return self.scale.to_physical(model).clamp(*self.window)

    def learnt(self) -> dict[str, Any]:
        """The channel, the mask, the frame and the scale."""
        return {
            "channel": self.channel,
            "mask": self.mask,
            "frame": self.frame.to_json(),
            "scale": dataclasses.asdict(self.scale),
        }

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """See :meth:`learnt`."""
        self.__dict__.update(
            channel=learnt["channel"],
            mask=learnt["mask"],
            frame=Frame.from_json(learnt["frame"]),
            scale=Scale(**learnt["scale"]),
        )
