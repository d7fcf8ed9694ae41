"""Expressions as one line of plain text, as in the class sheet's panels."""

from typing import Any

from backprop.network import LEARNING_RATE, TOTAL_ERROR, gradient_variable
from backprop.printers.infix import ATOM, InfixPrinter, Text

_FRACTIONS = {"1/2": "½", "1/3": "⅓", "1/4": "¼"}


class TextPrinter(InfixPrinter):
    """Print `½ * (t1 - a_o1)²`, `σ(h1)`, `∂E1/∂a_o1`; products of bare symbols have no spaces: `w1*i1`."""

    def number(self, value: Any) -> Text:
        """Print a number; ½ is one character."""
        fraction = _FRACTIONS.get(str(value))
        return Text(fraction, ATOM) if fraction else super().number(value)

    def symbol(self, name: str) -> str:
        """Print a symbol; a gradient as ∂E_total/∂w1, the learning rate as η."""
        variable = gradient_variable(name)
        return "η" if name == LEARNING_RATE else f"∂{TOTAL_ERROR}/∂{variable}" if variable else name

    def join_factors(self, factors: list[str]) -> str:
        """Join factors, with spaces unless all are bare symbols."""
        return ("*" if all(f.isidentifier() for f in factors) else " * ").join(factors)

    def _print_Pow(self, expression: Any) -> Text:
        printed = super()._print_Pow(expression)
        return Text(printed.text.replace("^2", "²"), printed.level)

    def _print_ActivationBase(self, expression: Any) -> Text:
        return self._call(expression.sign, expression)

    def _print_Positive(self, expression: Any) -> Text:
        return Text(f"[{self.print(expression.args[0])} > 0]", ATOM)

    def _print_tanh(self, expression: Any) -> Text:
        return self._call("tanh", expression)

    def _print_Max(self, expression: Any) -> Text:
        return self._call("max", expression)

    def _print_exp(self, expression: Any) -> Text:
        return self._call("exp", expression)

    def _print_log(self, expression: Any) -> Text:
        return self._call("ln", expression)

    def _print_Abs(self, expression: Any) -> Text:
        return Text(f"|{self.print(expression.args[0])}|", ATOM)

    def _print_Exp1(self, expression: Any) -> Text:
        return Text("e", ATOM)

    def _print_Pi(self, expression: Any) -> Text:
        return Text("π", ATOM)

    def _print_Shifted(self, expression: Any) -> Text:
        return Text(f"{expression.quantity}_new", ATOM) if expression.rows == 1 else self.emptyPrinter(expression)

    def _print_Partial(self, expression: Any) -> Text:
        above, variable = expression.args
        numerator = self.print(above)
        return Text(f"∂{numerator if above.is_Symbol else f'({numerator})'}/∂{self.print(variable)}", ATOM)
