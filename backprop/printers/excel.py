"""Expressions as Excel formulas, in the short style of the class sheet."""

from collections.abc import Callable
from typing import Any

import sympy as sp

from backprop.printers.infix import ATOM, InfixPrinter, Text


class ExcelPrinter(InfixPrinter):
    """Print with cells for symbols. In Excel unary minus binds tighter than ^, and ^ groups to the left."""

    plus, minus, comma = "+", "-", ","

    def __init__(self, cell_of: Callable[[str], str]) -> None:
        super().__init__()
        self._cell_of = cell_of

    def formula(self, expression: Any) -> str:
        """Return a formula with its leading equals sign."""
        return f"={self.print(expression)}"

    def symbol(self, name: str) -> str:
        """Print the cell that holds the symbol."""
        return self._cell_of(name)

    def number(self, value: Any) -> Text:
        """Print short decimals as such (0.5, as the class sheet does), other fractions as quotients."""
        decimal = repr(float(value))
        exact = not value.is_Integer and len(decimal) < 8 and value == sp.Rational(decimal)
        return Text(decimal, ATOM) if exact else super().number(value)

    def _print_exp(self, expression: Any) -> Text:
        return self._call("EXP", expression)

    def _print_log(self, expression: Any) -> Text:
        return self._call("LN", expression)

    def _print_tanh(self, expression: Any) -> Text:
        return self._call("TANH", expression)

    def _print_Max(self, expression: Any) -> Text:
        return self._call("MAX", expression)

    def _print_Positive(self, expression: Any) -> Text:
        return Text(f"IF({self.print(expression.args[0])}>0,1,0)", ATOM)
