"""Every node and edge of the network: its formula, its gradient, and the path on which the gradient comes."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop.derivation import slope_name
from backprop.network import TOTAL_ERROR, gradient_name
from backprop.part1 import Part1, partial
from backprop.printers.infix import ATOM, Text
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.mathml import math as math_element
from reports.views.formulas import formula, symbol
from reports.views.network_layout import NetworkLayout


@dataclass(frozen=True)
class MarkedEquation:
    """One equation with a mark on every value in it, so that the page can put in numbers."""

    left: Markup
    right: Markup
    result: str
    """The name of the value that comes out."""
    text: str
    """For a screen reader."""


@dataclass(frozen=True)
class Part:
    """A node or an edge of the drawing, explained."""

    key: str
    symbol: Markup
    meaning: str
    """Of what is computed; empty for a weight and for what is given."""
    forward: MarkedEquation | None
    """How its value is computed; None for what is given."""
    backward: tuple[MarkedEquation, ...]
    """Its gradient: the chain-rule path by names, then in letters; empty for what is not learned from."""
    update: MarkedEquation | None
    """Of a weight: its value in the next iteration."""
    path: tuple[str, ...]
    """The nodes and edges that lie between it and the total error, itself included."""


def explain_parts(part1: Part1, layout: NetworkLayout) -> tuple[Part, ...]:
    """Explain every part of a drawing, in the order of keyboard navigation."""
    return tuple(_explain(part1, layout, key) for key in layout.keys)


class _MarkedPrinter(MathMLPrinter):
    """Print MathML in which whatever has a value carries that value's name."""

    def symbol(self, name: str) -> str:
        return _marked(name, super().symbol(name))

    def _print_Partial(self, expression: Any) -> Text:
        printed = MathMLPrinter().print(expression)
        return Text(_marked(slope_name(*expression.args), printed), ATOM)


def _marked(name: str, printed: str) -> str:
    return f'<mrow data-value="{name}">{printed}</mrow>'


def _mark(left: Any, right: Any, result: str) -> MarkedEquation:
    letters = formula((left, right))
    return MarkedEquation(
        letters.parts[0], Markup(math_element("", _MarkedPrinter().print(right))), result, letters.text
    )


def _explain(part1: Part1, layout: NetworkLayout, key: str) -> Part:
    derivation = part1.derivation
    value = next((e for e in derivation.forward if e.name == key), None)
    update = next((e for e in derivation.updates if e.name == key), None)
    return Part(
        key=key,
        symbol=symbol(key),
        meaning=value.meaning if value else "",
        forward=_mark(value.symbol, value.expression, key) if value else None,
        backward=_backward(part1, key) if value or update else (),
        update=_mark(sp.Symbol(f"{key}_new"), update.expression, f"next_{key}") if update else None,
        path=_path(part1, layout, key),
    )


def _backward(part1: Part1, key: str) -> tuple[MarkedEquation, ...]:
    """Return the gradient of a part: the factors by name, and the factors themselves."""
    left, gradient = partial(TOTAL_ERROR, key), part1.gradients[key]
    terms = dict.fromkeys((gradient.named, gradient.computed))
    return tuple(_mark(left, right, gradient_name(key)) for right in terms)


def _path(part1: Part1, layout: NetworkLayout, key: str) -> tuple[str, ...]:
    """List what lies between a part and the total error."""
    reached = {key}
    for equation in part1.derivation.forward:
        if reached & {str(part) for part in equation.expression.free_symbols}:
            reached.add(equation.name)
    wires = [w.key for w in layout.wires if w.key == key or {w.source, w.target} <= reached]
    return (*wires, *(box.key for box in layout.boxes if box.key in reached))
