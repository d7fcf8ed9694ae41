"""Expressions as LaTeX."""

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter as SympyLatexPrinter

from backprop.errors import BackpropError
from backprop.network import LEARNING_RATE, TOTAL_ERROR, gradient_variable

_SIGNS = {"σ": r"\sigma", "tanh": r"\tanh"}


class LatexPrinter(SympyLatexPrinter):
    """Print in the order of the class sheet, a_h1 as a_{h_1}, a gradient as a fraction of ∂."""

    def __init__(self) -> None:
        super().__init__({"order": "none"})

    def print(self, expression: Any) -> str:
        """Return an expression as LaTeX without dollar signs; raises BackpropError naming an unknown node."""
        return str(self.doprint(expression))

    def emptyPrinter(self, expression: Any) -> str:
        """Raise BackpropError for a node that no method prints."""
        raise BackpropError(f"{type(self).__name__} cannot print {type(expression).__name__}: {expression}")

    def _print_Function(self, expression: Any, exp: str | None = None) -> str:
        if isinstance(expression, sp.tanh):
            return str(super()._print_Function(expression, exp))
        return self.emptyPrinter(expression)

    def _print_Symbol(self, expression: Any, style: str = "plain") -> str:
        return latex_name(expression.name)

    def _print_Shifted(self, expression: Any) -> str:
        new = rf"{expression.quantity}_{{\mathrm{{new}}}}"
        return new if expression.rows == 1 else self.emptyPrinter(expression)

    def _print_ActivationBase(self, expression: Any, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        sign = _SIGNS.get(expression.sign, rf"\operatorname{{{expression.sign}}}")
        return rf"{sign}{power}\left({self._print(expression.args[0])}\right)"

    def _print_Positive(self, expression: Any, exp: str | None = None) -> str:
        return rf"\left[{self._print(expression.args[0])} > 0\right]"

    def _print_Partial(self, expression: Any, exp: str | None = None) -> str:
        above, variable = expression.args
        numerator = self._print(above)
        if not above.is_Symbol:
            numerator = rf"\left({numerator}\right)"
        fraction = rf"\frac{{\partial {numerator}}}{{\partial {self._print(variable)}}}"
        return rf"\left({fraction}\right)^{{{exp}}}" if exp else fraction


def latex_name(name: str) -> str:
    """Return a name of the sheet in LaTeX: h1 → h_{1}, a_h1 → a_{h_{1}}, E_total → E_{\\mathrm{total}}."""
    if name == LEARNING_RATE:
        return r"\eta"
    if variable := gradient_variable(name):
        return rf"\frac{{\partial {latex_name(TOTAL_ERROR)}}}{{\partial {latex_name(variable)}}}"
    head, _, tail = name.partition("_")
    if tail:
        return f"{head}_{{{latex_name(tail)}}}" if tail[-1].isdigit() else rf"{head}_{{\mathrm{{{tail}}}}}"
    letters = name.rstrip("0123456789")
    return f"{letters}_{{{name[len(letters) :]}}}" if letters != name else name
