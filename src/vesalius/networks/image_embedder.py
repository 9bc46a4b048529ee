"""An image as a vector of length one, to be compared with others."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.classifier import SmallClassifier
from vesalius.networks.image_network import check_input


class ImageEmbedder(nn.Module):
    """The small classifier's residual blocks and a linear layer, to the unit sphere.

    Parameters
    ----------
    channels_in:
        Channels of the image.
    channels_out:
        Length of the vector.
    dims, condition_channels, takes_level, width, levels, dropout:
        See :class:`~vesalius.networks.classifier.SmallClassifier`.

    Reference: Radford et al., Learning transferable visual models from natural language
    supervision, ICML 2021, arXiv:2103.00020 (how vectors are compared).

    >>> import torch
    >>> embedder = ImageEmbedder(channels_in=1, channels_out=16, width=4)
    >>> embedder(torch.rand(2, 1, 28, 28)).square().sum(1).allclose(torch.ones(2))
    True
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 64,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 16,
        levels: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.network = SmallClassifier(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            width=width,
            levels=levels,
            dropout=dropout,
        )

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Features before the linear layer, which serve other tasks better.

        ``(batch, width * 2**(levels - 1))``; arguments and errors are those of :meth:`forward`.
        """
        check_input(self, x, level, condition)
        return self.network.features(x, level, condition)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to (batch, channels_out), each of Euclidean length 1.

        Raises InputError for anything that does not fit the constructor's arguments.
        """
        check_input(self, x, level, condition)
        return functional.normalize(self.network(x, level, condition), dim=1)
