"""Codecs: the coordinates in which a system learns and draws."""

from vesalius.generative.codecs.codec import Codec
from vesalius.generative.codecs.grey_levels import GreyLevels
from vesalius.generative.codecs.residual import Residual
from vesalius.generative.codecs.token_codec import TokenCodec

__all__ = ["Codec", "GreyLevels", "Residual", "TokenCodec"]
