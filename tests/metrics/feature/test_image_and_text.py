"""Image and text: cosines by hand, TorchScript pairs, captions from labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from sklearn.metrics.pairwise import paired_cosine_distances
from torch import Tensor, nn

from vesalius.core import InputError
from vesalius.metrics import title
from vesalius.metrics.feature import (
    CLIPSimilarity,
    ImageTextAgreement,
    ImageTextEncoder,
    MedCLIPScore,
    labels_as_text,
    scripted_pair,
)


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_cosines_against_scikit_learn() -> None:
    images, texts = normal(0, 20, 6), normal(1, 20, 6)
    expected = 1 - paired_cosine_distances(images.numpy(), texts.numpy())
    found = CLIPSimilarity().statistic(images, texts)
    assert found.tolist() == pytest.approx(expected.tolist())
    assert MedCLIPScore().statistic(images, texts).tolist() == pytest.approx(
        (100 * expected.clip(0)).tolist()
    )
    # the length of a vector says nothing; a text of its own agrees best
    torch.testing.assert_close(CLIPSimilarity().statistic(images * 9, texts / 3), found)
    assert CLIPSimilarity().statistic(images, images).tolist() == pytest.approx([1] * 20)
    assert CLIPSimilarity().statistic(images, -images).tolist() == pytest.approx([-1] * 20)
    for metric in (CLIPSimilarity(), MedCLIPScore()):
        assert metric.direction == "up"


def test_vectors_that_cannot_be() -> None:
    good = normal(2, 4, 3)
    with pytest.raises(InputError, match="as many vectors"):
        CLIPSimilarity().statistic(good, good[:3])
    with pytest.raises(InputError, match="as many as real ones"):
        CLIPSimilarity().statistic(good, good[:, :2])
    with pytest.raises(InputError, match="case 1: expected features that have a direction"):
        CLIPSimilarity().statistic(good, torch.cat([good[:1], good[:1] * 0, good[2:]]))
    with pytest.raises(InputError, match="finite"):
        CLIPSimilarity().statistic(good * float("nan"), good)


class OfImage(nn.Module):
    """The mean grey value, and one."""

    def forward(self, x: Tensor) -> Tensor:
        grey = x[:, :1].mean((2, 3))
        return torch.cat([grey, torch.ones_like(grey)], 1)


class OfTokens(nn.Module):
    """The number of tokens, and one."""

    def forward(self, tokens: Tensor) -> Tensor:
        count = (tokens > 0).float().sum(1, keepdim=True)
        return torch.cat([count, torch.ones_like(count)], 1)


def words(texts: Sequence[str]) -> Tensor:
    tokens = torch.zeros(len(texts), 8, dtype=torch.int64)
    for row, text in enumerate(texts):
        tokens[row, : len(text.split())] = 1
    return tokens


def saved(network: nn.Module, path: Path) -> Path:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return path


def test_a_pair_of_files(tmp_path: Path) -> None:
    pair = scripted_pair(
        saved(OfImage(), tmp_path / "toyclip.pt"), saved(OfTokens(), tmp_path / "text.pt"), words,
        (0, 10), size=4, mean=(0, 0, 0), deviation=(0.5, 1, 1),
    )  # fmt: skip
    images = torch.tensor([0.0, 10.0]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4)
    # 0 and 1 in the window, over 1/2: vectors (0, 1) and (2, 1); texts of 1 and 2 words
    found = CLIPSimilarity().score(pair, images, ["oedema", "large effusion"])
    assert found.tolist() == pytest.approx([1 / 2**0.5, 1])
    assert pair.name == "toyclip"
    with pytest.raises(InputError, match="one text for each of 2 images, got 1"):
        CLIPSimilarity().score(pair, images, ["oedema"])
    missing = scripted_pair(tmp_path / "clip.pt", tmp_path / "no.pt", words, (0, 1))
    with pytest.raises(InputError, match="no such file"):
        missing.images(images)
    with pytest.raises(InputError, match=r"get weights from github.com/openai/CLIP"):
        missing.texts(["a"])


def letters(texts: Sequence[str]) -> Tensor:
    rows = [[float(text.count(letter)) for letter in "abc"] for text in texts]
    return torch.tensor(rows, dtype=torch.float64)


def test_text_agreement_by_hand() -> None:
    metric = ImageTextAgreement(letters, "letters")
    found = metric.statistic(["ab", "aab", "c"], ["ba", "b", "ab"])
    assert found.tolist() == pytest.approx([1, 1 / 5**0.5, 0])
    assert metric.encoder_name == "letters"
    assert title(metric) == "text agreement image"
    with pytest.raises(InputError, match="one caption for each of 2 prompts"):
        metric.statistic(["a"], ["a", "b"])
    with pytest.raises(InputError, match="case 1: expected a caption with words"):
        metric.statistic(["a", "  "], ["a", "b"])


def test_captions_from_labels() -> None:
    chances = torch.tensor([[0.2, 0.7, 0.9], [0.5, 0.1, 0.4]])
    labels = ["oedema", "effusion", "nodule"]
    assert labels_as_text(chances, labels, before="chest radiograph, ") == [
        "chest radiograph, nodule, effusion", "chest radiograph, no finding"
    ]  # fmt: skip
    assert labels_as_text(chances, labels, threshold=0.3, otherwise="normal")[1] == "oedema, nodule"
    with pytest.raises(InputError, match=r"shape \(n, 2\)"):
        labels_as_text(chances, labels[:2])
    with pytest.raises(InputError, match="from 0 to 1"):
        labels_as_text(chances * 2, labels)


def test_an_encoder_is_two_functions() -> None:
    pair = ImageTextEncoder("own", lambda images: images.flatten(1)[:, :3], letters)
    images = torch.tensor([[1.0, 1, 0], [0, 0, 1]]).reshape(2, 1, 1, 3)
    found = MedCLIPScore().score(pair, images, ["ab", "a"])
    assert found.tolist() == pytest.approx([100, 0])
