"""Texts as tokens: pieces of words that were learnt from training texts, or those of a package."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from vesalius.core.errors import InputError, MissingExtra
from vesalius.core.sentence_model import sentence_model

#: Tokens after the end of a text, of words that cannot be spelt, and before the first word.
PADDING, UNKNOWN, START = 0, 1, 2
_SPECIAL = ("[padding]", "[unknown]", "[start]")


class Vocabulary(ABC):
    """How texts become tokens; tokens of a text are at most ``length``."""

    length: int

    @property
    @abstractmethod
    def kinds(self) -> int:
        """Kinds of tokens, those that stand for no word included."""

    @abstractmethod
    def pieces(self, text: str) -> list[int]:
        """Tokens of one text, however many; at least one."""

    @abstractmethod
    def unknown(self, text: str) -> tuple[str, ...]:
        """Words of ``text`` that cannot be read, in order."""

    def read(self, texts: Sequence[str], cases: Sequence[str] = ()) -> Tensor:
        """Tokens ``(text, length)``, int64, with zeros after the end of each.

        Raises InputError for a text that is too long, naming its case and never the text.
        """
        tokens = torch.full((len(texts), self.length), PADDING, dtype=torch.int64)
        for row, text in enumerate(texts):
            found = self.pieces(text)
            if len(found) > self.length:
                raise InputError(
                    f"a text of at most {self.length} tokens",
                    came=f"{len(found)}",
                    case=cases[row] if cases else f"text {row + 1}",
                    remedy="shorten it, or train with a larger task.text_length",
                )
            tokens[row, : len(found)] = torch.tensor(found)
        return tokens


class LearntVocabulary(Vocabulary):
    """Pieces of words, by byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909).

    Capitals and small letters are not told apart, and every digit is a piece, so that numbers which
    no training text has can be read. New words are spelt in pieces; letters and signs that no
    training text has are an unknown token.

    Parameters
    ----------
    rules:
        The tokeniser of the package ``tokenizers``, as its JSON.
    length:
        Tokens at most in a text.
    """

    def __init__(self, rules: str, length: int) -> None:
        self.rules = rules
        self.length = length

    @staticmethod
    def learn(texts: Iterable[str], *, size: int, length: int) -> LearntVocabulary:
        """At most about ``size`` pieces of the words of ``texts``; the same texts, the same pieces.

        Raises InputError where there are no words, and for texts longer than ``length``.
        """
        library = _tokenizers()
        known = sorted(set(texts))
        if not any(text.strip() for text in known):
            raise InputError("texts to learn words from", came="none")
        made = library.Tokenizer(library.models.BPE(unk_token=_SPECIAL[UNKNOWN], fuse_unk=True))
        made.normalizer = library.normalizers.Sequence(
            [library.normalizers.NFKC(), library.normalizers.Lowercase()]
        )
        before = library.pre_tokenizers
        made.pre_tokenizer = before.Sequence(
            [before.Metaspace(), before.Punctuation(), before.Digits(individual_digits=True)]
        )
        trainer = library.trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(_SPECIAL),
            initial_alphabet=list("0123456789"),
            show_progress=False,
        )
        made.train_from_iterator(known, trainer)
        return LearntVocabulary(made.to_str(), length)

    @cached_property
    def _tokeniser(self) -> Any:
        return _tokenizers().Tokenizer.from_str(self.rules)

    @property
    def kinds(self) -> int:
        """Pieces, and the three tokens that are none."""
        return int(self._tokeniser.get_vocab_size())

    def pieces(self, text: str) -> list[int]:
        """The start token, then the text's."""
        return [START, *self._tokeniser.encode(text).ids]

    def unknown(self, text: str) -> tuple[str, ...]:
        """See :class:`Vocabulary`."""
        return _unread(text, self._tokeniser, UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"rules": json.loads(self.rules), "length": self.length}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> LearntVocabulary:
        """What :meth:`to_json` wrote."""
        return LearntVocabulary(json.dumps(data["rules"]), int(data["length"]))


class SentenceVocabulary(Vocabulary):
    """Word pieces of all-MiniLM-L6-v2, 30,522 of them, from the package that ships it.

    They are what :class:`~vesalius.networks.sentence_encoder.SentenceEncoder` reads. Needs the
    extra ``text``.
    """

    def __init__(self, length: int = 64) -> None:
        if not 2 <= length <= 512:
            raise InputError("from 2 to 512 tokens", came=length)
        self.length = length

    @cached_property
    def _tokeniser(self) -> Any:
        file = sentence_model() / "tokenizer.json"
        tokeniser = _tokenizers().Tokenizer.from_file(str(file))
        tokeniser.no_truncation()
        tokeniser.no_padding()
        return tokeniser

    @property
    def kinds(self) -> int:
        """30,522."""
        return int(self._tokeniser.get_vocab_size())

    def pieces(self, text: str) -> list[int]:
        """The text's between the tokens [CLS] and [SEP]."""
        return list(self._tokeniser.encode(text).ids)

    def unknown(self, text: str) -> tuple[str, ...]:
        """See :class:`Vocabulary`."""
        return _unread(text, self._tokeniser, self._tokeniser.token_to_id("[UNK]"))


def _unread(text: str, tokeniser: Any, unknown: int) -> tuple[str, ...]:
    """The words of a text that have the token ``unknown`` in them."""
    return tuple(
        word
        for word in text.split()
        if unknown in tokeniser.encode(word, add_special_tokens=False).ids
    )


def _tokenizers() -> Any:
    try:
        import tokenizers
        import tokenizers.models
        import tokenizers.normalizers
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError:
        raise MissingExtra("tokenizers", "text") from None
    return tokenizers
