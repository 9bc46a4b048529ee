"""Features of places in an image as vectors of length one."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError


class PatchProjection(nn.Module):
    """A two-layer perceptron for every feature map of a generator, to the unit sphere.

    Parameters
    ----------
    width:
        That of the generator.
    multiples:
        Channels of its feature maps as multiples of ``width``; those of
        :class:`~vesalius.networks.resnet_generator.ResnetGenerator` by default.
    features:
        Length of the vectors.

    Reference: Park et al., Contrastive learning for unpaired image-to-image translation, ECCV 2020,
    arXiv:2007.15651.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        multiples: tuple[int, ...] = (1, 2, 4, 4, 4),
        features: int = 64,
    ) -> None:
        super().__init__()
        self.channels = tuple(width * multiple for multiple in multiples)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, features), nn.ReLU(), nn.Linear(features, features))
            for channels in self.channels
        )

    def forward(self, places: Sequence[Tensor]) -> list[Tensor]:
        """(batch, places, channels) of every feature map to (batch, places, features) of each.

        Raises InputError where these are not the channels that it was built for.
        """
        came = tuple(place.shape[-1] for place in places)
        if came != self.channels:
            raise InputError(
                f"feature maps of {', '.join(map(str, self.channels))} channels",
                came=", ".join(map(str, came)),
                case="PatchProjection",
                remedy="set networks.projection.width to that of the generator",
            )
        return [
            functional.normalize(layer(place), dim=-1)
            for layer, place in zip(self.layers, places, strict=True)
        ]
