"""Codecs: the coordinates in which a system learns and draws."""

from vesalius.generative.codecs.codec import Codec
from vesalius.generative.codecs.residual import Residual

__all__ = ["Codec", "Residual"]
