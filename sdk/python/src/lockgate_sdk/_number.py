import math

# Significant digits that a difference of measured values keeps. A double holds about 16; the last
# few of a sum or difference are noise of the binary fractions, not measurement.
_KEPT_DIGITS = 12

# Digits shown of a number in a message.
_SHOWN_DIGITS = 6


def difference(a: float, b: float) -> float:
    """``a - b`` without the noise of binary fractions: ``difference(0.95, 0.94)`` is 0.01."""
    return tidy(a - b, max(abs(a), abs(b)))


def tidy(value: float, scale: float) -> float:
    """``value`` rounded to twelve significant digits of ``scale``, the largest number it came from."""
    return _round_to(value, _KEPT_DIGITS - 1 - _exponent(scale))


def number(value: float) -> str:
    """A number for people: six significant digits, no trailing zeros."""
    value = float(value)
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return digits(value)
    exponent = _exponent(value)
    if not -6 <= exponent < 15:
        return _scientific(value)
    return digits(_round_to(value, max(_SHOWN_DIGITS - 1 - exponent, 0)))


def numbers(a: float, b: float) -> tuple[str, str]:
    """Two numbers for people, with all digits when fewer would make different ones look equal."""
    short = number(a), number(b)
    return (digits(a), digits(b)) if short[0] == short[1] and a != b else short


def digits(value: float) -> str:
    """All digits of a number, without an exponent."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    sign, figures, point = _parts(value)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{figures}"
    whole, fraction = figures[:point].ljust(point, "0"), figures[point:]
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def _scientific(value: float) -> str:
    sign, figures, point = _parts(value)
    fraction = f".{figures[1:]}" if len(figures) > 1 else ""
    return f"{sign}{figures[0]}{fraction}e{point - 1}"


def _parts(value: float) -> tuple[str, str, int]:
    """Sign, figures without zeros around them, and where in these the point is."""
    if value == 0:
        return ("-" if math.copysign(1, value) < 0 else ""), "0", 1
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    figures = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(figures)
    point = len(whole) + int(power or 0) - leading
    return ("-" if value < 0 else ""), figures.rstrip("0"), point


def _exponent(value: float) -> int:
    """Decimal exponent of the first digit; 0 for zero and for what is not finite."""
    magnitude = abs(value)
    return math.floor(math.log10(magnitude)) if 0 < magnitude < math.inf else 0


def _round_to(value: float, decimals: int) -> float:
    """``value`` rounded to that many places after the point (before it, when negative)."""
    # Past 10^22 a power of ten is no longer exact in a double, and rounding would add noise instead
    # of taking it away.
    if abs(decimals) > 22 or not math.isfinite(value):
        return value
    power = float(f"1e{abs(decimals)}")
    scaled = value / power if decimals < 0 else value * power
    if not math.isfinite(scaled):
        return value
    rounded = _round(scaled) * power if decimals < 0 else _round(scaled) / power
    return rounded if math.isfinite(rounded) else value


def _round(value: float) -> float:
    """To a whole number; halves go away from zero, where those of ``round`` go to even."""
    magnitude = abs(value)
    whole = float(math.floor(magnitude))
    return math.copysign(whole + 1 if magnitude - whole >= 0.5 else whole, value)
