"""Text agreement after BmU, for images: whether a description says what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_text import cosines
from vesalius.metrics.metric import Metric

#: n texts to their vectors ``(n, feature)``.
SentenceEncoder = Callable[[Sequence[str]], Tensor]


class TextAgreement(Metric):
    """What is said of a drawing beside what was asked for, by a named sentence encoder.

    Parameters
    ----------
    encoder:
        n texts to ``(n, feature)``.
    encoder_name:
        Which one, for the report.
    """

    level = "feature"
    direction = "up"

    def __init__(self, encoder: SentenceEncoder, encoder_name: str) -> None:
        self.encoder = encoder
        self.encoder_name = encoder_name

    @property
    def unit(self) -> str:
        """A cosine."""
        return "1"


class ImageTextAgreement(TextAgreement):
    """Cosine of the sentence vectors of a prompt and of a caption of the image drawn from it.

    After BmU-I of Bora: the paper's exact definition was not found, so its numbers do not compare.
    The captions come from a caption function of the user's, or from a classifier's labels
    (:func:`labels_as_text`); both they and the sentence encoder belong to the number.

    References
    ----------
    Sun et al. 2024, arXiv:2407.08944; Reimers and Gurevych 2019, arXiv:1908.10084.
    """

    name = "text_agreement_image"
    citation = "after Sun et al. 2024 (BmU-I), arXiv:2407.08944"

    def statistic(self, captions: Sequence[str], prompts: Sequence[str]) -> Tensor:
        """``(n,)`` float64 from -1 to 1; InputError for unlike numbers and empty texts."""
        if len(captions) != len(prompts):
            raise InputError(f"one caption for each of {len(prompts)} prompts", came=len(captions))
        for what, texts in (("caption", captions), ("prompt", prompts)):
            for index, text in enumerate(texts):
                if not text.strip():
                    raise InputError(f"a {what} with words", came="none", case=f"case {index}")
        return cosines(self.encoder(captions), self.encoder(prompts))


def labels_as_text(
    probabilities: Tensor,
    labels: Sequence[str],
    *,
    threshold: float = 0.5,
    before: str = "",
    otherwise: str = "no finding",
) -> list[str]:
    """Captions from a classifier: the labels above ``threshold``, the likeliest first.

    Parameters
    ----------
    probabilities:
        ``(n, label)``, each in [0, 1].
    before, otherwise:
        Words in front of every caption ("chest radiograph with "), and instead of no label.

    >>> import torch
    >>> labels_as_text(torch.tensor([[0.6, 0.9], [0.1, 0.2]]), ["oedema", "effusion"])
    ['effusion, oedema', 'no finding']
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels):
        raise InputError(
            f"probabilities of shape (n, {len(labels)})", came=f"{tuple(probabilities.shape)}"
        )
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise InputError("probabilities from 0 to 1", came="others")
    captions = []
    for row in probabilities.tolist():
        order = sorted(range(len(labels)), key=lambda place: -row[place])
        said = ", ".join(labels[place] for place in order if row[place] > threshold)
        captions.append(before + (said or otherwise))
    return captions
