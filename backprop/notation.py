"""Notation that sympy lacks, and sums and products that keep the class sheet's order."""

from typing import Any

import sympy as sp


class Partial(sp.Function):
    """∂numerator/∂variable as a sign on paper; sympy's Derivative of a plain symbol would be 0."""

    nargs = 2


class Shifted(sp.Symbol):
    """A quantity of another iteration: `Shifted("w1", 1)` is w1 one row below, `Shifted("w1", -1)` one row above."""

    __slots__ = ("quantity", "rows")

    def __new__(cls, quantity: str, rows: int) -> "Shifted":
        symbol: Shifted = super().__new__(cls, f"{quantity}[{rows:+d}]")
        symbol.quantity, symbol.rows = quantity, rows
        return symbol

    def __getnewargs_ex__(self) -> tuple[tuple[str, int], dict[str, Any]]:
        return (self.quantity, self.rows), {}


def in_class_order(expression: Any) -> Any:
    """Arrange a sum with positive terms first, a product with numbers, then symbols, then brackets: `a*(1 - a)`."""
    if isinstance(expression, sp.Add):
        return total(sorted(map(in_class_order, expression.args), key=is_negative))
    if isinstance(expression, sp.Mul) and not is_negative(expression):
        return product(sorted(map(in_class_order, expression.args), key=_bracket_rank))
    return expression


def is_negative(term: Any) -> bool:
    """Return whether a term is written with a leading minus."""
    head = term.args[0] if isinstance(term, sp.Mul) else term
    return bool(head.is_Number and head < 0)


def negate(term: Any) -> Any:
    """Return a negative term without its leading minus, the rest in the same order."""
    if not isinstance(term, sp.Mul):
        return -term
    head, *rest = term.args
    return product(rest if head == -1 else (-head, *rest))


def _bracket_rank(factor: Any) -> int:
    if factor.is_Number:
        return 0
    return 1 if factor.is_Symbol or factor.is_Function else 2


def factors_of(expression: Any) -> tuple[Any, ...]:
    """Return the factors of a product in the class order; 1 has none."""
    ordered = in_class_order(expression)
    if ordered == 1:
        return ()
    return tuple(ordered.args) if isinstance(ordered, sp.Mul) else (ordered,)


def product(factors: Any) -> Any:
    """Multiply without letting sympy reorder; an empty product is 1."""
    return _build_unevaluated(sp.Mul, tuple(factors), sp.Integer(1))


def total(terms: Any) -> Any:
    """Add without letting sympy reorder; an empty sum is 0."""
    return _build_unevaluated(sp.Add, tuple(terms), sp.Integer(0))


def _build_unevaluated(kind: Any, parts: tuple[Any, ...], empty: Any) -> Any:
    if len(parts) > 1:
        return kind(*parts, evaluate=False)
    return parts[0] if parts else empty
