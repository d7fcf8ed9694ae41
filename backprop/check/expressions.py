"""Formulas in a table's own quantities, as sympy expressions that can be compared."""

import random
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any

import mpmath
import sympy as sp

from backprop.check.formulas import Call, NoNumberError, Number, UnreadableError
from backprop.notation import Shifted

_MAX_EXPONENT, _MAX_EXP_DEPTH = 709, 6
_MAX_POWER, _MAX_POWER_OF_SUM = 1000, 20
_MAX_BITS = 4000  # Excel's numbers need 1,100; sympy can't print those with more than 14,000
_MAX_OPERATIONS = 600
_POINTS, _DIGITS, _MAX_EXPONENT_AT_POINT = 3, 30, 10_000


Symbol = Any  # sympy ships no types
Resolved = Number | Call | Symbol
"""A tree whose references have become symbols and numbers; it can be compared and cached."""
Matrix = list[list[Resolved]]
_ZERO: Resolved = Number(Fraction(0))
_ONE: Resolved = Number(Fraction(1))


def symbol_of(quantity: str, rows: int = 0) -> Symbol:
    """Return the symbol of a quantity, so many rows below the formula that reads it."""
    return Shifted(quantity, rows) if rows else sp.Symbol(quantity)


def quantity_of(symbol: Symbol) -> str:
    """Return the quantity that a symbol stands for, in whichever row."""
    return str(symbol.quantity if isinstance(symbol, Shifted) else symbol.name)


def rows_of(symbol: Symbol) -> int:
    """Return how many rows below the formula that reads it a symbol's cell is: -1 in the row above."""
    return int(symbol.rows) if isinstance(symbol, Shifted) else 0


def find_symbols(resolved: Resolved) -> frozenset[Symbol]:
    """Return the symbols that a tree reads."""
    if isinstance(resolved, Call):
        return frozenset().union(*map(find_symbols, resolved.arguments))
    return frozenset() if isinstance(resolved, Number) else frozenset({resolved})


def apply_function(name: str, arguments: list[Matrix]) -> Resolved:
    """Call a function or an operator; those of ranges become sums and products. Raises UnreadableError."""
    flat = [value for matrix in arguments for line in matrix for value in line]
    if name == "SUM":
        return _add(flat)
    if name == "PRODUCT":
        return _multiply(flat)
    if name == "SUMPRODUCT":
        lists = [[value for line in matrix for value in line] for matrix in arguments]
        if len({len(values) for values in lists}) != 1:
            raise UnreadableError("SUMPRODUCT has ranges of different sizes")
        return _add(_multiply(values) for values in zip(*lists, strict=True))
    if any(len(matrix) * len(matrix[0]) != 1 for matrix in arguments):
        raise UnreadableError(f"{name} of a range is not understood")
    if name not in FUNCTIONS:
        raise UnreadableError(f"{name} is not understood")
    return Call(name, tuple(flat))


def multiply_matrices(left: Matrix, right: Matrix) -> Matrix:
    """Multiply as MMULT does. Raises UnreadableError where the sizes do not fit."""
    if len(left[0]) != len(right):
        raise UnreadableError("MMULT has ranges that do not fit")
    columns = list(zip(*right, strict=True))
    return [[_add(Call("*", pair) for pair in zip(line, c, strict=True)) for c in columns] for line in left]


def _add(terms: Iterable[Resolved]) -> Resolved:
    return reduce(lambda total, term: Call("+", (total, term)), terms, _ZERO)


def _multiply(factors: Iterable[Resolved]) -> Resolved:
    return reduce(lambda product, factor: Call("*", (product, factor)), factors, _ONE)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "negative": lambda a: -a,
    "POWER": lambda a, b: a**b,
    "EXP": sp.exp,
    "SQRT": sp.sqrt,
    "LN": sp.log,
    "TANH": sp.tanh,
    "ABS": sp.Abs,
    "PI": lambda: sp.pi,
}


@lru_cache(maxsize=4096)
def to_sympy(resolved: Resolved) -> Any:
    """Convert a tree to sympy. Raises NoNumberError where it has no value, such as 1/0, or else UnreadableError."""
    if isinstance(resolved, Number):
        return sp.Rational(resolved.value.numerator, resolved.value.denominator)
    if not isinstance(resolved, Call):
        return resolved
    arguments = [to_sympy(argument) for argument in resolved.arguments]
    try:
        if resolved.name in ("^", "POWER") and _is_too_large(*arguments):
            raise UnreadableError("a power is too large")
        if resolved.name == "EXP":
            _check_exponent(resolved, *arguments)
        value = FUNCTIONS[resolved.name](*arguments)
    except (TypeError, ZeroDivisionError, ValueError, OverflowError) as error:
        raise UnreadableError(f"{resolved.name} has the wrong arguments") from error
    if value.has(sp.zoo, sp.nan, sp.oo):
        raise NoNumberError("it divides by zero")
    if value.has(sp.I):
        raise NoNumberError("it takes the root or the logarithm of a negative number")
    if any(max(number.p.bit_length(), number.q.bit_length()) > _MAX_BITS for number in value.atoms(sp.Rational)):
        raise UnreadableError("a number is too large")
    return value


def _check_exponent(resolved: Call, exponent: Any) -> None:
    if exponent.is_number and exponent.evalf(5) > _MAX_EXPONENT:
        raise NoNumberError(f"EXP of more than {_MAX_EXPONENT} is #NUM!")
    if _exp_depth(resolved) > _MAX_EXP_DEPTH:
        raise UnreadableError("EXP of EXP is nested too deeply")


@lru_cache(maxsize=4096)
def _exp_depth(resolved: Resolved) -> int:
    inside = max(map(_exp_depth, resolved.arguments), default=0) if isinstance(resolved, Call) else 0
    return inside + (isinstance(resolved, Call) and resolved.name == "EXP")


def _is_too_large(base: Any, exponent: Any) -> bool:
    """Return whether a power would take hours: those of a sum are multiplied out in places."""
    return bool(exponent.is_Number and abs(exponent) > (_MAX_POWER_OF_SUM if base.is_Add else _MAX_POWER))


def is_small(expression: Any) -> bool:
    """Return whether sympy can rearrange an expression at once, as it can with all intermediate steps put in."""
    return bool(expression.count_ops() <= _MAX_OPERATIONS)


def are_equal(found: Any, expected: Any) -> bool:
    """Return whether two expressions are the same function: at random exact points, with 30 digits."""
    if found == expected:
        return True
    symbols = tuple(sorted(found.free_symbols | expected.free_symbols, key=str))
    function = _compile_both(symbols, found, expected)
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
def _compile_both(symbols: tuple[Any, ...], found: Any, expected: Any) -> Any:
    return sp.lambdify(symbols, [found, expected], modules=[{"exp": _exp}, "mpmath"])


def _exp(x: Any) -> Any:
    # EXP of 710 is #NUM!; mpmath would go on, and never end with an EXP of an EXP of an EXP.
    if abs(x) > _MAX_EXPONENT_AT_POINT:
        raise OverflowError
    return mpmath.exp(x)
