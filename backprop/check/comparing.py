"""Whether two expressions are the same function: at random exact points, with 30 digits."""

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import mpmath
import sympy as sp

from backprop.check.resolving import BEFORE

_POINTS, _DIGITS = 3, 30
_MAX_EXPONENT = 10_000
_MAX_OPERATIONS = 600


def is_small(expression: Any) -> bool:
    """Tell whether sympy can rearrange an expression at once; one with all intermediate steps put in still is small."""
    return bool(expression.count_ops() <= _MAX_OPERATIONS)


def equal(found: Any, expected: Any) -> bool:
    """Tell whether two expressions have the same value wherever both have one."""
    if found == expected:
        return True
    symbols = tuple(sorted(found.free_symbols | expected.free_symbols, key=str))
    function = _compiled(symbols, found, expected)
    numbers = random.Random(7)
    with mpmath.workdps(_DIGITS):
        for _ in range(_POINTS):
            point = [mpmath.mpf(numbers.randint(100, 900)) / 617 for _ in symbols]
            try:
                a, b = function(*point)
                if not (mpmath.isfinite(a) and mpmath.isfinite(b)):
                    return False
                if not abs(a - b) <= mpmath.mpf(10) ** (5 - _DIGITS) * max(abs(a), abs(b), mpmath.mpf(1) / 1000):
                    return False
            except (ArithmeticError, ValueError, TypeError):
                return False
    return True


@lru_cache(maxsize=2048)
def _compiled(symbols: tuple[Any, ...], found: Any, expected: Any) -> Any:
    return sp.lambdify(symbols, [found, expected], modules=[{"exp": _exp}, "mpmath"])


def _exp(x: Any) -> Any:
    # EXP of 710 is #NUM!; mpmath would go on, and never end with an EXP of an EXP of an EXP.
    if abs(x) > _MAX_EXPONENT:
        raise OverflowError
    return mpmath.exp(x)


class Composer:
    """Put the right definitions of intermediate quantities in, until only inputs and weights are left."""

    def __init__(self, expected: Mapping[str, Any], weights: tuple[str, ...], given: tuple[str, ...]) -> None:
        now = {sp.Symbol(name): e for name, e in expected.items() if name not in weights}
        rename = {s: sp.Symbol(s.name + BEFORE) for e in now.values() for s in e.free_symbols if s.name not in given}
        before = {sp.Symbol(s.name + BEFORE): e.xreplace(rename) for s, e in now.items()}
        self._definitions = {**now, **before}

    def compose(self, expression: Any) -> Any:
        """Replace until nothing changes."""
        for _ in range(len(self._definitions)):
            following = expression.xreplace(self._definitions)
            if following == expression:
                break
            expression = following
        return expression
