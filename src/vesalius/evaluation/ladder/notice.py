"""What real sets of images score, and how far from that a set must be to be noticed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
#: Of the interval of one judge alone, and of all judges together.
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class RealSets:
    """Every judge's values of many uncorrupted sets of real patients, all of one size.

    A set's strength by a judge is how far its value lies from the median of the real sets, in units
    of half the width of the interval that holds LEVEL of them on that side (at least that of a
    normal distribution with their standard deviation): one is the edge of the interval of one judge
    alone. The threshold is the strength that the greatest of all judges exceeds in 1 - LEVEL of the
    real sets, so a real set is noticed by any judge at all with that chance (maxT; Westfall and
    Young, Resampling-based Multiple Testing, 1993).

    Parameters
    ----------
    values:
        ``(draw, judge)``.
    least:
        ``(judge,)``: half widths that no interval is narrower than, such as one event a set.
    share:
        The share of the pool's patients that a set has. Sets of one pool scatter less than sets of
        new patients do, and about a mean that is the pool's: for a mean, by the factor
        sqrt((1 - share) / (1 + share)), by which all intervals are widened.
    """

    values: Values
    least: Values
    share: float

    @property
    def widening(self) -> float:
        """From sets of the pool to sets of new patients."""
        return math.sqrt((1 + self.share) / (1 - self.share))

    @property
    def centre(self) -> Values:
        """Median, (judge,)."""
        return np.asarray(_percentile(self.values, 50))

    def bounds(self) -> tuple[Values, Values]:
        """The interval of each judge alone, (judge,) each."""
        tail = 100 * (1 - LEVEL) / 2
        centre, widths = self.centre, []
        for side in (tail, 100 - tail):
            away = np.abs(_apart(_percentile(self.values, side), centre))
            widths.append(self.widening * np.maximum(np.maximum(away, self._normal()), self.least))
        return _apart(centre, widths[0]), np.asarray(centre + widths[1])

    def _normal(self) -> Values:
        """Half the width of a normal distribution's interval; zero where all sets score alike."""
        found = np.zeros(self.values.shape[1])
        for k, column in enumerate(self.values.T):
            known = column[~np.isnan(column)]
            if len(known) and not bool((known == known[0]).all()):
                found[k] = 1.96 * float(known.std())
        return found

    def strength(self, values: Values) -> Values:
        """Signed, ``(..., judge)``; infinite where all real sets score alike and this one not."""
        centre = self.centre
        low, high = self.bounds()
        found = np.asarray(values, dtype=np.float64)
        away = _apart(found, centre)
        # what rounding makes of equal values is no difference
        with np.errstate(invalid="ignore", divide="ignore"):
            equal = np.isfinite(centre) & (np.abs(away) <= 1e-9 * np.abs(centre))
            away = np.where(equal, 0.0, away)
            width = np.where(away > 0, _apart(high, centre), _apart(centre, low))
            scaled = np.where(away == 0, 0.0, away / width)
        return np.asarray(np.where(np.isnan(found) | np.isnan(centre), math.nan, scaled))

    def threshold(self) -> float:
        """Strength from which a set is noticed: at least one, the edge of one judge's interval."""
        strengths = self.widening * np.abs(self.strength(self.values))
        greatest = np.where(np.isnan(strengths), 0.0, strengths).max(axis=1)
        return max(1.0, float(np.percentile(greatest, 100 * LEVEL, method="higher")))


def _percentile(values: Values, wanted: float) -> Values:
    """Of what each judge said, (judge,); NaN for a judge who never had an answer."""
    found = np.full(values.shape[1], math.nan)
    for k, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        if len(known):
            # no interpolation: between an infinity and its neighbour there is nothing
            found[k] = np.percentile(known, wanted, method="inverted_cdf")
    return found


def _apart(first: Values, second: Values) -> Values:
    """``first - second``, where two infinities of one sign are no distance apart."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(first == second, 0.0, first - second))
