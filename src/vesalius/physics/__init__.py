"""How a scanner turns anatomy into measurements, and the way back without learning."""

from vesalius.physics.complex_image import as_channels, as_complex, magnitude
from vesalius.physics.conjugate_gradient import conjugate_gradient
from vesalius.physics.degradation import Degradation, DrawnRecord
from vesalius.physics.operator import Identity, LinearOperator, TensorSpace, collate
from vesalius.physics.operator_norm import operator_norm
from vesalius.physics.proximal import proximal

__all__ = [
    "Degradation",
    "DrawnRecord",
    "Identity",
    "LinearOperator",
    "TensorSpace",
    "as_channels",
    "as_complex",
    "collate",
    "conjugate_gradient",
    "magnitude",
    "operator_norm",
    "proximal",
]
