"""Features of an encoder that was trained on the user's own real images, and on nobody judged."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.metrics.feature.network_features import NetworkFeatures
from vesalius.metrics.feature.own_network import OwnNetwork

#: Under this key the card lies in the metadata of the safetensors file.
CARD = "vesalius_own_encoder"


def patient_digests(patients: Iterable[str], salt: str) -> tuple[str, ...]:
    """One digest a patient, sorted: who has no list of identifiers learns none from them."""
    key = hashlib.blake2b(salt.encode()).digest()
    return tuple(
        sorted(
            hashlib.blake2b(str(patient).encode(), key=key, digest_size=16).hexdigest()
            for patient in set(patients)
        )
    )


@dataclass(frozen=True)
class EncoderCard:
    """What stands beside the weights: how they came to be, and whom they have seen.

    Parameters
    ----------
    width, size:
        Of the network, and pixels along each side at its input.
    window:
        (low, high) in the unit of the images, as it was trained.
    salt, patients:
        Digests of the patients trained on; no identifiers.
    images, steps, seed, method:
        How many images, for how long, from which stream and how.
    partners_found, among:
        How often in the end a view of an image was nearest to the other one, among so many images.
    """

    width: int
    size: int
    window: tuple[float, float]
    salt: str
    patients: tuple[str, ...]
    images: int
    steps: int
    seed: int
    method: str
    partners_found: float
    among: int

    @staticmethod
    def from_json(text: str) -> EncoderCard:
        """What :func:`write_encoder` wrote."""
        data: dict[str, Any] = json.loads(text)
        data["window"] = tuple(data["window"])
        data["patients"] = tuple(data["patients"])
        return EncoderCard(**data)


def write_encoder(path: Path, network: OwnNetwork, card: EncoderCard) -> None:
    """Write weights and card as one safetensors file, whole or not at all."""
    from safetensors.torch import save

    weights = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    write_atomically(path, save(weights, metadata={CARD: json.dumps(asdict(card))}))


class OwnFeatures(NetworkFeatures):
    """Features of an encoder that Vesalius trained on a site's real training images.

    ``vesalius.evaluation.own_encoder.train_encoder`` makes the file. The extractor's name is the
    file's; features are in standard deviations of the training images. :meth:`require_unseen`
    refuses patients that it was trained on. Read when first used; InputError for a missing file,
    another kind of file, and a window other than that of training.

    Parameters
    ----------
    path:
        A safetensors file.
    window, slices, at_once:
        As in :class:`NetworkFeatures`; the size is that of the training.
    """

    citation = "Chen et al. 2020, arXiv:2002.05709 (contrastive, trained on the user's images)"

    def __init__(
        self,
        path: str | Path,
        window: tuple[float, float],
        *,
        slices: int = 1,
        at_once: int = 64,
    ) -> None:
        super().__init__(window, slices=slices, at_once=at_once)
        self.path = Path(path)
        self.name = self.path.stem  # type: ignore[misc]

    @cached_property
    def _read(self) -> tuple[EncoderCard, OwnNetwork]:
        from safetensors import SafetensorError, safe_open

        if not self.path.is_file():
            raise InputError(
                "an encoder that Vesalius trained",
                came="no such file",
                case=self.path,
                remedy="train one on your real training images with "
                "vesalius.evaluation.own_encoder.train_encoder, or use radiomics",
            )
        kind = "a safetensors file of an encoder that Vesalius trained"
        try:
            with safe_open(self.path, framework="pt") as file:
                note = dict(file.metadata() or {})
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise InputError(kind, came=str(error), case=self.path) from None
        if CARD not in note:
            raise InputError(
                kind,
                came="weights of something else",
                case=self.path,
                remedy="save another network with torch.jit.script(network).save(NAME.pt)",
            )
        card = EncoderCard.from_json(note[CARD])
        if not all(
            math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-9)
            for ours, theirs in zip(self.window, card.window, strict=True)
        ):
            raise InputError(
                f"the window of its training, {card.window[0]:g} to {card.window[1]:g}",
                came=f"{self.window[0]:g} to {self.window[1]:g}",
                case=self.path,
                remedy="judge in that window, or train an encoder for this one",
            )
        network = OwnNetwork(card.width)
        network.load_state_dict(weights)
        self.size = card.size
        return card, network.eval().requires_grad_(False)

    @property
    def card(self) -> EncoderCard:
        """How the encoder was trained."""
        return self._read[0]

    @property
    def network(self) -> OwnNetwork:
        """The network of the file, in evaluation mode."""
        return self._read[1]

    def require_unseen(self, patients: Sequence[str]) -> None:
        """Raise InputError if the encoder was trained on one of ``patients``."""
        seen = set(patient_digests(patients, self.card.salt)) & set(self.card.patients)
        if seen:
            raise InputError(
                "patients that the encoder was not trained on",
                came=f"{len(seen)} of {len(set(patients))} that it was",
                case=self.path,
                remedy="judge other patients, or train an encoder without these",
            )

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, *space)`` in physical units to ``(batch, feature)`` float64 on the CPU."""
        assert self.network is not None  # the file tells the size at the network's input
        return super().features(images, mask)

    def pooled(self, photographs: Tensor) -> Tensor:
        """``(n, 3, size, size)`` in [0, 1] to ``(n, feature)``; the three are one grey channel."""
        found: Tensor = self.network.to(photographs.device).scaled(photographs[:, :1])
        return found
