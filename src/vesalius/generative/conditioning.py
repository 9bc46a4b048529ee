"""How what is given reaches the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.data.vocabulary import Vocabulary
from vesalius.generative.interface import Interface

if TYPE_CHECKING:
    from vesalius.generative.objectives.objective import Objective


class Conditioning(ABC):
    """Turns a path's state and a batch into a network's input and condition.

    A conditioning may bring networks of its own, its :meth:`readers`: the objective trains them
    with the others, or not at all, and has them :meth:`read` a batch before it is arranged.
    """

    @abstractmethod
    def channels(self, given: int) -> tuple[int, int]:
        """Channels added to the input, and channels of the spatial condition."""

    @abstractmethod
    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Input and condition of the network; ``rng`` is given in training only."""

    def readers(self) -> tuple[str, ...]:
        """Networks that read what is told of a case; none by default."""
        return ()

    def frozen(self) -> tuple[str, ...]:
        """Those of them that stand still."""
        return ()

    def interfaces(self) -> Mapping[str, Interface]:
        """Interfaces of the :meth:`readers`."""
        return {}

    def read(self, networks: Mapping[str, nn.Module], batch: Batch) -> Batch:
        """``batch`` with what the readers make of it; a batch that was read stays as it is."""
        return batch

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """The given image that resembles the wanted one of ``channels``; None where none does.

        Paths that lead to a given image lead here, and partial draws begin here.
        """
        given = batch.given
        return given if given is not None and given.shape[1] == channels else None


def _given(batch: Batch) -> Tensor:
    if batch.given is None:
        raise InputError(
            "a task that gives something",
            came="an unconditional task",
            remedy="use a recipe without conditioning",
        )
    return batch.given


@dataclass(frozen=True)
class Concatenation(Conditioning):
    """Given images beside the state as further input channels (Saharia et al. 2022, SR3)."""

    def channels(self, given: int) -> tuple[int, int]:
        """All of them are input."""
        return given, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``[x, given]`` along channels."""
        given = _given(batch)
        return (given if x is None else torch.cat([x, given], dim=1)), None


@dataclass(frozen=True)
class Context(Conditioning):
    """The first given image is the degraded one itself, the others its neighbours.

    On a path the state stands in for the degraded image, between its neighbours (CoreDiff, Gao et
    al. 2024); the path may lead to the degraded image.
    """

    def channels(self, given: int) -> tuple[int, int]:
        """The neighbours."""
        return given - 1, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``[x, neighbours]`` along channels."""
        given = _given(batch)
        return (given if x is None else torch.cat([x, given[:, 1:]], dim=1)), None

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """The degraded image."""
        return _given(batch)[:, :channels]


@dataclass(frozen=True)
class SpatialCondition(Conditioning):
    """Given images as the spatial condition (SPADE, Park et al. 2019) and as only input."""

    def channels(self, given: int) -> tuple[int, int]:
        """Input as well as condition."""
        return given, given

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``(given, given)``, or ``([x, given], given)`` on a path."""
        given = _given(batch)
        return (given if x is None else torch.cat([x, given], dim=1)), given


@dataclass(frozen=True)
class Unconditional(Conditioning):
    """Nothing but the state."""

    def channels(self, given: int) -> tuple[int, int]:
        """None."""
        return 0, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``x`` alone."""
        if x is None:
            raise InputError("a path's state as the input of an unconditional network", came="none")
        return x, None


@dataclass(frozen=True)
class MaskAblation(Conditioning):
    """A label map as one input channel, whose classes are dropped at random in training.

    ``given`` holds one channel a class, without background. Each class of each case is dropped with
    probability ``drop`` so that the network learns all subsets of masks (Konz et al. 2024,
    SegGuidedDiff, arXiv 2402.05210). The channel is the class number over the number of classes.
    """

    drop: float = 0.5

    def channels(self, given: int) -> tuple[int, int]:
        """One."""
        return 1, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``[x, label map]`` along channels."""
        given = _given(batch)
        n_classes = given.shape[1]
        if rng is not None and self.drop > 0:
            kept = torch.rand(given.shape[:2], generator=rng, device=given.device) >= self.drop
            given = given * kept.view(*kept.shape, *[1] * (given.ndim - 2))
        number = torch.arange(1, n_classes + 1, device=given.device, dtype=given.dtype)
        number = number.view(1, -1, *[1] * (given.ndim - 2))
        label = (given * number).amax(dim=1, keepdim=True) / n_classes
        return (label if x is None else torch.cat([x, label], dim=1)), None


@dataclass(frozen=True)
class Dropped(Conditioning):
    """``inner``, told nothing for a part ``drop`` of the training cases.

    What is given, or was read, is zero there, so one network learns to draw with and without it, as
    :class:`~vesalius.generative.guidance.ClassifierFree` needs (Ho & Salimans 2022).
    """

    inner: Conditioning = Concatenation()
    drop: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.drop < 1:
            raise InputError("a part between 0 and 1 to drop", came=self.drop)

    def channels(self, given: int) -> tuple[int, int]:
        """Those of ``inner``."""
        return self.inner.channels(given)

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``inner`` on what is left."""
        if rng is not None:
            kept = torch.rand(batch.size, generator=rng, device=rng.device) >= self.drop
            batch = untold(batch, kept)
        return self.inner.arrange(x, batch, rng=rng)

    def readers(self) -> tuple[str, ...]:
        """Those of ``inner``."""
        return self.inner.readers()

    def frozen(self) -> tuple[str, ...]:
        """Those of ``inner``."""
        return self.inner.frozen()

    def interfaces(self) -> Mapping[str, Interface]:
        """Those of ``inner``."""
        return self.inner.interfaces()

    def read(self, networks: Mapping[str, nn.Module], batch: Batch) -> Batch:
        """As ``inner`` does."""
        return self.inner.read(networks, batch)

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """That of ``inner``."""
        return self.inner.origin(batch, channels)


#: Names in a batch's extras: what readers made of it, and ones for cases that are told anything.
_READ, _TOLD = "read", "told"


def untold(batch: Batch, kept: Tensor | None = None) -> Batch:
    """``batch`` with nothing given or told but for the cases ``kept``, (batch,) bool.

    Raises InputError where there is nothing to be left out.
    """
    given = batch.given
    if given is None and not batch.texts and "covariates" not in batch.extras:
        raise InputError(
            "a task that gives or tells something, which Dropped and ClassifierFree leave out",
            came="an unconditional task",
            remedy="use a recipe without conditioning",
        )
    device = next((t.device for t in (given, *batch.extras.values()) if t is not None), None)
    told = torch.zeros(batch.size, device=device) if kept is None else kept.float()
    if given is not None:
        given = given * told.view(-1, *[1] * (given.ndim - 1))
    return replace(batch, given=given, extras={**batch.extras, _TOLD: told})


@dataclass(frozen=True)
class Reading(Conditioning, ABC):
    """What a network of its own reads is the condition: ``features`` channels at places, or once.

    The network that draws attends to them or averages them; its input is the state alone. Nothing
    told is zero. With ``learns`` the reader is trained with the network that draws; without, it
    stands still and ``starts`` from an earlier run or brings its weights.
    """

    reader: ClassVar[str]

    features: int = 64
    learns: bool = True

    @abstractmethod
    def source(self, batch: Batch) -> Tensor:
        """What the reader is given of a batch."""

    def readers(self) -> tuple[str, ...]:
        """One."""
        return (self.reader,)

    def frozen(self) -> tuple[str, ...]:
        """It, unless it learns."""
        return () if self.learns else (self.reader,)

    def channels(self, given: int) -> tuple[int, int]:
        """The condition's."""
        return 0, self.features

    def read(self, networks: Mapping[str, nn.Module], batch: Batch) -> Batch:
        """With features ``(batch, features)`` or ``(batch, features, length)``."""
        if _READ in batch.extras:
            return batch
        found = networks[self.reader](self.source(batch))
        return replace(batch, extras={**batch.extras, _READ: found})

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``(x, features)``."""
        if x is None:
            raise InputError("a path's state as the input beside what is read", came="none")
        assert _READ in batch.extras, "the objective has its conditioning read a batch first"
        features = batch.extras[_READ]
        if _TOLD in batch.extras:
            features = features * batch.extras[_TOLD].view(-1, *[1] * (features.ndim - 1))
        return x, features


@dataclass(frozen=True)
class Text(Reading):
    """The case's text, as features at each of its tokens: "text_encoder" reads it.

    Tokens are the task's own, or those of ``vocabulary``, which a pretrained reader has.
    """

    reader: ClassVar[str] = "text_encoder"

    vocabulary: Vocabulary | None = None
    kinds: int = 0

    def interfaces(self) -> Mapping[str, Interface]:
        """Tokens to features; raises InputError where the task has no texts."""
        kinds = self.kinds if self.vocabulary is None else self.vocabulary.kinds
        return {self.reader: Interface(require_texts(kinds), self.features)}

    def source(self, batch: Batch) -> Tensor:
        """Tokens (batch, place)."""
        if not batch.texts:
            raise InputError("a text for every case", came="none", remedy=_TEXTS)
        if self.vocabulary is None:
            return batch.extras["tokens"]
        return self.vocabulary.read(batch.texts, batch.cases).to(batch.extras["tokens"].device)


@dataclass(frozen=True)
class Covariates(Reading):
    """The case's covariates, as one vector of features: "covariate_encoder" reads them."""

    reader: ClassVar[str] = "covariate_encoder"

    categories: tuple[int, ...] = ()

    def interfaces(self) -> Mapping[str, Interface]:
        """Covariates to features; raises InputError where the task tells none."""
        if not self.categories:
            raise InputError(
                "a task that tells covariates",
                came="none",
                remedy="choose another task, or a recipe without Covariates",
            )
        n = len(self.categories)
        return {self.reader: Interface(n, self.features, categories=self.categories)}

    def source(self, batch: Batch) -> Tensor:
        """(batch, covariate), NaN where missing."""
        return batch.extras["covariates"]


_TEXTS = "choose a task whose cases come with texts, as xray-from-text"


def require_texts(kinds: int) -> int:
    """``kinds`` of tokens; raises InputError where there are none."""
    if not kinds:
        raise InputError("a task with texts", came="one without", remedy=_TEXTS)
    return kinds


def require_readers(conditioning: Conditioning, objective: Objective) -> None:
    """Raise InputError unless ``objective`` has the networks that ``conditioning`` brings."""
    known = {name for names in objective.players().values() for name in names}
    missing = sorted(set(conditioning.readers()) - known - set(objective.frozen()))
    if missing:
        raise InputError(
            f"an objective that has its conditioning read with {', '.join(missing)}",
            came=type(objective).__name__,
            remedy="use Denoising or LatentDenoising, or another conditioning",
        )
