"""Every node and edge of the network explained: its formula, its gradient, and the path on which that comes."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop.derivation import Derivation, Equation, chain_factors, local_derivative, users
from backprop.network import TOTAL_ERROR, Network, gradient_name
from backprop.notation import Partial, product, total
from backprop.printers.infix import ATOM, Text
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.mathml import math as math_element
from reports.explorer_plan import Plan
from reports.formulas import formula, symbol


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


def explain(derivation: Derivation, drawing: Plan) -> tuple[Part, ...]:
    """Explain every part of a drawing, in the order in which a keyboard walks through it."""
    return tuple(_part(derivation, drawing, key) for key in drawing.keys)


def slopes(derivation: Derivation) -> dict[str, Any]:
    """Name every local derivative (E1_by_a_o1) and the gradient of every node (dE_da_h1), as expressions."""
    local = {
        _slope_name(equation.symbol, part): local_derivative(equation, part)
        for equation in derivation.forward
        for part in sorted(equation.expression.free_symbols, key=str)
    }
    nodes = {
        gradient_name(equation.name): product(chain_factors(derivation.forward, equation.symbol))
        for equation in derivation.forward
    }
    return local | nodes


def _slope_name(above: Any, below: Any) -> str:
    return f"{above}_by_{below}"


class _MarkedPrinter(MathMLPrinter):
    """Print MathML in which whatever has a value carries that value's name."""

    def symbol(self, name: str) -> str:
        return _marked(name, super().symbol(name))

    def _print_Partial(self, expression: Any) -> Text:
        printed = MathMLPrinter().print(expression)
        return Text(_marked(_slope_name(*expression.args), printed), ATOM)


def _marked(name: str, printed: str) -> str:
    return f'<mrow data-value="{name}">{printed}</mrow>'


def _line(left: Any, right: Any, result: str) -> Line:
    letters = formula((left, right))
    return Line(letters.parts[0], Markup(math_element("", _MarkedPrinter().print(right))), result, letters.text)


def _part(derivation: Derivation, drawing: Plan, key: str) -> Part:
    network, forward = derivation.network, {e.name: e for e in derivation.forward}
    value = forward.get(key)
    update = next((e for e in derivation.updates if e.name == key), None)
    return Part(
        key=key,
        symbol=symbol(key),
        meaning=_meaning(network, drawing, key) if value is None else value.meaning,
        forward=_line(value.symbol, value.expression, key) if value else None,
        backward=_backward(derivation, key) if value or update else (),
        update=_line(sp.Symbol(f"{key}_new"), update.expression, f"next_{key}") if update else None,
        path=_path(derivation, drawing, key),
    )


def _meaning(network: Network, drawing: Plan, key: str) -> str:
    wire = next((wire for wire in drawing.wires if wire.key == key), None)
    if wire:
        return f"weight from {wire.source} to {wire.target}"
    if key in network.inputs:
        return f"input {network.inputs.index(key) + 1}, given"
    return f"target of {network.layers[-1][network.targets.index(key)].activation}, given"


def _backward(derivation: Derivation, key: str) -> tuple[Line, ...]:
    """Give the gradient of a part: the factors by name, and the factors themselves."""
    below, name = sp.Symbol(key), gradient_name(key)
    left = Partial(sp.Symbol(TOTAL_ERROR), below)
    named = product(_named_factors(derivation.forward, below, sp.Symbol(TOTAL_ERROR)))
    letters = product(chain_factors(derivation.forward, below))
    return tuple(_line(left, right, name) for right in dict.fromkeys((named, letters)))


def _named_factors(forward: tuple[Equation, ...], below: Any, of: Any) -> tuple[Any, ...]:
    """Return what `chain_factors` does, each factor by its name; like the sheet, leave out what is 1."""
    if below == of:
        return ()
    ways = [(*_named_factors(forward, user.symbol, of), *_named(user, below)) for user in users(forward, below, of)]
    return ways[0] if len(ways) == 1 else (total(map(product, ways)),)


def _named(user: Equation, below: Any) -> tuple[Any, ...]:
    return () if local_derivative(user, below) == 1 else (Partial(user.symbol, below),)


def _path(derivation: Derivation, drawing: Plan, key: str) -> tuple[str, ...]:
    """Name what lies between a part and the total error."""
    reached = {key}
    for equation in derivation.forward:
        if reached & {str(part) for part in equation.expression.free_symbols}:
            reached.add(equation.name)
    wires = [w.key for w in drawing.wires if w.key == key or {w.source, w.target} <= reached]
    return (*wires, *(box.key for box in drawing.boxes if box.key in reached))
