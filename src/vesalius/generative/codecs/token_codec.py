"""Codecs whose codes are tokens."""

from __future__ import annotations

from abc import abstractmethod

from vesalius.generative.codecs.codec import Codec


class TokenCodec(Codec):
    """Images to tokens ``(batch, *space)``, int64 from 0 to ``kinds`` - 1, and back."""

    @property
    @abstractmethod
    def kinds(self) -> int:
        """How many different tokens there are."""
