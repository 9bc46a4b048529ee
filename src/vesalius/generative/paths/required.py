"""Whether a recipe's path fits the parts that use it."""

from __future__ import annotations

from typing import Any

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe


def require_path(recipe: Recipe, kind: Any, user: str) -> Any:
    """The class of the recipe's path; raises InputError where it is no subclass of ``kind``."""
    found = recipe.path.target if recipe.path else None
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise InputError(
            f"a {kind.__name__} for {user}",
            came="none" if recipe.path is None else recipe.path.name,
            remedy="choose the recipe's path; see: vesalius list paths",
        )
    return found
