"""Where images come from: a source lists its cases and reads one at a time."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from vesalius.core.image import Image


def pseudonym(identity: str, salt: str) -> str:
    """Sixteen hexadecimal digits that stand for ``identity``: a keyed hash (BLAKE2b).

    The same identity and salt give the same digits in every process. Whoever knows the salt can
    test a guessed identity, so a salt that protects patients is long and secret.

    >>> pseudonym("Doe^Jane", "a") == pseudonym("Doe^Jane", "a")
    True
    >>> pseudonym("Doe^Jane", "a") == pseudonym("Doe^Jane", "b")
    False
    """
    key = hashlib.blake2b(salt.encode()).digest()
    return hashlib.blake2b(identity.encode(), key=key, digest_size=8).hexdigest()


@dataclass(frozen=True)
class Case:
    """One case of a source.

    ``identifier`` and ``patient`` are safe to print: a source that reads files with identities
    replaces them by a keyed hash. ``partition`` is the source's own official one ("train",
    "validation", "test") or "" where it has none. ``site``, ``covariates`` serve shifts and
    subgroups.
    """

    identifier: str
    patient: str
    partition: str = ""
    site: str = ""
    covariates: Mapping[str, float | str] = field(default_factory=dict)


class Source(ABC):
    """A data set.

    Constructors store their arguments; files are opened by :meth:`cases` and :meth:`read`. A source
    may be larger than memory: :meth:`read` is called as batches are made.
    """

    name: ClassVar[str]
    licence: ClassVar[str]
    citation: ClassVar[str]

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path) -> bool:
        """Whether ``path`` holds data of this kind, told from names and not from content."""

    @abstractmethod
    def channels(self) -> Mapping[str, str]:
        """What :meth:`read` returns: channel to modality, e.g. ``{"mr": "MR", "ct": "CT"}``."""

    @abstractmethod
    def cases(self) -> tuple[Case, ...]:
        """All cases, in an order that never changes."""

    @abstractmethod
    def read(self, case: Case) -> Mapping[str, Image]:
        """The images of a case by channel; raises InputError naming the case if it is broken."""
