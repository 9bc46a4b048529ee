"""Guidance: predictor to predictor."""

from vesalius.generative.guidance.classifier import Classifier
from vesalius.generative.guidance.classifier_free import ClassifierFree
from vesalius.generative.guidance.clipped import Clipped
from vesalius.generative.guidance.data_consistency import DataConsistency
from vesalius.generative.guidance.guidance import Guidance, Scene, guided
from vesalius.generative.guidance.measurement import PosteriorSampling
from vesalius.generative.guidance.mixed_with_given import MixedWithGiven
from vesalius.generative.guidance.replacement import Replacement

__all__ = [
    "Classifier",
    "ClassifierFree",
    "Clipped",
    "DataConsistency",
    "Guidance",
    "MixedWithGiven",
    "PosteriorSampling",
    "Replacement",
    "Scene",
    "guided",
]
