"""The review's comparison of the seven families, beside what was measured of each."""

from __future__ import annotations

import json
import math
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
REAL = ("xrays", "mr-slices", "hippocampus")
TITLES = {
    "xrays": "Chest X-rays, 28x28",
    "mr-slices": "MR slices, 64x64",
    "hippocampus": "Hippocampus volumes, 32x32x32 (middle slices)",
    "kinds": "Digital patients of ten known kinds, 32x32",
}
#: A family counts as unstable if its seeds scatter so many times as much as those of the median.
SCATTER = 1.5
#: And as slow or fast if a draw takes so many times as long as one of the GAN, or less than this
#: part of one of the diffusion model.
SLOW, FAST = 5.0, 0.2
#: Draws are blurred if their mean gradient is below this part of the real images'.
BLURRED = 0.8
#: Cost grows linearly up to this exponent and quadratically from that one on.
LINEAR, QUADRATIC = 1.15, 1.6
#: How often marker and lesion would agree if neither knew the other: three in four are bright.
CHANCE = 0.63

Word = Literal["confirmed", "refuted", "mixed", "not measured"]


class Measured:
    """The rows of ``families.json``."""

    def __init__(self, content: dict[str, Any], exponents: dict[str, float]) -> None:
        self.rows = content["rows"]
        self.pictured = content["pictured"]
        self.exponents = exponents
        self.families = tuple(dict.fromkeys(row["family"] for row in self.rows))

    def values(self, family: str, data: str, name: str) -> list[float]:
        """One a seed."""
        return [
            float(row[name])
            for row in self.rows
            if row["family"] == family and row["data"] == data and row.get(name) is not None
        ]

    def mean(self, family: str, data: str, name: str) -> float | None:
        """Over seeds; None where nothing was measured."""
        found = self.values(family, data, name)
        return statistics.fmean(found) if found else None

    def ranks(self, family: str, name: str, *, up: bool) -> list[int]:
        """The family's place among all, from 1, one a real data set."""
        found = []
        for data in REAL:
            all_of = {other: self.mean(other, data, name) for other in self.families}
            known = sorted(
                (value if not up else -value, other)
                for other, value in all_of.items()
                if value is not None
            )
            found += [place for place, (_, other) in enumerate(known, 1) if other == family]
        return found

    def scatter(self, family: str) -> float | None:
        """Standard deviation over mean of the energy distance over seeds."""
        found = self.values(family, "xrays", "energy")
        return statistics.stdev(found) / statistics.fmean(found) if len(found) > 1 else None


@dataclass(frozen=True)
class Verdict:
    """What the numbers say of a claim, and which."""

    word: Word
    evidence: str


Rule = Callable[[Measured, str], Verdict]
NOTHING = Verdict("not measured", "")


@dataclass(frozen=True)
class Claim:
    """What is held of a family, in our words, and the rule that decides it."""

    family: str
    strength: bool
    text: str
    rule: Rule


def _places(ranks: Sequence[int], n: int) -> Word:
    better = sum(rank <= n / 2 for rank in ranks)
    return "confirmed" if better == len(ranks) else "mixed" if better else "refuted"


def faithful(measured: Measured, family: str) -> Verdict:
    """In the better half by energy distance on every real data set."""
    ranks = measured.ranks(family, "energy", up=False)
    if not ranks:
        return NOTHING
    n = len(measured.families)
    return Verdict(
        _places(ranks, n),
        f"place {', '.join(map(str, ranks))} of {n} by energy distance",
    )


def diverse(measured: Measured, family: str) -> Verdict:
    """In the better half by coverage on every real data set."""
    ranks = measured.ranks(family, "coverage", up=True)
    if not ranks:
        return NOTHING
    n = len(measured.families)
    return Verdict(_places(ranks, n), f"place {', '.join(map(str, ranks))} of {n} by coverage")


def _opposite(verdict: Verdict) -> Verdict:
    turned: dict[Word, Word] = {"confirmed": "refuted", "refuted": "confirmed"}
    return Verdict(turned.get(verdict.word, verdict.word), verdict.evidence)


def unfaithful(measured: Measured, family: str) -> Verdict:
    """Not :func:`faithful`."""
    return _opposite(faithful(measured, family))


def unstable(measured: Measured, family: str) -> Verdict:
    """Seeds scatter more than SCATTER times as much as in the median family."""
    all_of = {other: measured.scatter(other) for other in measured.families}
    known = [value for value in all_of.values() if value is not None]
    own = all_of.get(family)
    if own is None or len(known) < 2:
        return NOTHING
    median = statistics.median(known)
    return Verdict(
        "confirmed" if own > SCATTER * median else "refuted",
        f"energy distance scatters by {own:.0%} over three seeds; "
        f"the median family's by {median:.0%}",
    )


def stable(measured: Measured, family: str) -> Verdict:
    """Not :func:`unstable`."""
    return _opposite(unstable(measured, family))


def collapses(measured: Measured, family: str) -> Verdict:
    """Some kinds are missed, or shares are off by more than twice those of the best family."""
    missed = measured.mean(family, "kinds", "kinds_missed")
    off = measured.mean(family, "kinds", "shares_off")
    if missed is None or off is None:
        return NOTHING
    every = [measured.mean(other, "kinds", "shares_off") for other in measured.families]
    least = min(value for value in every if value is not None)
    bad = missed > 0 or off > 2 * least
    return Verdict(
        "confirmed" if bad else "refuted",
        f"{missed:.0f} of 10 kinds missed; shares off by {off:.0%}, "
        f"the best family's by {least:.0%}",
    )


def fast(measured: Measured, family: str) -> Verdict:
    """A draw takes less than FAST of a diffusion draw on every real data set."""
    parts = []
    for data in REAL:
        own, other = (measured.mean(f, data, "draw_seconds") for f in (family, "diffusion"))
        if own is not None and other:
            parts.append(own / other)
    if not parts:
        return NOTHING
    quick = sum(part < FAST for part in parts)
    word: Word = "confirmed" if quick == len(parts) else "mixed" if quick else "refuted"
    return Verdict(
        word, "a draw takes " + ", ".join(f"{part:.2g}" for part in parts) + " of a diffusion draw"
    )


def slow(measured: Measured, family: str) -> Verdict:
    """A draw takes more than SLOW draws of the GAN on every real data set."""
    parts, calls = [], []
    for data in REAL:
        own, other = (measured.mean(f, data, "draw_seconds") for f in (family, "GAN"))
        if own is not None and other:
            parts.append(own / other)
            calls.append(measured.mean(family, data, "calls") or 0)
    if not parts:
        return NOTHING
    late = sum(part > SLOW for part in parts)
    word: Word = "confirmed" if late == len(parts) else "mixed" if late else "refuted"
    return Verdict(
        word,
        f"{', '.join(f'{each:.0f}' for each in calls)} calls, "
        + ", ".join(f"{part:.2g}" for part in parts)
        + " times a draw of the GAN",
    )


def blurred(measured: Measured, family: str) -> Verdict:
    """The mean gradient is below BLURRED of the real one on every real data set."""
    found = [v for data in REAL if (v := measured.mean(family, data, "sharpness")) is not None]
    if not found:
        return NOTHING
    soft = sum(value < BLURRED for value in found)
    word: Word = "confirmed" if soft == len(found) else "mixed" if soft else "refuted"
    return Verdict(
        word, "mean gradient " + ", ".join(f"{v:.2f}" for v in found) + " of the real images'"
    )


def sharp(measured: Measured, family: str) -> Verdict:
    """The mean gradient is within BLURRED of the real one, up or down: noise is not sharp."""
    found = [v for data in REAL if (v := measured.mean(family, data, "sharpness")) is not None]
    alike = sum(BLURRED < value < 1 / BLURRED for value in found)
    word: Word = "confirmed" if alike == len(found) else "mixed" if alike else "refuted"
    return Verdict(word, blurred(measured, family).evidence) if found else NOTHING


def wilson(part: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``n``."""
    z = 1.96
    middle = (part + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(part * (1 - part) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return middle - half, middle + half


def far(measured: Measured, family: str) -> Verdict:
    """Far ends agree in more of the readable draws than half-way between chance and always."""
    found = measured.mean(family, "kinds", "far_ends_agree")
    n = measured.mean(family, "kinds", "readable")
    if found is None or not n:
        return NOTHING
    low, high = wilson(found, int(n))
    bar = (1 + CHANCE) / 2
    other = measured.mean("diffusion", "kinds", "far_ends_agree") or 0.0
    word: Word = "confirmed" if low > bar else "refuted" if high < bar else "mixed"
    return Verdict(
        word,
        f"marker and lesion agree in {found:.0%} ({low:.0%} to {high:.0%}) of readable draws "
        f"(by chance {CHANCE:.0%}, the U-Net's {other:.0%})",
    )


def _exponent(part: str, holds: Callable[[float], bool]) -> Rule:
    def rule(measured: Measured, family: str) -> Verdict:
        found = measured.exponents.get(part)
        if found is None:
            return NOTHING
        return Verdict(
            "confirmed" if holds(found) else "refuted",
            f"{part}: cost grows with the number of tokens to the power {found:.2f}",
        )

    return rule


def worse_than_convolutions(measured: Measured, family: str) -> Verdict:
    """Farther from the real images than the U-Net with the same mathematics and time."""
    pairs = [
        (own, other)
        for data in REAL
        if (own := measured.mean(family, data, "energy")) is not None
        and (other := measured.mean("diffusion", data, "energy")) is not None
    ]
    if not pairs:
        return NOTHING
    worse = sum(own > other for own, other in pairs)
    word: Word = "confirmed" if worse == len(pairs) else "mixed" if worse else "refuted"
    return Verdict(
        word,
        "energy distance "
        + ", ".join(f"{own / other:.2g}" for own, other in pairs)
        + " times that of the U-Net",
    )


def prompted(measured: Measured, family: str) -> Verdict:
    """A classifier trained on real images finds the class that the text said."""
    found = measured.mean(family, "xrays", "prompt_agreement")
    if found is None:
        return NOTHING
    real = measured.mean(family, "xrays", "prompt_agreement_real") or 0.0
    return Verdict(
        "confirmed" if found > 0.5 + 0.5 * (real - 0.5) else "refuted",
        f"a classifier of real images agrees with the text of {found:.0%} of the draws "
        f"(and with the label of {real:.0%} of the real images)",
    )


CLAIMS = (
    Claim("GAN", True, "images look sharp and real", sharp),
    Claim("GAN", True, "draws fast, in one call", fast),
    Claim("GAN", False, "training is unstable", unstable),
    Claim("GAN", False, "modes collapse", collapses),
    Claim("VAE", True, "trains stably", stable),
    Claim("VAE", True, "draws fast, in one call", fast),
    Claim("VAE", False, "images are blurred", blurred),
    Claim("VAE", False, "images are less faithful", unfaithful),
    Claim("diffusion", True, "images are faithful", faithful),
    Claim("diffusion", True, "covers the population", diverse),
    Claim("diffusion", True, "trains stably", stable),
    Claim("diffusion", False, "draws slowly, in many calls", slow),
    Claim("Transformer", True, "relates what lies far apart", far),
    Claim(
        "Transformer",
        False,
        "cost grows with the square of the tokens",
        _exponent("attention", lambda found: found >= QUADRATIC),
    ),
    Claim("Transformer", False, "needs more training than convolutions", worse_than_convolutions),
    Claim("Mamba", True, "relates what lies far apart", far),
    Claim(
        "Mamba",
        True,
        "cost grows linearly with the tokens",
        _exponent("scan", lambda found: found <= LINEAR),
    ),
    Claim("Mamba", False, "not yet as good as what is established", worse_than_convolutions),
    Claim("autoregressive", True, "covers the population", diverse),
    Claim("autoregressive", True, "relates what lies far apart", far),
    Claim("autoregressive", False, "draws slowly, one token after the other", slow),
    Claim("foundation", True, "draws what a text says", prompted),
    Claim("foundation", False, "small data do not suffice", unfaithful),
)


def measured() -> Measured:
    """What ``benchmarks/families.py`` and ``benchmarks/cost_against_size.py`` wrote."""
    path = RESULTS / "cost_against_size.json"
    exponents = json.loads(path.read_text())["exponents"] if path.is_file() else {}
    return Measured(json.loads((RESULTS / "families.json").read_text()), exponents)


def verdicts() -> str:
    """A Markdown table: a line a claim."""
    found = measured()
    lines = ["| family | held | measured here | verdict |", "| --- | --- | --- | --- |"]
    for claim in CLAIMS:
        verdict = claim.rule(found, claim.family)
        sign = "+" if claim.strength else "−"
        lines.append(
            f"| {claim.family} | {sign} {claim.text} | {verdict.evidence} | **{verdict.word}** |"
        )
    return "\n".join(lines) + "\n"


def _number(values: Sequence[float], digits: int = 3) -> str:
    if not values:
        return ""
    mean = f"{statistics.fmean(values):.{digits}g}"
    if len(values) == 1:
        return mean
    return f"{mean} ({', '.join(f'{value:.{digits}g}' for value in values)})"


COLUMNS = {
    "energy": "energy distance ↓",
    "frechet": "Fréchet ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "density": "density ↑",
    "coverage": "coverage ↑",
    "sharpness": "gradient (real = 1)",
    "parameters": "parameters",
    "steps": "steps",
    "training_seconds": "training s",
    "draw_seconds": "s a draw",
    "calls": "calls",
    "saved_bytes": "MB an image in training",
}
KINDS = {
    "kinds_missed": "kinds missed of 10",
    "shares_off": "shares off",
    "lesion_seen": "lesion readable",
    "marker_seen": "marker readable",
    "far_ends_agree": "far ends agree",
}


def _shown(name: str, values: Sequence[float]) -> str:
    if name == "saved_bytes":
        return _number([value / 1e6 for value in values[:1]])
    if name in ("parameters", "calls"):
        return f"{values[0]:,.0f}".replace(",", " ") if values else ""
    if name == "steps":
        return ", ".join(f"{value:.0f}" for value in values)
    return _number(values)


def table(data: str) -> str:
    """A Markdown table of a data set: a line a family, several seeds in brackets."""
    found = measured()
    columns = COLUMNS | (KINDS if data == "kinds" else {})
    lines = [
        f"| family | recipe | {' | '.join(columns.values())} |",
        f"| --- | --- |{' --- |' * len(columns)}",
    ]
    for family in found.families:
        rows = [row for row in found.rows if row["family"] == family and row["data"] == data]
        if rows:
            cells = (_shown(name, found.values(family, data, name)) for name in columns)
            lines.append(f"| {family} | {rows[0]['recipe']} | {' | '.join(cells)} |")
    baseline = [row for row in found.rows if row["data"] == data]
    if baseline:
        first = baseline[0]
        cells = [
            _number([v]) if (v := first.get(f"{name}_baseline")) is not None else ""
            for name in columns
        ]
        lines.append(f"| baseline | principal components | {' | '.join(cells)} |")
        cells = [
            _number([v]) if (v := first.get(f"{name}_floor")) is not None else ""
            for name in columns
        ]
        lines.append(f"| real | two halves of the test set | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Everything that the page includes, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "families_verdicts.md").write_text(verdicts(), encoding="utf-8")
    found = measured()
    parts = []
    for data, title in TITLES.items():
        if data not in found.pictured:
            continue
        shutil.copy(RESULTS / f"families_{data}.png", folder)
        names = ", ".join(found.pictured[data])
        parts += [
            f"## {title}\n",
            f"![Draws of each family, a row each](../explanation/generated/families_{data}.png)\n",
            f"Rows from above: {names}.\n",
            table(data),
        ]
    (folder / "families.md").write_text("\n".join(parts), encoding="utf-8")
