"""A discriminator that judges every patch of an image."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as with_spectral_norm

from vesalius.networks.image_network import check_input, join
from vesalius.networks.padding import pad


class PatchDiscriminator(nn.Module):
    """MONAI's PatchGAN discriminator under our contract.

    Normalised by instance: MONAI's own default, by batch, ties the cases of a small batch together
    and judges real and drawn batches by different statistics. An image with fewer than ``3 *
    2**n_layers`` voxels along an axis is mirrored at its borders up to that.

    Parameters
    ----------
    channels_in:
        Channels of the image that is judged.
    channels_out:
        Logits a patch.
    dims:
        Axes of space.
    condition_channels:
        Channels of the image given to the generator, where pairs are judged; concatenated.
    width:
        Channels behind the first convolution; they double with every further one (64 in the paper).
    n_layers:
        Convolutions between the first and the last one, all but one of them strided: with 3, a
        patch is 70 voxels wide.
    norm:
        What the convolutions between are normalised by.
    spectral_norm:
        Whether the largest singular value of every convolution is held at one (Miyato et al., ICLR
        2018, arXiv:1802.05957).

    Reference: Isola et al., Image-to-image translation with conditional adversarial networks, CVPR
    2017, arXiv:1611.07004.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 1,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        n_layers: int = 3,
        norm: Literal["instance", "none"] = "instance",
        spectral_norm: bool = False,
    ) -> None:
        from monai.networks import nets

        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.minimum = 3 * 2**n_layers
        self.layers = nets.PatchDiscriminator(
            spatial_dims=dims,
            channels=width,
            in_channels=channels_in + condition_channels,
            out_channels=channels_out,
            num_layers_d=n_layers,
            norm="INSTANCE" if norm == "instance" else None,
            bias=norm == "none",
        )
        if spectral_norm:
            for module in list(self.layers.modules()):
                if isinstance(module, nn.Conv2d | nn.Conv3d):
                    with_spectral_norm(module)

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[Tensor]:
        """Give every layer's map ``(batch, channel, *fewer voxels)``, the logits last.

        Arguments and errors are those of :meth:`forward`.
        """
        check_input(self, x, level, condition)
        features: list[Tensor] = self.layers(pad(join(x, condition), 1, self.minimum))
        return features

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to a map of logits ``(batch, channels_out, *patches)``.

        Raises InputError for a level, which it does not take, and for shapes that do not fit.
        """
        return self.features(x, level, condition)[-1]
