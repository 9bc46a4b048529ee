"""A pair of encoders that Vesalius trained by contrast, as metrics of image and text take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vesalius.data.vocabulary import Vocabulary
from vesalius.generative.objectives.contrastive import directions
from vesalius.generative.objectives.objective import Networks
from vesalius.metrics.feature import ImageTextEncoder


def contrastive_pair(
    name: str,
    networks: Networks,
    vocabulary: Vocabulary,
    to_model: Callable[[Tensor], Tensor],
) -> ImageTextEncoder:
    """The encoders of a run of the objective ``Contrastive(given="text")``.

    Parameters
    ----------
    name:
        Which run; part of every number made with it.
    networks:
        Trained ones: "given_encoder" of tokens and "wanted_encoder" of images.
    vocabulary:
        The one that the run read texts with.
    to_model:
        From images in physical units to the units that the run was trained in.
    """

    def images(physical: Tensor) -> Tensor:
        with torch.inference_mode():
            found: Tensor = networks["wanted_encoder"](to_model(physical).float())
        return found.double().clone()

    def texts(said: Sequence[str]) -> Tensor:
        with torch.inference_mode():
            found = networks["given_encoder"](vocabulary.read(list(said)))
        return directions(found).double().clone()

    return ImageTextEncoder(name, images, texts)
