"""Text agreement after BmU, for sequences: whether what is seen over time is what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.text_agreement import ImageTextAgreement, TextAgreement

#: One sequence ``(channel, time, *space)`` to its captions: one of the whole, or one a frame.
Captioner = Callable[[Tensor], Sequence[str]]


class SequenceTextAgreement(TextAgreement):
    """Mean cosine of the sentence vectors of a prompt and of the captions of its sequence.

    After BmU-V of Bora: the paper's exact definition was not found, so its numbers do not compare.
    A sequence has one caption of the whole, or one of each frame (or of some), whose cosines are
    averaged; who captions and which encoder belong to the number. With one caption it is
    :class:`~vesalius.metrics.feature.text_agreement.ImageTextAgreement`.

    References
    ----------
    Sun et al. 2024, arXiv:2407.08944; Reimers and Gurevych 2019, arXiv:1908.10084.
    """

    name = "text_agreement_sequence"
    citation = "after Sun et al. 2024 (BmU-V), arXiv:2407.08944"

    def statistic(self, captions: Sequence[Sequence[str]], prompts: Sequence[str]) -> Tensor:
        """Captions of each sequence and its prompt to ``(n,)`` float64 from -1 to 1.

        InputError for unlike numbers, a sequence without captions, and empty texts.
        """
        if len(captions) != len(prompts):
            raise InputError(f"captions for each of {len(prompts)} prompts", came=len(captions))
        for index, said in enumerate(captions):
            if isinstance(said, str):
                raise InputError(
                    "a list of captions for every sequence", came="one text",
                    case=f"case {index}", remedy="put it in a list",
                )  # fmt: skip
            if not said:
                raise InputError("a caption", came="none", case=f"case {index}")
        told = [caption for said in captions for caption in said]
        asked = [
            prompt for said, prompt in zip(captions, prompts, strict=True) for _ in range(len(said))
        ]
        of_captions = ImageTextAgreement(self.encoder, self.encoder_name).statistic(told, asked)
        parts = torch.split(of_captions, [len(said) for said in captions])
        return torch.stack([part.mean() for part in parts])

    def score(
        self, sequences: Sequence[Tensor], prompts: Sequence[str], captioner: Captioner
    ) -> Tensor:
        """``(n,)`` of sequences ``(channel, time, *space)``, which ``captioner`` describes."""
        return self.statistic([captioner(sequence) for sequence in sequences], prompts)
