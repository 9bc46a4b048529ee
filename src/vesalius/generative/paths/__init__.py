"""Paths between noise and images."""

from vesalius.generative.paths.cosine import CosinePath
from vesalius.generative.paths.karras import KarrasPath
from vesalius.generative.paths.path import GaussianPath

__all__ = ["CosinePath", "GaussianPath", "KarrasPath"]
