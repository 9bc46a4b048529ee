"""What models of tokens share: they learn the tokens that a codec makes of images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec, TokenCodec
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler


class TokenModel(Objective):
    """A distribution of tokens ``(batch, *grid)``, one network's; what is given conditions it.

    By itself it learns the tokens of a :class:`TokenCodec`, the recipe's codec. Another objective
    may hold it as a prior of its own tokens: ``interface``, ``token_loss`` and ``token_predictor``
    take what ``kinds`` of tokens there are. ``drawn_by`` is the sampler that its predictor serves.
    """

    drawn_by: ClassVar[type[Sampler]]

    def __init__(
        self, *, conditioning: Conditioning | None = None, codec: Codec | None = None
    ) -> None:
        self.conditioning = conditioning or Concatenation()
        self.codec = codec

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where the recipe's codec makes no tokens, or its sampler draws none."""
        codec = recipe.codec.target if recipe.codec else None
        if not (isinstance(codec, type) and issubclass(codec, TokenCodec)):
            raise InputError(
                f"a codec that makes tokens for {cls.__name__}: GreyLevels",
                came="none" if recipe.codec is None else recipe.codec.name,
                remedy="set the recipe's codec",
            )
        cls.check_parts(recipe)

    @classmethod
    def check_parts(cls, recipe: Recipe) -> None:
        """Raise InputError unless the recipe's sampler draws what this model predicts."""
        sampler = recipe.sampler.target
        if not (isinstance(sampler, type) and issubclass(sampler, cls.drawn_by)):
            raise InputError(
                f"the sampler {cls.drawn_by.__name__} for {cls.__name__}",
                came=recipe.sampler.name,
                remedy="set the recipe's sampler",
            )

    @abstractmethod
    def interface(self, kinds: int, given: int) -> Interface:
        """The network's interface for so many kinds of tokens and channels given."""

    @abstractmethod
    def token_loss(
        self, network: nn.Module, tokens: Tensor, kinds: int, batch: Batch, rng: torch.Generator
    ) -> Losses:
        """The loss on ``tokens``."""

    @abstractmethod
    def token_predictor(self, network: nn.Module, kinds: int, batch: Batch) -> Predictor:
        """Logits for a state of tokens, see :class:`~vesalius.generative.predictor.Predictor`."""

    def condition(self, batch: Batch, rng: torch.Generator | None = None) -> Tensor | None:
        """What the network is told of the case; ``rng`` in training only."""
        if batch.given is None or self.conditioning.channels(batch.given.shape[1])[0] == 0:
            return None
        return self.conditioning.arrange(None, batch, rng=rng)[0]

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Tokens to logits."""
        return {"network": self.interface(self._tokens.kinds, given)}

    @property
    def _tokens(self) -> TokenCodec:
        assert isinstance(self.codec, TokenCodec), "refused when the recipe is written"
        return self.codec

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """That of the images' tokens."""
        tokens = self._tokens.encode(wanted(batch), batch)
        return self.token_loss(networks["network"], tokens, self._tokens.kinds, batch, rng)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Logits of the images' tokens."""
        return self.token_predictor(networks["network"], self._tokens.kinds, batch)

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One token a voxel."""
        return (shape[0], *shape[2:])


def require_causal(recipe: Recipe, causal: bool, user: str) -> None:
    """Raise InputError where a network of tokens is causal and should not be, or the other way."""
    for name, call in recipe.networks.items():
        parameter = call.parameters().get("causal")
        if parameter is not None and call.arguments.get("causal", parameter.default) != causal:
            raise InputError(
                f"a network that {'is' if causal else 'is not'} causal for {user}",
                came=call.name,
                remedy=f"set networks.{name}.causal={str(causal).lower()}",
            )
