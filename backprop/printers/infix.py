"""Base of the printers with infix operators: brackets stand where precedence requires them."""

from typing import Any, NamedTuple

import sympy as sp
from sympy.printing.printer import Printer

from backprop.errors import BackpropError
from backprop.notation import is_negative, negate


class Text(NamedTuple):
    """A printed expression and how tightly its outermost operator binds."""

    text: str
    level: int


SUM, PRODUCT, POWER, ATOM = range(4)


class InfixPrinter(Printer):
    """Print sums, products and powers in the order they stand; subclasses name operators, numbers and functions."""

    plus, minus, times, raised, comma = " + ", " - ", "*", "^", ", "

    def print(self, expression: Any) -> str:
        """Return an expression as text; raises BackpropError naming a node that this language can't express."""
        return self._part(expression).text

    def emptyPrinter(self, expression: Any) -> Text:
        """Raise BackpropError for a node that no method prints."""
        raise BackpropError(f"{type(self).__name__} cannot print {type(expression).__name__}: {expression}")

    def symbol(self, name: str) -> str:
        """Print a symbol."""
        return name

    def number(self, value: Any) -> Text:
        """Print a rational number that is not negative."""
        return Text(str(value), ATOM if value.is_Integer else PRODUCT)

    def _part(self, expression: Any) -> Text:
        part = self._print(expression)
        return part if isinstance(part, Text) else self.emptyPrinter(expression)

    def _wrap(self, expression: Any, at_least: int) -> str:
        text, level = self._part(expression)
        return text if level >= at_least else f"({text})"

    def _print_Symbol(self, expression: Any) -> Text:
        return Text(self.symbol(expression.name), ATOM)

    def _print_Rational(self, expression: Any) -> Text:
        return self._minus(self.number(-expression)) if expression < 0 else self.number(expression)

    @staticmethod
    def _minus(part: Text) -> Text:
        # A spreadsheet reads -A1^2 as (-A1)^2, so a power may not follow a leading minus bare.
        bare = part.level in (PRODUCT, ATOM) and not part.text.startswith("-")
        return Text(f"-{part.text}" if bare else f"-({part.text})", SUM)

    def _print_Add(self, expression: Any) -> Text:
        first, *others = expression.args
        text = self._wrap(first, SUM)
        for term in others:
            sign, size = (self.minus, negate(term)) if is_negative(term) else (self.plus, term)
            text += sign + self._wrap(size, PRODUCT)
        return Text(text, SUM)

    def _print_Mul(self, expression: Any) -> Text:
        if is_negative(expression):
            return self._minus(self._part(negate(expression)))
        above = [f for f in expression.args if not _is_inverse(f)]
        below = [f.base for f in expression.args if _is_inverse(f)]
        numerator = self.join_factors([self._wrap(f, PRODUCT if i == 0 else POWER) for i, f in enumerate(above)])
        return self.quotient(numerator or self.number(sp.Integer(1)).text, below) if below else Text(numerator, PRODUCT)

    def join_factors(self, factors: list[str]) -> str:
        """Write factors as one product."""
        return self.times.join(factors)

    def quotient(self, numerator: str, denominators: list[Any]) -> Text:
        """Print a product divided by expressions, one after the other."""
        return Text("/".join((numerator, *(self._wrap(d, POWER) for d in denominators))), PRODUCT)

    def _print_Pow(self, expression: Any) -> Text:
        base, exponent = expression.args
        if exponent == -1:
            return self.quotient(self.number(sp.Integer(1)).text, [base])
        return Text(f"{self._wrap(base, ATOM)}{self.raised}{self._wrap(exponent, ATOM)}", POWER)

    def _print_ActivationBase(self, expression: Any) -> Text:
        return self._part(expression.definition(expression.args[0]))

    def _call(self, name: str, expression: Any) -> Text:
        return Text(f"{name}({self.comma.join(map(self.print, expression.args))})", ATOM)


def _is_inverse(factor: Any) -> bool:
    return bool(factor.is_Pow and factor.exp == -1)
