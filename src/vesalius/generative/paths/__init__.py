"""Paths between images and noise, or between one image and another."""

from vesalius.generative.paths.cosine import CosinePath
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.karras import KarrasPath
from vesalius.generative.paths.path import Path, Prediction

__all__ = ["CosinePath", "GaussianPath", "KarrasPath", "Path", "Prediction"]
