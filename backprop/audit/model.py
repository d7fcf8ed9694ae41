"""What a table ought to compute: its own network, read off its forward pass, and its own learning rate."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from backprop.activations import spelled_out
from backprop.audit.parser import Reference, UnreadableError, parse
from backprop.audit.reading import Place
from backprop.audit.resolving import BEFORE, Resolver, as_sympy
from backprop.audit.tables import CLASS
from backprop.derivation import Derivation, derive
from backprop.network import LEARNING_RATE, Network, Neuron, gradient_name

_WEIGHTS = CLASS.network.weights


@dataclass(frozen=True)
class Model:
    """The derivation in the table's own numbering, and what each quantity has to be."""

    derivation: Derivation
    expected: Mapping[str, Any]
    """By quantity: the forward pass, gradients, and, for a weight, its update from the row above."""
    biases: Mapping[str, Any]
    """Values of additive constants in the forward pass, by bias name."""
    renamed: bool
    """Whether the weights are numbered in another order than the class's."""


def find_learning_rate(resolver: Resolver) -> tuple[str, Place] | None:
    """Find the cell that the updates multiply the gradients with: the one outside the table that most of them read.

    A reference counts by what it points to in the first update row, so that one that was not anchored still counts.
    """
    table, votes = resolver.table, Counter[tuple[str, Place]]()
    for weight in (w for w in _WEIGHTS if w in table.columns):
        for row in (table.first_row + 1, table.first_row + 2):
            cell = resolver.cell(weight, row)
            if cell is None or not cell.is_formula:
                continue
            for sheet, place, fixed in _references(cell.content, table.sheet, (row, table.columns[weight])):
                inside = sheet == table.sheet and place[1] in table.columns.values() and place[0] >= table.first_row
                if not inside:
                    votes[sheet, place] += 3 if fixed else 1
    return votes.most_common(1)[0][0] if votes else None


def source_of(resolver: Resolver, cell: tuple[str, Place]) -> tuple[str, Place]:
    """Follow a cell that only repeats another one to where its number is typed."""
    sheet, place = cell
    for _ in range(10):
        there = resolver.book.sheets.get(sheet, {}).get(place)
        if there is None or not there.is_formula:
            break
        references = _references(there.content, sheet, place)
        if len(references) != 1 or not _REPEATS.fullmatch(there.content):
            break
        sheet, place, _ = references[0]
    return sheet, place


_REPEATS = re.compile(r"=\+?(?:[^!]+!)?\$?[A-Za-z]{1,3}\$?[0-9]+")


def _references(formula: str, sheet: str, place: Place) -> list[tuple[str, Place, bool]]:
    try:
        todo: list[Any] = [parse(formula, *place)]
    except UnreadableError:
        return []
    found = []
    while todo:
        tree = todo.pop()
        todo += getattr(tree, "arguments", ())
        if isinstance(tree, Reference):
            row = tree.row if tree.row_fixed else place[0] + tree.row
            column = tree.column if tree.column_fixed else place[1] + tree.column
            found.append((tree.sheet or sheet, (row, column), tree.row_fixed))
    return found


def build_model(resolver: Resolver) -> Model:
    """Read the network off the forward pass where that is consistent, and derive what it has to compute."""
    forward = {name: _forward(resolver, name) for name in ("h1", "h2", "o1", "o2")}
    network, biases = _network(forward)
    derivation = derive(network)
    expected = {e.name: e.expression.doit() for e in (*derivation.forward, *derivation.gradients)}
    expected = {name: spelled_out(expression).subs(dict(biases)) for name, expression in expected.items()}
    for weight in network.weights:
        now, slope = sp.Symbol(weight + BEFORE), sp.Symbol(gradient_name(weight) + BEFORE)
        expected[weight] = now - sp.Symbol(LEARNING_RATE) * slope
    return Model(derivation, expected, dict(biases), network.layers != _without_biases(CLASS.network, network).layers)


def _without_biases(classes: Network, like: Network) -> Network:
    layers = tuple(
        tuple(replace(a, bias=b.bias) for a, b in zip(one, other, strict=True))
        for one, other in zip(classes.layers, like.layers, strict=True)
    )
    return replace(classes, layers=layers)


def _forward(resolver: Resolver, name: str) -> Any:
    """Give the forward formula that most rows of a column have; a slip in one row must not rename the network."""
    table = resolver.table
    if name not in table.columns:
        return None
    seen: Counter[Any] = Counter()
    for row in range(table.first_row, min(table.last_row, table.first_row + 20) + 1):
        try:
            seen[as_sympy(resolver.resolve(name, row))] += 1
        except UnreadableError:
            continue
    return seen.most_common(1)[0][0] if seen else None


def _network(forward: Mapping[str, Any]) -> tuple[Network, list[tuple[Any, Any]]]:
    """Number the weights as the table does, if each connection has one weight and each weight one connection."""
    layers: list[tuple[Neuron, ...]] = []
    used: list[str] = []
    biases: list[tuple[Any, Any]] = []
    for layer, sources in zip(CLASS.network.layers, (CLASS.network.inputs, ("a_h1", "a_h2")), strict=True):
        neurons = []
        for neuron in layer:
            weights, rest = _weights(forward.get(neuron.name), sources)
            if weights is None:
                weights, rest = neuron.weights, sp.Integer(0)
            bias = f"b_{neuron.name}" if rest.is_number and rest != 0 else None
            if bias:
                biases.append((sp.Symbol(bias), rest))
            used += weights
            neurons.append(Neuron(neuron.name, tuple(weights), bias))
        layers.append(tuple(neurons))
    if sorted(used) != sorted(_WEIGHTS):
        layers = [
            tuple(Neuron(a.name, a.weights, b.bias) for a, b in zip(one, other, strict=True))
            for one, other in zip(CLASS.network.layers, layers, strict=True)
        ]
    return replace(CLASS.network, layers=tuple(layers)), biases


def _weights(expression: Any, sources: tuple[str, ...]) -> tuple[tuple[str, ...] | None, Any]:
    """Read w·source + w·source + rest."""
    if expression is None:
        return None, sp.Integer(0)
    expression = sp.expand(expression)
    found = [expression.coeff(sp.Symbol(source)) for source in sources]
    if not all(weight.is_Symbol and weight.name in _WEIGHTS for weight in found):
        return None, sp.Integer(0)
    rest = sp.expand(expression - sum(w * sp.Symbol(s) for w, s in zip(found, sources, strict=True)))
    return tuple(weight.name for weight in found), rest
