"""Excel's functions of single numbers, for arrays of numbers: NaN stands for Excel's error."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = float | Floats
"""One number, or one a point."""
MAX_EXPONENT = 709.78


def _finite(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give NaN, Excel's error, where a function overflows: 1/(1+EXP(1000)) is #NUM!, not 0."""

    def guarded(*arguments: Any) -> Any:
        result = function(*(np.asarray(argument, dtype=float) for argument in arguments))
        return np.where(np.isfinite(result), result, np.nan)[()]

    return guarded


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "POWER": np.power,
    "POW": np.power,
    "negative": np.negative,
    "EXP": lambda x: np.where(x > MAX_EXPONENT, np.nan, np.exp(np.minimum(x, MAX_EXPONENT))),
    "SQRT": np.sqrt,
    "LN": np.log,
    "LOG10": np.log10,
    "LOG": lambda x, *base: np.log(x) / np.log(base[0] if base else 10.0),
    "TANH": np.tanh,
    "SINH": np.sinh,
    "COSH": np.cosh,
    "ABS": np.abs,
    "SIGN": np.sign,
    "INT": np.floor,
    "MOD": np.mod,
    "ROUND": lambda x, digits: np.sign(x) * np.floor(np.abs(x) * 10.0**digits + 0.5) / 10.0**digits,
    "PI": lambda: np.asarray(math.pi),
    "IF": lambda test, yes, *no: np.where(test != 0, yes, no[0] if no else 0.0),
    "NOT": lambda x: np.where(x == 0, 1.0, 0.0),
    "=": lambda a, b: np.where(a == b, 1.0, 0.0),
    "<>": lambda a, b: np.where(a != b, 1.0, 0.0),
    "<": lambda a, b: np.where(a < b, 1.0, 0.0),
    ">": lambda a, b: np.where(a > b, 1.0, 0.0),
    "<=": lambda a, b: np.where(a <= b, 1.0, 0.0),
    ">=": lambda a, b: np.where(a >= b, 1.0, 0.0),
    "AND": lambda *tests: np.where(np.logical_and.reduce([test != 0 for test in tests]), 1.0, 0.0),
    "OR": lambda *tests: np.where(np.logical_or.reduce([test != 0 for test in tests]), 1.0, 0.0),
}
ELEMENTWISE = {name: _finite(function) for name, function in _FUNCTIONS.items()}
"""Operators and functions of single numbers, by name in capitals."""
TROUBLES = {
    "/": "it divides by zero",
    "EXP": "EXP of more than 709 is #NUM!",
    **dict.fromkeys(("SQRT", "LN", "LOG", "LOG10"), "it takes the root or the logarithm of a negative number"),
    **dict.fromkeys(("^", "POWER", "POW"), "a power is too large or has no real value"),
}
