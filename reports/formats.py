"""Numbers and words formatted for readers."""

import math
from collections.abc import Sequence

from markupsafe import Markup

OVERFLOW = "#NUM!"
"""What Excel shows, and so what the page shows, where the class formula overflows."""
# A line must not break inside a number.
_TIMES_TEN = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10"
_DIGITS = 9
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def significant(value: float, digits: int = _DIGITS) -> str:
    """Format a number with so many significant digits: 0.000351777, 2.09236 × 10⁻⁶."""
    if not math.isfinite(value):
        return OVERFLOW
    value += 0.0  # a gradient can be −0, which readers know as 0
    mantissa, exponent = _scientific(value, digits)
    if -5 <= exponent < digits:
        return _set_minus(_trim_zeros(f"{value:.{max(digits - 1 - exponent, 0)}f}"))
    return _set_minus(f"{mantissa}{_TIMES_TEN}{superscript(exponent)}")


def brief(value: float, digits: int = 4) -> str:
    """Format a number for the little room in a drawing; what is below a thousandth gets two digits."""
    return significant(value, digits if not value or abs(value) >= 1e-3 else 2).replace(_TIMES_TEN, "×10")


def fixed(value: float, decimals: int) -> str:
    """Format a number for a column of figures; very large and very small ones in scientific notation."""
    if not math.isfinite(value):
        return OVERFLOW
    if value and not 10.0**-decimals <= abs(value) < 1e5:
        return significant(value, 6)
    return _set_minus(f"{value + 0.0:.{decimals}f}")


def short(value: float) -> str:
    """Format a number that a person chose: 0.1, 2, 0.0001."""
    return significant(value, 12)


def percent(fraction: float, decimals: int = 2) -> str:
    """Format a fraction as percent."""
    return f"{100 * fraction:.{decimals}f}\N{NO-BREAK SPACE}%"


def share(fraction: float, digits: int = 3) -> str:
    """Format a fraction as percent with so many significant digits, where it may be tiny or none at all."""
    text = significant(100 * fraction, digits)
    return text if text == OVERFLOW else f"{text}\N{NO-BREAK SPACE}%"


def rough_share(fraction: float) -> str:
    """Format a fraction as percent, as roughly as a sentence needs it."""
    if fraction < 1e-8:
        return "less than a millionth of a percent"
    return percent(fraction, 1) if fraction >= 0.001 else share(fraction, 2)


def learning_rate(rate: float) -> str:
    """Format a learning rate of a schedule."""
    return fixed(rate, 5) if rate >= 1e-4 else significant(rate, 3)


def duration(seconds: float) -> str:
    """Format a time for reading: 61 seconds, 12.8 minutes."""
    return counted(round(seconds), "second") if seconds < 120 else f"{fixed(seconds / 60, 1)} minutes"


def signed(value: float) -> str:
    """Format a gradient for the little room in a drawing, with its sign."""
    return ("+" if value > 0 else "") + brief(value, 3)


def superscript(number: int) -> str:
    """Format a whole number as an exponent: −3 as ⁻³."""
    return str(number).translate(_SUPERSCRIPTS)


def mathml_number(value: float) -> Markup:
    """Format a number as an operand of a formula in MathML: a negative one stands in brackets."""
    if not math.isfinite(value):
        return Markup("<mtext>#NUM!</mtext>")
    text = significant(abs(value))
    number, _, power = text.partition(_TIMES_TEN)
    inner = Markup("<mn>{}</mn>").format(number)
    if power:
        exponent = _scientific(value, _DIGITS)[1]
        inner = Markup("<mrow>{}<mo>×</mo><msup><mn>10</mn><mn>{}</mn></msup></mrow>").format(
            inner, str(exponent).replace("-", "−")
        )
    return Markup("<mrow><mo>(</mo><mo>−</mo>{}<mo>)</mo></mrow>").format(inner) if value < 0 else inner


def listing(items: Sequence[str]) -> str:
    """Join words as English does: a, b and c."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def counted(number: int, noun: str) -> str:
    """Format a number with its noun: 1 epoch, 15 epochs."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def times(number: int) -> str:
    """Format how often something happens: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def sentence_start(text: str) -> str:
    """Return a phrase with a capital, unless it starts with the name of a quantity: w5 stays w5."""
    first = text.split()[0]
    return text if any(c.isdigit() or c == "_" for c in first) else text[0].upper() + text[1:]


def _scientific(value: float, digits: int) -> tuple[str, int]:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return _trim_zeros(mantissa), int(exponent)


def _trim_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _set_minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
