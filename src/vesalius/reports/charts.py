"""Curves and scatter plots as small inline SVG that takes its colours from the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from vesalius.reports import numbers
from vesalius.reports.content import Curve, Scatter

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 44
MOST_POINTS = 4000  # a scatter plot; a line is drawn by the lowest and highest value of each column
LINE_COLUMNS = 300
SERIES_STYLES = 6


@dataclass(frozen=True)
class Axis:
    """Data to page along one axis."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Page coordinates of ``values``."""
        if self.log:
            values = np.log10(values)
        span = self.high - self.low
        return np.asarray(self.start + (values - self.low) / span * (self.stop - self.start))

    def ticks(self) -> list[tuple[float, str]]:
        """Page coordinate and text of each tick."""
        if not self.log:
            values, decimals = nice_ticks(self.low, self.high)
            places = self.place(np.array(values))
            return [
                (float(place), numbers.number(value, decimals))
                for place, value in zip(places, values, strict=True)
            ]
        first, last = math.floor(self.low), math.floor(self.high + 1e-9)
        stride = max(1, math.ceil((last - first + 1) / 6))
        mantissas = (1, 2, 5) if last - first < 3 else (1,)
        values = [
            mantissa * 10.0**exponent
            for exponent in range(first, last + 1, stride)
            for mantissa in mantissas
            if self.low - 1e-9 <= math.log10(mantissa) + exponent <= self.high + 1e-9
        ]
        if len(values) < 2:
            values = [10**self.low, 10 ** ((self.low + self.high) / 2), 10**self.high]
        places = self.place(np.array(values))
        return [(float(p), _power(v)) for p, v in zip(places, values, strict=True)]


def nice_ticks(low: float, high: float, most: int = 6) -> tuple[list[float], int]:
    """Round values within ``low`` and ``high``, and the decimals that tell them apart.

    >>> nice_ticks(0.0, 1.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 1)
    """
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(index * step, decimals + 2) for index in range(first, last + 1)], decimals


def chart(figure: Curve | Scatter) -> Markup:
    """The figure as an ``<svg>`` element; points that are not finite are left out and counted."""
    log = isinstance(figure, Curve) and figure.log_y
    cleaned = [(name, *_clean(x, y, log)) for name, x, y in figure.series]
    lost = sum(len(x) - int(keep.sum()) for _, x, _, keep in cleaned)
    xs = np.concatenate([x[keep] for _, x, _, keep in cleaned] or [np.zeros(0)])
    ys = np.concatenate([y[keep] for _, _, y, keep in cleaned] or [np.zeros(0)])
    if xs.size == 0:
        return Markup("<p class='muted'>Nothing to draw: no finite point.</p>")
    same = isinstance(figure, Scatter) and figure.diagonal
    x_span, y_span = _span(xs, pad=isinstance(figure, Scatter)), _span(ys, log=log, pad=True)
    if same:
        x_span = y_span = (min(x_span[0], y_span[0]), max(x_span[1], y_span[1]))
    x_axis = Axis(*x_span, LEFT, WIDTH - RIGHT)
    y_axis = Axis(*y_span, HEIGHT - BOTTOM, TOP, log)
    parts = [_frame(figure, x_axis, y_axis)]
    if same:
        parts.append(
            Markup('<path class="diagonal" d="M{} {}L{} {}"/>').format(
                LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, TOP
            )
        )
    kind, draw = ("dots", _dots) if isinstance(figure, Scatter) else ("line", _line)
    for position, (_, x, y, keep) in enumerate(cleaned):
        parts.append(
            Markup('<path class="{}" d="{}"/>').format(
                _classes(kind, position, len(x)), draw(x, y, keep, x_axis, y_axis)
            )
        )
    description = f"{figure.title}: {figure.y_label} against {figure.x_label}, " + "; ".join(
        _described(name, y, keep) for name, _, y, keep in cleaned
    )
    svg = (
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" >').format(
            WIDTH, HEIGHT, description
        )
        + Markup("").join(parts)
        + Markup("</svg>")
    )
    if lost:
        what = "not finite or not positive" if log else "not finite"
        svg += Markup("<p class='muted'>{} points are {} and not drawn.</p>").format(lost, what)
    drawn = max((int(keep.sum()) for *_, keep in cleaned), default=0)
    if isinstance(figure, Scatter) and drawn > MOST_POINTS:
        svg += Markup("<p class='muted'>Of a series, every {}th point is drawn.</p>").format(
            math.ceil(drawn / MOST_POINTS)
        )
    return svg


def legend(figure: Curve | Scatter) -> Markup:
    """The names of the series with their strokes; nothing for a single unnamed one."""
    series = figure.series
    if len(series) == 1 and not series[0][0]:
        return Markup("")
    kind, path = ("dots", "M14 5h.01") if isinstance(figure, Scatter) else ("line", "M1 5H27")
    items = [
        Markup(
            '<li><svg viewBox="0 0 28 10" width="28" height="10" aria-hidden="true">'
            '<path class="{}" d="{}"/></svg>{}</li>'
        ).format(_classes(kind, position, len(x)), path, name)
        for position, (name, x, _) in enumerate(series)
    ]
    return Markup('<ul class="legend">') + Markup("").join(items) + Markup("</ul>")


def _classes(kind: str, position: int, points: int) -> str:
    """The style of a series; lines of many points are thin and without dashes."""
    dense = " dense" if kind == "line" and points > LINE_COLUMNS else ""
    return f"{kind} series-{position % SERIES_STYLES + 1}{dense}"


def _clean(
    x: Any, y: Any, log: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    keep = np.isfinite(xs) & np.isfinite(ys)
    if log:
        keep &= ys > 0
    return xs, ys, keep


def _span(
    values: NDArray[np.float64], *, log: bool = False, pad: bool = False
) -> tuple[float, float]:
    if log:
        values = np.log10(values)
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        room = abs(low) * 0.1 or 1.0
        return low - room, high + room
    room = 0.04 * (high - low) if pad else 0.0
    return low - room, high + room


def _line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    keep: NDArray[np.bool_],
    x_axis: Axis,
    y_axis: Axis,
) -> str:
    """A path that breaks where points are missing and keeps every column's extremes."""
    starts = np.flatnonzero(np.diff(np.concatenate([[False], keep])) & keep)
    stops = np.flatnonzero(np.diff(np.concatenate([keep, [False]])) & keep) + 1
    words = []
    for start, stop in zip(starts, stops, strict=True):
        piece_x, piece_y = _thinned(x[start:stop], y[start:stop])
        across, up = x_axis.place(piece_x), y_axis.place(piece_y)
        points = [f"{a:.1f} {b:.1f}" for a, b in zip(across, up, strict=True)]
        words.append("M" + "L".join(points) + ("h.01" if len(points) == 1 else ""))
    return "".join(words)


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(x) <= 4 * LINE_COLUMNS:
        return x, y
    keep: set[int] = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), LINE_COLUMNS):
        keep |= {int(part[np.argmin(y[part])]), int(part[np.argmax(y[part])])}
    chosen = np.array(sorted(keep))
    return x[chosen], y[chosen]


def _dots(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    keep: NDArray[np.bool_],
    x_axis: Axis,
    y_axis: Axis,
) -> str:
    """Points as strokes without length: their round ends are the dots."""
    x, y = x[keep], y[keep]
    stride = max(1, math.ceil(len(x) / MOST_POINTS))
    across, up = x_axis.place(x[::stride]), y_axis.place(y[::stride])
    return "".join(f"M{a:.1f} {b:.1f}h.01" for a, b in zip(across, up, strict=True))


def _frame(figure: Curve | Scatter, x_axis: Axis, y_axis: Axis) -> Markup:
    parts = []
    for place, text in y_axis.ticks():
        parts.append(
            Markup('<path class="grid" d="M{} {:.1f}H{}"/>').format(LEFT, place, WIDTH - RIGHT)
        )
        parts.append(
            Markup('<text class="tick end" x="{}" y="{:.1f}">{}</text>').format(
                LEFT - 6, place + 4, text
            )
        )
    for place, text in x_axis.ticks():
        parts.append(
            Markup('<text class="tick middle" x="{:.1f}" y="{}">{}</text>').format(
                place, HEIGHT - BOTTOM + 16, text
            )
        )
    parts.append(
        Markup('<path class="axis" d="M{} {}H{}"/>').format(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT)
    )
    middle = (HEIGHT - BOTTOM + TOP) / 2
    parts.append(
        Markup('<text class="name middle" x="{}" y="{}">{}</text>').format(
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, figure.x_label
        )
    )
    parts.append(
        Markup(
            '<text class="name middle" transform="translate(13 {}) rotate(-90)">{}</text>'
        ).format(middle, figure.y_label)
    )
    return Markup("").join(parts)


def _described(name: str, y: NDArray[np.float64], keep: NDArray[np.bool_]) -> str:
    values = y[keep]
    label = name or "values"
    if values.size == 0:
        return f"{label} without a finite point"
    first, last, lowest, highest = (
        numbers.number(float(value))
        for value in (values[0], values[-1], values.min(), values.max())
    )
    return f"{label} from {first} to {last}, lowest {lowest}, highest {highest}"


def _power(value: float) -> str:
    """A tick of a logarithmic axis."""
    exponent = math.log10(value)
    if abs(exponent - round(exponent)) < 1e-9 and not -3 <= round(exponent) <= 4:
        return "10" + str(round(exponent)).translate(numbers.SUPERSCRIPT)
    return f"{float(f'{value:.2g}'):g}" if 1e-3 <= value < 1e5 else numbers.number(value)


def interval_plot(
    value: float,
    low: float | None,
    high: float | None,
    baseline: float | None,
    floor: float | None,
    *,
    extent: tuple[float, float],
    outcome: str,
) -> Markup:
    """A value, its interval, baseline and floor on one line, 120 by 18; decoration only."""
    width, height = 120.0, 18.0
    axis = Axis(*extent, 6, width - 6)

    def at(number: float) -> float:
        return float(np.clip(axis.place(np.array([number]))[0], 0, width))

    parts = [Markup('<path class="base" d="M0 9H{}"/>').format(int(width))]
    if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
        parts.append(Markup('<path class="bar" d="M{:.1f} 9H{:.1f}"/>').format(at(low), at(high)))
    if baseline is not None and math.isfinite(baseline):
        parts.append(Markup('<path class="mark" d="M{:.1f} 2V16"/>').format(at(baseline)))
    if floor is not None and math.isfinite(floor):
        parts.append(Markup('<circle class="ring" cx="{:.1f}" cy="9" r="3.5"/>').format(at(floor)))
    parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="9" r="3.5"/>').format(at(value)))
    return (
        Markup('<svg class="interval {}" viewBox="0 0 {} {}" aria-hidden="true">').format(
            escape(outcome), int(width), int(height)
        )
        + Markup("").join(parts)
        + Markup("</svg>")
    )
