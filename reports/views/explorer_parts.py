"""Every node and edge of the network explained: its formula, its gradient, and the path on which that comes."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop.derivation import Derivation, chain_factors, slope_name
from backprop.network import TOTAL_ERROR, Network, gradient_name
from backprop.notation import Partial, product
from backprop.printers.infix import ATOM, Text
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.mathml import math as math_element
from reports.views.formulas import formula, symbol
from reports.views.network_plan import Plan


@dataclass(frozen=True)
class Line:
    """One equation with a mark on every value in it, so that the page can put in numbers."""

    left: Markup
    right: Markup
    result: str
    """The name of the value that comes out."""
    text: str
    """For a voice to read."""


@dataclass(frozen=True)
class Part:
    """A node or an edge of the drawing, explained."""

    key: str
    symbol: Markup
    meaning: str
    forward: Line | None
    """How its value is computed; None for what is given."""
    backward: tuple[Line, ...]
    """Its gradient: the chain-rule path by names, then in letters; empty for what is not learned from."""
    update: Line | None
    """Of a weight: its value in the next iteration."""
    path: tuple[str, ...]
    """The nodes and edges that lie between it and the total error, itself included."""

    @property
    def spoken(self) -> str:
        """Say it in plain text, for a voice to read: what it is, its formula, its gradient by names, its update."""
        lines = [line for line in (self.forward, *self.backward[:1], self.update) if line]
        return f"{self.key}, {self.meaning}. " + "; ".join(line.text for line in lines)


def explain(derivation: Derivation, plan: Plan) -> tuple[Part, ...]:
    """Explain every part of a drawing, in the order in which a keyboard walks through it."""
    return tuple(_part(derivation, plan, key) for key in plan.keys)


class _MarkedPrinter(MathMLPrinter):
    """Print MathML in which whatever has a value carries that value's name."""

    def symbol(self, name: str) -> str:
        return _marked(name, super().symbol(name))

    def _print_Partial(self, expression: Any) -> Text:
        printed = MathMLPrinter().print(expression)
        return Text(_marked(slope_name(*expression.args), printed), ATOM)


def _marked(name: str, printed: str) -> str:
    return f'<mrow data-value="{name}">{printed}</mrow>'


def _line(left: Any, right: Any, result: str) -> Line:
    letters = formula((left, right))
    return Line(letters.parts[0], Markup(math_element("", _MarkedPrinter().print(right))), result, letters.text)


def _part(derivation: Derivation, plan: Plan, key: str) -> Part:
    network, forward = derivation.network, {e.name: e for e in derivation.forward}
    value = forward.get(key)
    update = next((e for e in derivation.updates if e.name == key), None)
    return Part(
        key=key,
        symbol=symbol(key),
        meaning=_meaning(network, plan, key) if value is None else value.meaning,
        forward=_line(value.symbol, value.expression, key) if value else None,
        backward=_backward(derivation, key) if value or update else (),
        update=_line(sp.Symbol(f"{key}_new"), update.expression, f"next_{key}") if update else None,
        path=_path(derivation, plan, key),
    )


def _meaning(network: Network, plan: Plan, key: str) -> str:
    wire = next((wire for wire in plan.wires if wire.key == key), None)
    if wire:
        return f"weight from {wire.source} to {wire.target}"
    if key in network.inputs:
        return f"input {network.inputs.index(key) + 1}, given"
    return f"target of {network.layers[-1][network.targets.index(key)].activation}, given"


def _backward(derivation: Derivation, key: str) -> tuple[Line, ...]:
    """Give the gradient of a part: the factors by name, and the factors themselves."""
    below, name = sp.Symbol(key), gradient_name(key)
    left = Partial(sp.Symbol(TOTAL_ERROR), below)
    named = product(chain_factors(derivation.forward, below, named=True))
    letters = product(chain_factors(derivation.forward, below))
    return tuple(_line(left, right, name) for right in dict.fromkeys((named, letters)))


def _path(derivation: Derivation, plan: Plan, key: str) -> tuple[str, ...]:
    """Name what lies between a part and the total error."""
    reached = {key}
    for equation in derivation.forward:
        if reached & {str(part) for part in equation.expression.free_symbols}:
            reached.add(equation.name)
    wires = [w.key for w in plan.wires if w.key == key or {w.source, w.target} <= reached]
    return (*wires, *(box.key for box in plan.boxes if box.key in reached))
