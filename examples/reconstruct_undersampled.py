"""Measure a digital head with eight coils and a quarter of k-space, and reconstruct it three ways.

Run it with ``python examples/reconstruct_undersampled.py``; it takes seconds and needs no training.
"""

from __future__ import annotations

import torch

from vesalius.anatomy import DigitalPatients
from vesalius.core.rng import numpy_stream
from vesalius.metrics.pixel import NMSE, PSNR
from vesalius.physics import magnitude
from vesalius.physics.mri import UndersampledMRI, cg_sense, total_variation, zero_filled


def main() -> None:
    source = DigitalPatients(n=1, size=(128, 128))
    image = source.read(source.cases()[0])["t1"].data
    image = (image / image.max()).float()
    complex_image = torch.cat([image, torch.zeros_like(image)])  # real and imaginary part

    degradation = UndersampledMRI(acceleration=4)
    record = degradation.draw(numpy_stream(0, "example"), tuple(image.shape[1:]))
    measurement, operator = degradation.apply(complex_image, record)
    print(f"{len(record['sampling']['lines'])} of {image.shape[-1]} lines measured")

    y = measurement[None]
    ways = {
        "zero filling": zero_filled(y, operator),
        "CG-SENSE": cg_sense(y, operator),
        "total variation": total_variation(y, operator),
    }
    errors = {}
    for name, found in ways.items():
        drawn, truth = magnitude(found), image[None]
        errors[name] = float(NMSE().statistic(drawn, truth))
        psnr = float(PSNR(1.0).statistic(drawn, truth))
        print(f"{name:>16}: NMSE {errors[name]:.4f}, PSNR {psnr:.1f} dB")
    assert errors["total variation"] < errors["zero filling"]


if __name__ == "__main__":
    main()
