"""Guidance: predictor to predictor."""

from vesalius.generative.guidance.data_consistency import DataConsistency
from vesalius.generative.guidance.guidance import Guidance, Scene, guided

__all__ = ["DataConsistency", "Guidance", "Scene", "guided"]
