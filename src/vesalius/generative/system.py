"""A system: networks and the mathematics that trains them and draws with them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch, Shape
from vesalius.core.recipe import Recipe
from vesalius.core.rng import derive, torch_stream
from vesalius.generative.codecs import Codec, TokenCodec
from vesalius.generative.conditioning import Concatenation, Conditioning, require_readers
from vesalius.generative.guidance.guidance import Guidance, Scene, guided
from vesalius.generative.objectives.objective import Interface, Objective, require_networks
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Any:
    """Torch's own generators seeded inside the block and put back after it.

    For what takes no generator: weight initialisation and dropout.
    """
    device = torch.device(device)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True, eq=False)
class System:
    """What a recipe builds for a task's shape: networks, and maths without state."""

    recipe: Recipe
    shape: Shape
    objective: Objective
    sampler: Sampler
    guidance: tuple[Guidance, ...]
    networks: Mapping[str, nn.Module]
    conditioning: Conditioning
    codec: Codec | None = None

    @staticmethod
    def build(recipe: Recipe, shape: Shape, seed: int) -> System:
        """Build every part; weights are drawn from ``seed``."""
        path = recipe.path.build() if recipe.path else None
        late: dict[str, Any] = {} if path is None else {"path": path}
        late |= {"kinds": shape.tokens, "categories": shape.categories}
        codec: Codec | None = recipe.codec.build(**late) if recipe.codec else None
        if codec is not None:
            late["codec"] = codec
        conditioning: Conditioning = Concatenation()
        if recipe.conditioning is not None:
            conditioning = late["conditioning"] = recipe.conditioning.build(**late)
        guidance = tuple(call.build(**late) for call in recipe.guidance)
        objective: Objective = recipe.objective.build(**late, guidance=guidance)
        sampler: Sampler = recipe.sampler.build(**late)
        require_networks(objective, recipe.networks)
        require_readers(conditioning, objective)
        networks: dict[str, nn.Module] = {}
        for name, interface in objective.interfaces(shape.given, shape.wanted).items():
            with seeded(derive(seed, "weights", name)):
                networks[name] = build_network(recipe, name, interface, shape.dims)
        return System(recipe, shape, objective, sampler, guidance, networks, conditioning, codec)

    def with_networks(self, networks: Mapping[str, nn.Module]) -> System:
        """The same system with other weights (a moving average, wrapped for a device)."""
        return replace(self, networks={**self.networks, **networks})

    @torch.no_grad()
    def draw(self, batch: Batch, size: tuple[int, ...], *, draws: int = 1, seed: int = 0) -> Tensor:
        """Draw ``(draws, batch, channel, *space)`` in model units for a batch of space ``size``.

        Draw k depends on ``seed``, k and the identifiers of the batch's cases.
        """
        networks = {name: self.networks[name] for name in self.objective.drawing()}
        device = next(iter(networks.values())).parameters().__next__().device
        batch = batch.to(device)
        for network in networks.values():
            network.eval()
        predict = self._guided(networks, batch)
        shape = self.objective.code_shape(networks, (batch.size, self.shape.wanted, *size))
        given = self.origin(batch)
        drawn = []
        for k in range(draws):
            names: tuple[str | int, ...] = ("draw", k, *batch.cases)
            rng = torch_stream(seed, *names, device=device)
            with seeded(derive(seed, "dropout", *names), device):
                code = self.sampler.sample(predict, shape, rng, given)
                if self.codec is not None:
                    code = self.codec.decode(code, batch)
                drawn.append(self.objective.decode(networks, code, batch, size))
        return torch.stack(drawn)

    def origin(self, batch: Batch) -> Tensor | None:
        """The given image in the path's coordinates, where it resembles the wanted one."""
        given = self.conditioning.origin(batch, self.shape.wanted)
        if given is None or self.codec is None:
            return given
        return self.codec.encode(given, batch)

    def _guided(self, networks: Mapping[str, nn.Module], batch: Batch) -> Predictor:
        """The predictor under all guidance.

        Guidance sees images, the path a codec's codes; of tokens, both see logits.
        """
        codec = self.codec
        own = partial(self.objective.predictor, networks)
        if codec is None or isinstance(codec, TokenCodec):
            return guided(own(batch), self.guidance, Scene(batch, networks, own))

        def images(other: Batch) -> Predictor:
            inner = own(other)

            def image(x: Tensor | None, time: Tensor | None) -> Tensor:
                return codec.decode(inner(x, time), other)

            return image

        heeding = guided(images(batch), self.guidance, Scene(batch, networks, images))

        def code(x: Tensor | None, time: Tensor | None) -> Tensor:
            return codec.encode(heeding(x, time), batch)

        return code


def build_network(recipe: Recipe, name: str, interface: Interface, dims: int) -> nn.Module:
    """The network ``name`` of ``recipe``, told its interface."""
    network: nn.Module = recipe.networks[name].build(
        channels_in=interface.channels_in,
        channels_out=interface.channels_out * (dims if interface.per_axis else 1),
        condition_channels=interface.condition_channels,
        takes_level=interface.takes_level,
        categories=interface.categories,
        dims=dims,
    )
    return network
