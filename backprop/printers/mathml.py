"""Expressions as MathML Core, which browsers render by themselves."""

from typing import Any

from backprop.network import LEARNING_RATE, TOTAL_ERROR, gradient_variable
from backprop.printers.infix import ATOM, POWER, PRODUCT, SUM, InfixPrinter, Text

_MATHML = "http://www.w3.org/1998/Math/MathML"


class MathMLPrinter(InfixPrinter):
    """Print presentation MathML: fractions are stacked, powers raised, names set with subscripts."""

    plus, minus, times = "<mo>+</mo>", "<mo>−</mo>", "<mo>·</mo>"

    def number(self, value: Any) -> Text:
        """Print an integer, or a fraction as a small stack."""
        if value.is_Integer:
            return Text(f"<mn>{value}</mn>", ATOM)
        return Text(f"<mfrac><mn>{value.p}</mn><mn>{value.q}</mn></mfrac>", ATOM)

    def symbol(self, name: str) -> str:
        """Print a name with its subscript; a gradient as a fraction of ∂."""
        return _symbol(name)

    def _wrap(self, expression: Any, at_least: int) -> str:
        text, level = self._part(expression)
        return text if level >= at_least else _brackets(text)

    @staticmethod
    def _minus(part: Text) -> Text:
        return Text(f"<mo>−</mo>{part.text if part.level >= PRODUCT else _brackets(part.text)}", SUM)

    def quotient(self, numerator: str, denominators: list[Any]) -> Text:
        """Print a fraction."""
        below = self.join_factors([self._wrap(d, SUM if len(denominators) == 1 else POWER) for d in denominators])
        return Text(f"<mfrac><mrow>{numerator}</mrow><mrow>{below}</mrow></mfrac>", ATOM)

    def _print_Pow(self, expression: Any) -> Text:
        base, exponent = expression.args
        if exponent == -1:
            return self.quotient("<mn>1</mn>", [base])
        return Text(f"<msup><mrow>{self._wrap(base, ATOM)}</mrow><mrow>{self.print(exponent)}</mrow></msup>", POWER)

    def _call(self, name: str, expression: Any) -> Text:
        arguments = "<mo>,</mo>".join(map(self.print, expression.args))
        return Text(f"<mi>{name}</mi>{_brackets(arguments)}", ATOM)

    def _print_ActivationBase(self, expression: Any) -> Text:
        return self._call(expression.sign, expression)

    def _print_exp(self, expression: Any) -> Text:
        return self._call("exp", expression)

    def _print_log(self, expression: Any) -> Text:
        return self._call("ln", expression)

    def _print_tanh(self, expression: Any) -> Text:
        return self._call("tanh", expression)

    def _print_Max(self, expression: Any) -> Text:
        return self._call("max", expression)

    def _print_Positive(self, expression: Any) -> Text:
        inside = f"{self.print(expression.args[0])}<mo>&gt;</mo><mn>0</mn>"
        return Text(f"<mrow><mo>[</mo>{inside}<mo>]</mo></mrow>", ATOM)

    def _print_Shifted(self, expression: Any) -> Text:
        new = f"<msup>{self.symbol(expression.quantity)}<mtext>new</mtext></msup>"
        return Text(new, ATOM) if expression.rows == 1 else self.emptyPrinter(expression)

    def _print_Partial(self, expression: Any) -> Text:
        above, variable = expression.args
        numerator = self.print(above)
        return Text(_partial(numerator if above.is_Symbol else _brackets(numerator), self.print(variable)), ATOM)


def math(*terms: str) -> str:
    """Join printed terms with equals signs into one <math> element."""
    return f'<math xmlns="{_MATHML}"><mrow>{"<mo>=</mo>".join(terms)}</mrow></math>'


def _brackets(text: str) -> str:
    # In a row of its own, a leading minus inside the brackets is a sign and not an operator between two things.
    return f"<mrow><mo>(</mo><mrow>{text}</mrow><mo>)</mo></mrow>"


def _partial(above: str, below: str) -> str:
    return f"<mfrac><mrow><mo>∂</mo>{above}</mrow><mrow><mo>∂</mo>{below}</mrow></mfrac>"


def _symbol(name: str) -> str:
    if name == LEARNING_RATE:
        return "<mi>η</mi>"
    if variable := gradient_variable(name):
        return _partial(_symbol(TOTAL_ERROR), _symbol(variable))
    head, _, tail = name.partition("_")
    if tail:
        return f"<msub><mi>{head}</mi>{_symbol(tail) if tail[-1].isdigit() else f'<mtext>{tail}</mtext>'}</msub>"
    letters = name.rstrip("0123456789")
    return f"<msub><mi>{letters}</mi><mn>{name[len(letters) :]}</mn></msub>" if letters != name else f"<mi>{name}</mi>"
