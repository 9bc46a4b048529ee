"""Numbers as a reader wants them: no more digits than the interval bears, never a bare NaN."""

from __future__ import annotations

import math

MAX_DECIMALS = 6
UNDEFINED = "not defined"
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimals_for(value: float, low: float | None = None, high: float | None = None) -> int:
    """Decimals worth printing: two digits of the half interval, or three significant digits.

    >>> decimals_for(12.345, 10.98, 13.87), decimals_for(0.93421), decimals_for(45123.0)
    (1, 3, 0)
    """
    places = 2 - _exponent(value)
    if low is not None and high is not None:
        half = abs(high - low) / 2
        if math.isfinite(half) and half > 0:
            largest = max(abs(x) for x in (value, low, high) if math.isfinite(x))
            places = min(1 - _exponent(half), 4 - _exponent(largest))
    return min(max(places, 0), MAX_DECIMALS)


def number(value: float | None, decimals: int | None = None) -> str:
    """A number as text, with a true minus sign; "not defined" for NaN and None, "inf" for infinity.

    Without ``decimals`` it has three significant digits, and all digits before the point.

    >>> number(-3.14159), number(float("nan")), number(1234567.0), number(2.5e-9)
    ('−3.14', 'not defined', '1\u202f234\u202f567', '2.5 × 10⁻⁹')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    sign = "−" if value < 0 else ""
    size = abs(value)
    if math.isinf(size):
        return f"{sign}inf"
    places = decimals_for(value) if decimals is None else decimals
    text = f"{size:.{places}f}"
    if float(text) == 0:
        return sign + _scientific(size) if size and places == MAX_DECIMALS else text
    if size >= 1e9:
        return sign + _scientific(size)
    if size >= 10_000:
        text = f"{size:,.{places}f}".replace(",", "\u202f")
    return sign + text


def beside(value: float | None, decimals: int) -> str:
    """A number printed like its neighbour, but never as zero when it is not.

    >>> beside(45.12, 1), beside(0.004, 1)
    ('45.1', '0.004')
    """
    if value is None or not math.isfinite(value) or value == 0 or round(value, decimals):
        return number(value, decimals)
    return number(float(f"{value:.1g}"), None).rstrip("0")


def interval(low: float | None, high: float | None, decimals: int) -> str:
    """``"11.0 to 13.9"``, or an empty string where there is none."""
    if low is None or high is None:
        return ""
    return f"{number(low, decimals)} to {number(high, decimals)}"


def with_unit(text: str, unit: str) -> str:
    """``text`` and its unit; the unit one is not printed, nor any beside what is not a number.

    >>> with_unit("12.3", "HU"), with_unit("0.93", "1")
    ('12.3 HU', '0.93')
    """
    if unit in ("", "1") or text == UNDEFINED:
        return text
    return f"{text} {unit}"


def p_value(p: float | None) -> str:
    """``"p < 0.001"``, ``"p = 0.021"``, ``"p = 0.34"``, or "not tested".

    Rounding never carries a value over 0.05.
    """
    if p is None or math.isnan(p):
        return "not tested"
    if p < 0.001:
        return "p < 0.001"
    places = 3 if p < 0.1 else 2
    while places < 12 and (float(f"{p:.{places}f}") < 0.05) != (p < 0.05):
        places += 1
    return f"p = {p:.{places}f}"


def duration(seconds: float) -> str:
    """A length of time.

    >>> duration(1.25), duration(75), duration(7500)
    ('1.25 s', '1 min 15 s', '2 h 5 min')
    """
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 60:
        return f"{number(seconds)} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min {whole % 60} s" if whole % 60 else f"{minutes} min"


def _exponent(value: float) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    return math.floor(math.log10(abs(value)))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    power = str(int(exponent)).translate(SUPERSCRIPT)
    return f"{mantissa.rstrip('0').rstrip('.')} × 10{power}"
