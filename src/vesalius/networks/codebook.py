"""A codebook: features to the nearest of a few vectors, which follow the features."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from vesalius.core.errors import InputError


def _processes() -> bool:
    return distributed.is_available() and distributed.is_initialized()


class Codebook(nn.Module):
    """Vectors that learn as moving averages of the features they stand for, without gradient.

    A training step calls :meth:`forward`, then :meth:`update`. The vectors start as features of the
    first batch that is seen in train mode; until then they are standard normal. Where
    ``torch.distributed`` is initialised, all processes keep the same vectors, from the features of
    all. The state is in floating-point buffers: there is nothing for an optimiser.

    Parameters
    ----------
    width:
        Features that a code stands for.
    codes:
        Number of codes.
    decay:
        Part of the moving averages that a step keeps.
    smoothing:
        What is added to every code's count before division (Laplace), in vectors.
    revive_below:
        A code whose moving count falls below this part of the mean count of all codes is dead, and
        starts again as a feature of the batch; zero lets the dead rest.

    Reference: van den Oord et al., Neural discrete representation learning, NeurIPS 2017,
    arXiv:1711.00937, appendix A.1; revival after Dhariwal et al., Jukebox, arXiv:2005.00341.

    >>> codebook = Codebook(width=4, codes=16)
    >>> quantised, tokens = codebook(torch.zeros(2, 4, 7, 7))
    >>> quantised.shape, tokens.shape, codebook.look_up(tokens).shape
    (torch.Size([2, 4, 7, 7]), torch.Size([2, 7, 7]), torch.Size([2, 4, 7, 7]))
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor
    started: Tensor

    def __init__(
        self,
        *,
        width: int,
        codes: int = 256,
        decay: float = 0.99,
        smoothing: float = 1e-5,
        revive_below: float = 0.03,
    ) -> None:
        if width < 1 or codes < 1:
            raise InputError(
                "at least one code of at least one feature",
                came=f"codes {codes} and width {width}",
                case="Codebook",
            )
        if not (0 <= decay < 1 and smoothing > 0 and 0 <= revive_below < 1):
            raise InputError(
                "decay and revive_below from 0 to below 1, and a smoothing above 0",
                came=f"{decay}, {revive_below} and {smoothing}",
                case="Codebook",
            )
        super().__init__()
        self.width, self.codes = width, codes
        self.decay, self.smoothing, self.revive_below = decay, smoothing, revive_below
        vectors = torch.randn(codes, width)
        self.register_buffer("vectors", vectors)
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", vectors.clone())
        self.register_buffer("started", torch.zeros(()))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest vector to the features at every place.

        Parameters
        ----------
        z:
            ``(batch, width, *grid)``.

        Returns
        -------
        quantised:
            ``(batch, width, *grid)``; its gradient goes to ``z`` as if nothing had been done.
        tokens:
            ``(batch, *grid)``, int64, from 0 to codes - 1.

        Raises
        ------
        InputError
            For features of another width.
        """
        rows = self._rows(z)
        if self.training and not self.started:
            self._start(rows)
        # half precision would confuse codes that lie close together
        with torch.autocast(z.device.type, enabled=False):
            # |z - e|^2 without |z|^2, which is the same for every code
            distance = self.vectors.square().sum(1) - 2 * rows @ self.vectors.T
        tokens = distance.argmin(1).reshape(z.shape[0], *z.shape[2:])
        quantised = self.look_up(tokens).to(z.dtype)
        return z + (quantised - z).detach(), tokens

    def look_up(self, tokens: Tensor) -> Tensor:
        """``(batch, *grid)`` of tokens to the vectors ``(batch, width, *grid)``."""
        return functional.embedding(tokens, self.vectors).movedim(-1, 1)

    def perplexity(self, tokens: Tensor) -> Tensor:
        """How many codes ``tokens`` use as if all alike: exp(entropy), from 1 to codes; ()."""
        share = torch.bincount(tokens.flatten(), minlength=self.codes) / tokens.numel()
        entropy: Tensor = torch.special.entr(share).sum()
        return entropy.exp()

    @torch.no_grad()
    def update(self, z: Tensor, tokens: Tensor, rng: torch.Generator) -> None:
        """Move every vector towards the features that were quantised to it.

        ``z`` and ``tokens`` are what :meth:`forward` took and returned; ``rng`` chooses the
        features as which dead codes start again.
        """
        rows, flat = self._rows(z), tokens.flatten()
        if not self.started:
            self._start(rows)
        counts = torch.zeros_like(self.counts).index_add_(0, flat, torch.ones_like(rows[:, 0]))
        sums = torch.zeros_like(self.sums).index_add_(0, flat, rows)
        if _processes():
            distributed.all_reduce(counts)
            distributed.all_reduce(sums)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        total = self.counts.sum()
        smoothed = (self.counts + self.smoothing) / (total + self.codes * self.smoothing) * total
        self.vectors.copy_(self.sums / smoothed[:, None])
        self._revive(rows, rng)

    def _rows(self, z: Tensor) -> Tensor:
        """``(batch, width, *grid)`` to (batch * places, width), in the vectors' own precision."""
        if z.ndim < 2 or z.shape[1] != self.width:
            raise InputError(
                f"features (batch, {self.width}, *grid)",
                came=f"shape {tuple(z.shape)}",
                case="Codebook",
            )
        return z.detach().movedim(1, -1).reshape(-1, self.width).to(self.vectors.dtype)

    def _start(self, rows: Tensor) -> None:
        """Take features evenly spread over the batch as the first vectors."""
        places = torch.linspace(0, rows.shape[0] - 1, self.codes, device=rows.device).round().long()
        self._place(torch.ones_like(self.counts, dtype=torch.bool), rows[places], 1.0)
        self.started.fill_(1)

    def _revive(self, rows: Tensor, rng: torch.Generator) -> None:
        """Start codes that nothing uses again as features of the batch, all of them different."""
        mean = self.counts.mean()
        dead = self.counts < self.revive_below * mean
        if not dead.any():
            return
        drawn = torch.randperm(rows.shape[0], generator=rng, device=rng.device).to(rows.device)
        turn = torch.arange(int(dead.sum()), device=rows.device) % rows.shape[0]
        self._place(dead, rows[drawn[turn]], float(mean))

    def _place(self, which: Tensor, vectors: Tensor, count: float) -> None:
        """Set the vectors of the codes ``which``, the same in all processes."""
        if _processes():
            vectors = vectors.contiguous()
            distributed.broadcast(vectors, src=0)
        self.vectors[which] = vectors
        self.counts[which] = count
        self.sums[which] = count * vectors
