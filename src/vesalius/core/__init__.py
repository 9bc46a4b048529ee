"""The words that every room shares."""

from vesalius.core.batch import Batch, Shape
from vesalius.core.call import Call
from vesalius.core.errors import InputError, MissingExtra, UnknownName
from vesalius.core.image import Image
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.core.record import Record

__all__ = [
    "Batch",
    "Budget",
    "Call",
    "Image",
    "InputError",
    "MissingExtra",
    "Optimiser",
    "Provenance",
    "Recipe",
    "Record",
    "Shape",
    "Start",
    "UnknownName",
]
