"""Paths between images and noise, or between one image and another."""

from vesalius.generative.paths.absorbing import HIDDEN, AbsorbingPath
from vesalius.generative.paths.aligned import AlignedPath
from vesalius.generative.paths.bridge import BridgePath
from vesalius.generative.paths.cold import ColdPath, LowPass
from vesalius.generative.paths.cosine import CosinePath
from vesalius.generative.paths.deformation import DeformationPath
from vesalius.generative.paths.flow import FlowPath
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.karras import KarrasPath
from vesalius.generative.paths.linear_beta import LinearBetaPath
from vesalius.generative.paths.path import Path, Prediction
from vesalius.generative.paths.poisson_flow import PoissonFlowPath
from vesalius.generative.paths.variance_exploding import VarianceExplodingPath

__all__ = [
    "HIDDEN",
    "AbsorbingPath",
    "AlignedPath",
    "BridgePath",
    "ColdPath",
    "CosinePath",
    "DeformationPath",
    "FlowPath",
    "GaussianPath",
    "KarrasPath",
    "LinearBetaPath",
    "LowPass",
    "Path",
    "PoissonFlowPath",
    "Prediction",
    "VarianceExplodingPath",
]
