"""Ranks as inline SVG: critical differences, shares of ranks over resamples, values side by side.

Colours come from the page; what a chart shows is also told in its label, for who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from vesalius.reports import numbers
from vesalius.reports.charts import Axis, nice_ticks

if TYPE_CHECKING:
    from vesalius.evaluation.system_comparison import MeasureFindings

WIDTH = 620
NAMES = 186  # room for names on a side
ROW = 24
LONGEST = 27


def rank_diagram(found: MeasureFindings) -> Markup:
    """Mean ranks on a line, the best on the left; bars join neighbours that are not told apart.

    After Demsar, J Mach Learn Res 7:1, 2006. The ruler is Nemenyi's critical difference, where
    there is a value a case and more than two systems.
    """
    order = [name for name in found.order if math.isfinite(found.mean_ranks[name])]
    if len(order) < 2:
        return Markup("")
    k = len(order)
    axis = Axis(1.0, float(k), NAMES + 14, WIDTH - NAMES - 14)
    places = axis.place(np.array([found.mean_ranks[name] for name in order])).tolist()
    ruler = _ruler(found, axis)
    top = 62 if ruler else 34
    half = math.ceil(k / 2)
    first_row = top + 18 + 9 * len(found.together)
    height = first_row + ROW * max(half, k - half) + 2
    parts = [ruler, Markup('<path class="axis" d="M{:.1f} {}H{:.1f}"/>').format(
        axis.start, top, axis.stop)]  # fmt: skip
    for tick in range(1, k + 1):
        at = float(axis.place(np.array([tick]))[0])
        parts.append(Markup('<path class="axis" d="M{:.1f} {}v-5"/>').format(at, top))
        parts.append(
            Markup('<text class="middle" x="{:.1f}" y="{}">{}</text>').format(at, top - 10, tick)
        )
    for place, (name, at) in enumerate(zip(order, places, strict=True)):
        left = place < half
        row = first_row + ROW * (place if left else k - 1 - place) + 8
        edge = NAMES if left else WIDTH - NAMES
        parts.append(Markup('<path class="lead" d="M{:.1f} {}V{}H{}"/>').format(at, top, row, edge))
        parts.append(
            Markup('<circle class="mark{}" cx="{:.1f}" cy="{}" r="4"/>').format(
                " first" if name == found.winner else "", at, top
            )
        )
        parts.append(_label(name, f"{found.mean_ranks[name]:.2f}", edge, row, left=left))
    place_of = dict(zip(order, places, strict=True))
    for level, group in enumerate(found.together):
        at = top + 12 + 9 * level
        low, high = place_of[group[0]], place_of[group[-1]]
        parts.append(
            Markup('<path class="together" d="M{:.1f} {}H{:.1f}"/>').format(low - 5, at, high + 5)
        )
    told = ", ".join(f"{name} {found.mean_ranks[name]:.2f}" for name in order)
    joined = "; ".join(" and ".join(group) for group in found.together)
    words = f"{found.measure.metric}: mean ranks {told}" + (
        f"; not told apart: {joined}" if joined else "; all told apart"
    )
    return _svg(words, height, parts)


def _ruler(found: MeasureFindings, axis: Axis) -> Markup:
    critical = found.critical
    if critical is None or len(critical.mean_ranks) < 3 or not math.isfinite(critical.distance):
        return Markup("")
    scale = (axis.stop - axis.start) / (axis.high - axis.low)
    length = min(critical.distance * scale, axis.stop - axis.start)
    return Markup(
        '<path class="ruler" d="M{:.1f} 20v8m0 -4h{:.1f}m0 -4v8"/>'
        '<text x="{:.1f}" y="13">critical difference {:.2f}</text>'
    ).format(axis.start, length, axis.start, critical.distance)


def _label(name: str, value: str, edge: float, row: float, *, left: bool) -> Markup:
    shown = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    inner = (
        Markup('<tspan class="name">{}</tspan> <tspan>{}</tspan>').format(shown, value)
        if left
        else Markup('<tspan>{}</tspan> <tspan class="name">{}</tspan>').format(value, shown)
    )
    return Markup('<text class="{}" x="{:.1f}" y="{}">{}</text>').format(
        "end" if left else "start", edge - 6 if left else edge + 6, row + 4, inner
    )


def rank_shares(found: MeasureFindings) -> Markup:
    """How often each system has each rank, over resamples of patients."""
    order, ranks = found.ranks.order, found.ranks
    if not ranks.n_resamples:
        return Markup("")
    k = len(order)
    cell = (WIDTH - NAMES - 8) / k
    parts = [
        Markup('<text class="middle" x="{:.1f}" y="14">{}</text>').format(
            NAMES + cell * (r + 0.5), r + 1
        )
        for r in range(k)
    ]
    for row, name in enumerate(order):
        at = 24 + ROW * row
        parts.append(_name(name, at + ROW / 2))
        for r, share in enumerate(ranks.shares[name]):
            parts.append(
                Markup(
                    '<rect class="share" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" '
                    'style="fill-opacity:{:.3f}"/>'
                ).format(NAMES + cell * r + 1, at + 1, cell - 2, ROW - 2, 0.05 + 0.95 * share)
            )
            text = percent(share)
            if text:
                parts.append(
                    Markup('<text class="middle {}" x="{:.1f}" y="{:.1f}">{}</text>').format(
                        "on" if share > 0.5 else "off", NAMES + cell * (r + 0.5), at + 16.5, text
                    )
                )
    words = f"{found.measure.metric}: share of resamples by rank; " + "; ".join(
        f"{name} first in {percent(ranks.shares[name][0]) or '0 %'}" for name in order
    )
    return _svg(words, 24 + ROW * k + 2, parts)


def percent(share: float) -> str:
    """A share as text that is never rounded to nothing or to all; empty for none.

    >>> percent(1.0), percent(0.9996), percent(0.25), percent(0.001), percent(0.0)
    ('100 %', '> 99 %', '25 %', '< 1 %', '')
    """
    if share == 0 or math.isnan(share):
        return ""
    if share == 1:
        return "100 %"
    if share > 0.99:
        return "> 99 %"
    return "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def value_chart(found: MeasureFindings) -> Markup:
    """Values of the systems: quartiles over cases, the mean with its 95 % interval, the floor."""
    order = found.ranks.order
    span = [
        x
        for name in order
        for x in (*found.values[name], *_quartiles(found, name), found.floor)
        if x is not None and math.isfinite(x)
    ]
    if not span or min(span) == max(span):
        return Markup("")
    room = 0.04 * (max(span) - min(span))
    axis = Axis(min(span) - room, max(span) + room, NAMES, WIDTH - 12)
    bottom = 8 + ROW * len(order)
    parts = []
    ticks, decimals = nice_ticks(axis.low, axis.high)
    for place, tick in zip(axis.place(np.array(ticks)).tolist(), ticks, strict=True):
        parts.append(Markup('<path class="grid" d="M{:.1f} 4V{}"/>').format(place, bottom))
        parts.append(
            Markup('<text class="middle" x="{:.1f}" y="{}">{}</text>').format(
                place, bottom + 17, numbers.number(tick, decimals)
            )
        )
    if found.floor is not None and math.isfinite(found.floor):
        at = float(axis.place(np.array([found.floor]))[0])
        parts.append(Markup('<path class="floor" d="M{:.1f} 4V{}"/>').format(at, bottom))
    for row, name in enumerate(order):
        parts.append(_name(name, 8 + ROW * (row + 0.5)))
        parts.append(_values(found, name, axis, 8 + ROW * (row + 0.5)))
    unit = "" if found.measure.unit in ("", "1") else f", {found.measure.unit}"
    parts.append(
        Markup('<text class="name middle" x="{:.1f}" y="{}">{}</text>').format(
            (NAMES + WIDTH) / 2, bottom + 36, f"{found.measure.metric}{unit}"
        )
    )
    words = f"{found.measure.metric} by system: " + "; ".join(
        f"{name} {numbers.number(found.values[name][0])}" for name in order
    )
    return _svg(words, bottom + 42, parts)


def _quartiles(found: MeasureFindings, name: str) -> tuple[float, ...]:
    summary = found.summaries.get(name)
    return () if summary is None else (summary.q25, summary.median, summary.q75)


def _values(found: MeasureFindings, name: str, axis: Axis, middle: float) -> Markup:
    def at(value: float) -> float:
        return float(axis.place(np.array([value]))[0])

    parts = Markup("")
    quartiles = _quartiles(found, name)
    if quartiles and all(map(math.isfinite, quartiles)):
        low, median, high = map(at, quartiles)
        parts += Markup(
            '<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="14" rx="2"/>'
            '<path class="median" d="M{:.1f} {:.1f}v14"/>'
        ).format(low, middle - 7, max(high - low, 0.5), median, middle - 7)
    value, low, high = found.values[name]
    if math.isfinite(low) and math.isfinite(high):
        parts += Markup('<path class="whisker" d="M{:.1f} {:.1f}H{:.1f}"/>').format(
            at(low), middle, at(high)
        )
    if math.isfinite(value):
        first = " first" if name == found.winner else ""
        parts += Markup('<circle class="mark{}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(
            first, at(value), middle
        )
    return parts


def _name(name: str, middle: float) -> Markup:
    shown = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    return Markup('<text class="name end" x="{}" y="{:.1f}">{}</text>').format(
        NAMES - 8, middle + 4.5, shown
    )


def _svg(words: str, height: float, parts: Sequence[Markup]) -> Markup:
    return (
        Markup('<svg class="ranks" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">').format(
            WIDTH, height, words
        )
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def margin_chart(
    rows: Mapping[str, tuple[float, float]], margin: float, unit: str, reference: str
) -> Markup:
    """Gain over the reference and its lower bound by system, beside the margin that was stated."""
    span = [x for pair in rows.values() for x in pair if math.isfinite(x)] + [-margin, 0.0]
    room = 0.06 * (max(span) - min(span))
    axis = Axis(min(span) - room, max(span) + room, NAMES, WIDTH - 12)
    bottom = 8 + ROW * len(rows)

    def at(value: float) -> float:
        return float(axis.place(np.array([value]))[0])

    ticks, decimals = nice_ticks(axis.low, axis.high)
    parts = [
        Markup('<rect class="allowed" x="{:.1f}" y="4" width="{:.1f}" height="{}"/>').format(
            at(-margin), WIDTH - 12 - at(-margin), bottom - 4
        )
    ]
    for tick in ticks:
        parts.append(
            Markup('<path class="grid" d="M{0:.1f} 4V{1}"/>').format(at(tick), bottom)
            + Markup('<text class="middle" x="{:.1f}" y="{}">{}</text>').format(
                at(tick), bottom + 17, numbers.number(tick, decimals)
            )
        )
    parts.append(Markup('<path class="axis" d="M{:.1f} 4V{}"/>').format(at(0.0), bottom))
    parts.append(Markup('<path class="floor" d="M{:.1f} 4V{}"/>').format(at(-margin), bottom))
    for row, (name, (gain, bound)) in enumerate(rows.items()):
        middle = 8 + ROW * (row + 0.5)
        parts.append(_name(name, middle))
        if math.isfinite(bound):
            parts.append(
                Markup('<path class="whisker" d="M{:.1f} {:.1f}H{:.1f}m0 -5v10"/>').format(
                    at(gain), middle, at(bound)
                )
            )
        if math.isfinite(gain):
            parts.append(
                Markup('<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(
                    at(gain), middle
                )
            )
    shown = "" if unit in ("", "1") else f", {unit}"
    parts.append(
        Markup('<text class="name middle" x="{:.1f}" y="{}">{}</text>').format(
            (NAMES + WIDTH) / 2, bottom + 36, f"gain over {reference}{shown}"
        )
    )
    words = f"Gain over {reference}, margin {numbers.number(margin)}{shown}: " + "; ".join(
        f"{name} {numbers.number(gain)}" for name, (gain, _) in rows.items()
    )
    return _svg(words, bottom + 42, parts)
