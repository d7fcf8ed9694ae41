"""Expressions and whole training steps as JavaScript."""

from collections.abc import Iterable, Mapping
from typing import Any

from sympy.printing.jscode import JavascriptCodePrinter

from backprop.derivation import Derivation
from backprop.errors import BackpropError


class JavaScriptPrinter(JavascriptCodePrinter):
    """Print in the order of the class sheet; a symbol keeps its name, `exponential` is the function to call for exp."""

    def __init__(self, exponential: str = "Math.exp") -> None:
        super().__init__({"order": "none", "user_functions": {"exp": exponential}})

    def print(self, expression: Any) -> str:
        """Return an expression as JavaScript; raises BackpropError naming a node that it cannot print."""
        return str(self.doprint(expression))

    def emptyPrinter(self, expression: Any) -> str:
        """Raise BackpropError for a node that no method prints."""
        raise BackpropError(f"{type(self).__name__} cannot print {type(expression).__name__}: {expression}")

    _print_not_supported = emptyPrinter

    def _print_ActivationBase(self, expression: Any) -> str:
        # sympy takes a function for an atom, so its definition has to bring its own brackets.
        return f"({self._print(expression.definition(expression.args[0]))})"

    def _print_Positive(self, expression: Any) -> str:
        return f"({self._print(expression.args[0])} > 0 ? 1 : 0)"


def step_function(derivation: Derivation, name: str = "step", exponential: str = "Math.exp") -> str:
    """Print a function that computes one iteration from its constants, its weights and eta.

    The argument is an object with those names; the result is a new object with `derivation.columns` and `next`,
    an object of the updated weights and trained biases. `exponential` is the function to call for exp.
    """
    printer = JavaScriptPrinter(exponential)
    arguments = ", ".join((*derivation.constants, *derivation.network.parameters, "eta"))
    lines = [f"function {name}({{{arguments}}}) {{"]
    lines += [
        f"  const {e.name} = {printer.print(e.expression)};" for e in (*derivation.forward, *derivation.gradients)
    ]
    updates = ", ".join(f"{e.name}: {printer.print(e.expression)}" for e in derivation.updates)
    lines += [f"  return {{{', '.join(derivation.columns)}, next: {{{updates}}}}};", "}"]
    return "\n".join(lines) + "\n"


def values_function(name: str, arguments: Iterable[str], expressions: Mapping[str, Any]) -> str:
    """Print a function from an object of named values to an object of named expressions in these."""
    printer = JavaScriptPrinter()
    results = ",\n".join(f"    {key}: {printer.print(expression)}" for key, expression in expressions.items())
    return f"function {name}({{{', '.join(arguments)}}}) {{\n  return {{\n{results}\n  }};\n}}\n"
