"""Excel's functions of single numbers, for arrays of numbers: NaN stands for Excel's error.

Numbers may be complex: a tiny imaginary part carries a derivative along, and no function lets it decide anything.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = float | Floats
"""One number, or one a point."""
MAX_EXPONENT = 709.78
_MAX_IMAGINARY = 1e-3
"""What is larger is no derivative: the root or the logarithm of a negative number."""


def _finite(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give NaN, Excel's error, where a function overflows: 1/(1+EXP(1000)) is #NUM!, not 0."""

    def guarded(*arguments: Any) -> Any:
        numbers = (np.asarray(argument) for argument in arguments)
        result = function(*(number if number.dtype == complex else number.astype(float) for number in numbers))
        is_number = np.isfinite(result) & (np.abs(np.imag(result)) < _MAX_IMAGINARY)
        return np.where(is_number, result, np.nan)[()]

    return guarded


def _step(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the real parts alone, whose result is a number: it is flat but for its steps."""
    return lambda *arguments: 1.0 * function(*map(np.real, arguments))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "POWER": np.power,
    "POW": np.power,
    "negative": np.negative,
    "EXP": lambda x: np.where(np.real(x) > MAX_EXPONENT, np.nan, np.exp(np.minimum(x, MAX_EXPONENT))),
    "SQRT": np.sqrt,
    "LN": np.log,
    "LOG10": np.log10,
    "LOG": lambda x, *base: np.log(x) / np.log(base[0] if base else 10.0),
    "TANH": np.tanh,
    "SINH": np.sinh,
    "COSH": np.cosh,
    "ABS": lambda x: np.where(np.real(x) < 0, -x, x),
    "SIGN": _step(np.sign),
    "INT": _step(np.floor),
    "MOD": lambda x, y: x - y * np.floor(np.real(x) / np.real(y)),
    "ROUND": _step(lambda x, digits: np.sign(x) * np.floor(np.abs(x) * 10.0**digits + 0.5) / 10.0**digits),
    "PI": lambda: np.asarray(math.pi),
    "IF": lambda test, yes, *no: np.where(np.real(test) != 0, yes, no[0] if no else 0.0),
    "NOT": _step(np.logical_not),
    "=": _step(np.equal),
    "<>": _step(np.not_equal),
    "<": _step(np.less),
    ">": _step(np.greater),
    "<=": _step(np.less_equal),
    ">=": _step(np.greater_equal),
    "AND": _step(lambda *tests: np.logical_and.reduce([test != 0 for test in tests])),
    "OR": _step(lambda *tests: np.logical_or.reduce([test != 0 for test in tests])),
}
ELEMENTWISE = {name: _finite(function) for name, function in _FUNCTIONS.items()}
"""Operators and functions of single numbers, by name in capitals."""
TROUBLES = {
    "/": "it divides by zero",
    "EXP": "EXP of more than 709 is #NUM!",
    **dict.fromkeys(("SQRT", "LN", "LOG", "LOG10"), "it takes the root or the logarithm of a negative number"),
    **dict.fromkeys(("^", "POWER", "POW"), "a power is too large or has no real value"),
}
