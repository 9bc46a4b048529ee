"""Two generators, two critics, and cycles in place of pairs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import Loss, Losses
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.adversarial import (
    AdversarialKind,
    critic_loss,
    generator_loss,
)
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class ImagePool:
    """The last ``size`` drawn images, half of what a critic sees (Shrivastava et al. 2017)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def exchange(self, drawn: Tensor, rng: torch.Generator) -> Tensor:
        """Each drawn image, or with probability one half an older one whose place it takes."""
        if self.size == 0:
            return drawn
        seen = []
        for image in drawn:
            if len(self.images) < self.size:
                self.images.append(image)
                seen.append(image)
                continue
            chance = torch.rand(2, generator=rng, device=rng.device)
            if float(chance[0]) < 0.5:
                place = min(int(float(chance[1]) * self.size), self.size - 1)
                seen.append(self.images[place])
                self.images[place] = image
            else:
                seen.append(image)
        return torch.stack(seen)


class UnpairedCycle(Objective):
    """CycleGAN (Zhu et al. 2017): adversarial, cycle and identity losses.

    Within a batch, wanted images are moved on by one case, so that no generator ever meets a case's
    own partner: batches need at least two cases. The identity loss needs as many channels given as
    wanted. ``structure`` are losses between each drawn image and the one that it was drawn from,
    which stands as both given and wanted: a cycle alone lets anatomy move, as long as it moves back
    (Yang et al. 2020, doi:10.1109/TMI.2020.3015379, with ``StructureConsistency``). ``supervised``
    are losses between each drawn image and its true partner, for cycles that are learnt from pairs
    after all (Lei et al. 2019, doi:10.1088/1361-6560/ab4891).
    """

    def __init__(
        self,
        *,
        kind: AdversarialKind = "least-squares",
        cycle: float = 10.0,
        identity: float = 0.5,
        structure: tuple[Loss, ...] = (),
        supervised: tuple[Loss, ...] = (),
        pool: int = 50,
    ) -> None:
        self.kind = kind
        self.cycle = cycle
        self.identity = identity
        self.structure = structure
        self.supervised = supervised
        self.pools = {"drawn": ImagePool(pool), "drawn_back": ImagePool(pool)}

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Both generators play together, then both critics."""
        return {
            "generators": ("generator", "generator_back"),
            "critics": ("critic", "critic_back"),
        }

    def drawing(self) -> tuple[str, ...]:
        """Forward alone."""
        return ("generator",)

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Given to wanted and back; a critic on either side."""
        if self.identity > 0 and given != wanted:
            raise InputError(
                "as many channels given as wanted for the identity loss",
                came=f"{given} and {wanted}",
                remedy="set objective.identity=0",
            )
        return {
            "generator": Interface(given, wanted),
            "generator_back": Interface(wanted, given),
            "critic": Interface(wanted, 1),
            "critic_back": Interface(given, 1),
        }

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The generators' or the critics'."""
        if batch.given is None or batch.size < 2:
            raise InputError(
                "given images and at least two cases in a batch",
                came=f"{batch.size} cases",
                remedy="set budget.batch_size=2 or more",
            )
        a, b = batch.given, wanted(batch).roll(1, dims=0)
        forward, back = networks["generator"], networks["generator_back"]
        critic, critic_back = networks["critic"], networks["critic_back"]
        if player == "critics":
            fake_b = self.pools["drawn"].exchange(carry["drawn"], rng)
            fake_a = self.pools["drawn_back"].exchange(carry["drawn_back"], rng)
            return Losses(
                {
                    "critic": (1.0, critic_loss(self.kind, critic(b), critic(fake_b))),
                    "critic_back": (
                        1.0,
                        critic_loss(self.kind, critic_back(a), critic_back(fake_a)),
                    ),
                }
            )
        fake_b, fake_a = forward(a), back(b)
        carry["drawn"], carry["drawn_back"] = fake_b.detach(), fake_a.detach()
        found = {
            "adversarial": (1.0, generator_loss(self.kind, critic(fake_b))),
            "adversarial_back": (1.0, generator_loss(self.kind, critic_back(fake_a))),
            "cycle": (self.cycle, l1_loss(back(fake_b), a)),
            "cycle_back": (self.cycle, l1_loss(forward(fake_a), b)),
        }
        if self.identity > 0:
            weight = self.cycle * self.identity
            found["identity"] = (weight, l1_loss(forward(b), b))
            found["identity_back"] = (weight, l1_loss(back(a), a))
        partner_a, partner_b = wanted(batch), a.roll(1, dims=0)
        kept = terms(self.structure, fake_b, Batch(wanted=a, given=a))
        kept |= terms(self.supervised, fake_b, Batch(wanted=partner_a, given=a), beside=kept)
        back_kept = terms(self.structure, fake_a, Batch(wanted=b, given=b))
        back_kept |= terms(
            self.supervised, fake_a, Batch(wanted=partner_b, given=b), beside=back_kept
        )
        found |= kept | {f"{name}_back": term for name, term in back_kept.items()}
        return Losses(found)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The forward generator on what is given."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            if batch.given is None:
                raise InputError("given images to translate", came="none")
            out: Tensor = networks["generator"](batch.given)
            return out

        return predict

    def state(self) -> dict[str, Tensor]:
        """The pools."""
        return {name: torch.stack(pool.images) for name, pool in self.pools.items() if pool.images}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Refill the pools."""
        for name, pool in self.pools.items():
            pool.images = list(state[name].unbind(0)) if name in state else []
