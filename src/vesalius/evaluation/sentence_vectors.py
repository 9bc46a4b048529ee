"""Sentences as vectors, by the reader that the extra ``text`` holds: for agreements of texts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vesalius.data.vocabulary import SentenceVocabulary
from vesalius.generative.objectives.contrastive import directions
from vesalius.networks.sentence_encoder import SentenceEncoder

#: Part of the name of every number made with it.
SENTENCE_ENCODER = "all_minilm_l6_v2"


def sentence_vectors(texts: Sequence[str]) -> Tensor:
    """N texts to ``(n, 384)`` of length one, by all-MiniLM-L6-v2; MissingExtra without "text".

    Reference: Reimers and Gurevych 2019, arXiv:1908.10084.
    """
    tokens = SentenceVocabulary(length=256).read(list(texts))
    with torch.inference_mode():
        return directions(SentenceEncoder()(tokens)).double().clone()
