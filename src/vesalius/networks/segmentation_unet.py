"""A U-Net that segments: for studies of what drawn images are good for."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, join


class SegmentationUNet(ImageNetwork):
    """MONAI's ``DynUNet`` under our contract, the U-Net of nnU-Net; what comes out are logits.

    Parameters
    ----------
    channels_in, dims, condition_channels:
        See :class:`~vesalius.networks.image_network.ImageNetwork`; the condition is concatenated.
    channels_out:
        Number of classes, background included.
    width:
        Channels at full resolution; they double downwards.
    levels:
        Number of resolutions, at least 3.
    residual:
        Whether every block is added to what came into it.
    dropout:
        Part of the features dropped in train mode.

    Reference: Isensee et al., nnU-Net, Nature Methods 2021, doi:10.1038/s41592-020-01008-z.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 16,
        levels: int = 4,
        residual: bool = False,
        dropout: float = 0.0,
    ) -> None:
        if levels < 3:
            raise InputError("at least three levels", came=levels, case="SegmentationUNet")
        from monai.networks import nets

        # instance normalisation needs more than one voxel at the lowest resolution
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            multiple=2 ** (levels - 1),
            minimum=2**levels,
        )
        strides = [1] + [2] * (levels - 1)
        self.network = nets.DynUNet(
            spatial_dims=dims,
            in_channels=channels_in + condition_channels,
            out_channels=channels_out,
            kernel_size=[3] * levels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=[width * 2**level for level in range(levels)],
            dropout=dropout or None,
            res_block=residual,
        )
        # MONAI lists its layers a second time for TorchScript; a checkpoint holds each just once
        for twice in ("input_block", "downsamples", "bottleneck", "upsamples"):
            delattr(self.network, twice)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        logits: Tensor = self.network(join(x, condition))
        return logits
