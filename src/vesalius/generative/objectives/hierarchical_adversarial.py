"""A GAN that learns a volume slab by slab, held together by the volume made small."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import l1_loss

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.code_grid import cropped, reduction_of
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.adversarial import AdversarialKind, generator_loss
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class HierarchicalAdversarial(Objective):
    """HA-GAN (Sun et al. 2022, arXiv:2008.01910): memory of a slab, anatomy of the whole.

    A trunk makes the features of the whole volume, at a coarse resolution, from a code of one
    place. One head makes the volume small; the other makes, of a part of the features, a slab of
    the volume itself. In training both are judged, by a critic each, and no more than one slab is
    ever made at the full resolution; drawing makes all of it in one pass. Two encoders go the other
    way, from a slab to its features and from the features of all slabs to the code, and learn by
    themselves to be undone by the generator as it is.

    A slab is cut along the first axis of space, anywhere on the trunk's grid. Features next to it
    are made an image of, too, and that cut off, as far as the head's ``margin``: so a slab is
    exactly what drawing makes there. Images smaller than the generator's are continued by their
    borders, and draws are cut to their size.

    Networks: ``trunk`` (from a code of one place, with an attribute ``grid``), ``head`` (with
    ``reduction`` and ``margin``), ``small_head``, ``slab_critic`` (told the slab's place from 0 to
    1), ``small_critic``, ``slab_encoder`` (with the head's ``reduction``), ``code_encoder`` (from
    the features, best to one place: over what it leaves is averaged).

    Parameters
    ----------
    channels:
        Values of the code.
    features:
        Channels of the features between trunk and heads.
    slab:
        Part of the first axis that a slab takes; an eighth in the paper.
    kind:
        What the critics' logits cost.
    r1:
        The weight gamma of Mescheder et al. 2018, for both critics.
    encoded:
        Part of the cases of a batch that the encoders learn from; all in the paper.
    """

    def __init__(
        self,
        *,
        channels: int = 128,
        features: int = 32,
        slab: float = 0.25,
        kind: AdversarialKind = "logistic",
        r1: float = 0.0,
        encoded: float = 1.0,
        conditioning: Conditioning | None = None,
    ) -> None:
        if channels < 1 or features < 1 or not (0 < slab <= 1 and 0 < encoded <= 1):
            raise InputError(
                "at least one channel and one feature, slab and encoded above 0 and up to 1",
                came=f"{channels}, {features}, {slab} and {encoded}",
            )
        self.channels = channels
        self.features = features
        self.slab = slab
        self.kind = kind
        self.r1 = r1
        self.encoded = encoded
        self.conditioning = conditioning or Concatenation()

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Critics, generator and the two encoders, as in the paper."""
        return {
            "critics": ("slab_critic", "small_critic"),
            "generator": ("trunk", "head", "small_head"),
            "slab_encoder": ("slab_encoder",),
            "code_encoder": ("code_encoder",),
        }

    def drawing(self) -> tuple[str, ...]:
        """The trunk and the head of the full resolution."""
        return ("trunk", "head")

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Code to features to images, and back; what is given is told to trunk and critics."""
        told = given if any(self.conditioning.channels(given)) else 0
        return {
            "trunk": Interface(self.channels, self.features, told),
            "head": Interface(self.features, wanted),
            "small_head": Interface(self.features, wanted),
            "slab_critic": Interface(wanted, 1, told, takes_level=True),
            "small_critic": Interface(wanted, 1, told),
            "slab_encoder": Interface(wanted, self.features),
            "code_encoder": Interface(self.features, self.channels),
        }

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Of the critics, the generator or one of the encoders; all see the same slab of a step."""
        if "start" not in carry:
            carry["start"] = torch.randint(
                self._starts(networks), (), generator=rng, device=rng.device
            )
        start = int(carry["start"])
        if player == "critics":
            return self._critics_loss(networks, batch, rng, start)
        if player == "generator":
            return self._generator_loss(networks, batch, rng, start)
        if player == "slab_encoder":
            real = self._slab(networks, self._to_encode(networks, batch), start)
            made = networks["head"](self._encoded(networks, real))
            return Losses({"slab_reconstruction": (1.0, l1_loss(made, real))})
        return self._code_loss(networks, batch, start)

    def _critics_loss(
        self, networks: Networks, batch: Batch, rng: torch.Generator, start: int
    ) -> Losses:
        real = self._real(networks, batch)
        with torch.no_grad():
            features = self._drawn(networks, batch, rng)
            slab = self._made_slab(networks, features, start)
            small = networks["small_head"](features)
        found: dict[str, tuple[float, Tensor]] = {}
        pairs = {
            "slab": (self._slab(networks, real, start), slab),
            "small": (_averaged(real, reduction_of(networks["head"])), small),
        }
        for name, (true, drawn) in pairs.items():

            def judge(images: Tensor, name: str = name) -> Tensor:
                return self._judged(networks, name, images, batch, start)

            terms, _ = critic_terms(self.kind, judge, true, drawn, rng, r1=self.r1)
            found |= {f"{name}_{term}": value for term, value in terms.items()}
        return Losses(found)

    def _generator_loss(
        self, networks: Networks, batch: Batch, rng: torch.Generator, start: int
    ) -> Losses:
        features = self._drawn(networks, batch, rng)
        images = {
            "slab": self._made_slab(networks, features, start),
            "small": networks["small_head"](features),
        }
        return Losses(
            {
                f"{name}_adversarial": (
                    1.0,
                    generator_loss(self.kind, self._judged(networks, name, made, batch, start)),
                )
                for name, made in images.items()
            }
        )

    def _code_loss(self, networks: Networks, batch: Batch, start: int) -> Losses:
        """From the features of all slabs to the code, and through the generator back."""
        real = self._to_encode(networks, batch)
        with torch.no_grad():
            length = self._length(networks) * reduction_of(networks["head"])
            slabs = torch.split(real, length, dim=2)
            features = torch.cat([self._encoded(networks, slab) for slab in slabs], dim=2)
        code: Tensor = networks["code_encoder"](features)
        code = code.mean(dim=tuple(range(2, code.ndim)), keepdim=True)
        known = self._condition(batch)
        told = None if known is None else known[: len(code)]
        made = networks["trunk"](code, condition=told)
        slab, small = self._made_slab(networks, made, start), networks["small_head"](made)
        true = self._slab(networks, real, start)
        true_small = _averaged(real, reduction_of(networks["head"]))
        return Losses(
            {
                "reconstruction": (0.5, l1_loss(slab, true)),
                "small_reconstruction": (0.5, l1_loss(small, true_small)),
            }
        )

    def _condition(self, batch: Batch) -> Tensor | None:
        """What trunk and critics are told."""
        if batch.given is None or not any(self.conditioning.channels(batch.given.shape[1])):
            return None
        return batch.given

    def _length(self, networks: Networks) -> int:
        """Places of the grid that a slab takes along the first axis."""
        return max(1, round(self.slab * _grid(networks)[0]))

    def _starts(self, networks: Networks) -> int:
        """How many places of the grid a slab may start at."""
        return _grid(networks)[0] - self._length(networks) + 1

    def _real(self, networks: Networks, batch: Batch) -> Tensor:
        """The wanted images, continued by their borders to the generator's size."""
        image = wanted(batch)
        reduction = reduction_of(networks["head"])
        size = tuple(places * reduction for places in _grid(networks))
        space = tuple(image.shape[2:])
        if len(space) != len(size) or any(n > m for n, m in zip(space, size, strict=True)):
            raise InputError(
                f"images of at most {size} voxels for this generator",
                came=f"{space}",
                remedy="set networks.trunk.first_grid",
            )
        around: list[int] = []
        for own, whole in zip(space, size, strict=True):
            missing = whole - own
            around = [missing // 2, missing - missing // 2, *around]  # torch: the last axis first
        return functional.pad(image, around, mode="replicate") if any(around) else image

    def _to_encode(self, networks: Networks, batch: Batch) -> Tensor:
        """The first cases of the batch, as many as the encoders learn from."""
        real = self._real(networks, batch)
        return real[: max(1, round(self.encoded * len(real)))]

    def _slab(self, networks: Networks, image: Tensor, start: int) -> Tensor:
        reduction = reduction_of(networks["head"])
        return image.narrow(2, start * reduction, self._length(networks) * reduction)

    def _made_slab(self, networks: Networks, features: Tensor, start: int) -> Tensor:
        """The slab as drawing makes it: from its features and those within the margin."""
        head, length = networks["head"], self._length(networks)
        margin, reduction = head.margin, reduction_of(head)
        assert isinstance(margin, int)
        first = max(0, start - margin)
        last = min(features.shape[2], start + length + margin)
        made: Tensor = head(features[:, :, first:last])
        return made.narrow(2, (start - first) * reduction, length * reduction)

    def _drawn(self, networks: Networks, batch: Batch, rng: torch.Generator) -> Tensor:
        """Features of fresh codes."""
        real = wanted(batch)
        shape = self.code_shape(networks, tuple(real.shape))
        code = torch.randn(shape, generator=rng, device=real.device, dtype=real.dtype)
        features: Tensor = networks["trunk"](code, condition=self._condition(batch))
        return features

    def _judged(
        self, networks: Networks, name: str, images: Tensor, batch: Batch, start: int
    ) -> Tensor:
        """Logits of slabs or of small volumes."""
        told: dict[str, Tensor | None] = {"condition": self._condition(batch)}
        if name == "slab":
            place = start / max(1, self._starts(networks) - 1)
            told["level"] = torch.full((len(images),), place, device=images.device)
        logits: Tensor = networks[f"{name}_critic"](images, **told)
        return logits

    def _encoded(self, networks: Networks, slab: Tensor) -> Tensor:
        """Features of a real slab."""
        features: Tensor = networks["slab_encoder"](slab)
        reduction = reduction_of(networks["head"])
        grid = tuple(size // reduction for size in slab.shape[2:])
        if tuple(features.shape[2:]) != grid:
            raise InputError(
                f"features on the head's grid {grid}",
                came=f"{tuple(features.shape[2:])} from the slab_encoder",
                remedy="give it one multiplier more than the head has doublings",
            )
        return features

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The whole image of a code, in one pass."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of codes passes them"
            image: Tensor = networks["head"](networks["trunk"](x, condition=self._condition(batch)))
            return image

        return predict

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One place."""
        return (shape[0], self.channels, *[1] * (len(shape) - 2))

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """What was drawn, cut to the image's size."""
        return cropped(code, space)


def _grid(networks: Networks) -> tuple[int, ...]:
    grid = networks["trunk"].grid
    assert isinstance(grid, tuple)
    return grid


def _averaged(image: Tensor, reduction: int) -> Tensor:
    """``image`` at the resolution of the grid."""
    pool = functional.avg_pool2d if image.ndim == 4 else functional.avg_pool3d
    return pool(image, reduction)
