"""What a table ought to compute: its own network, read off its forward pass, and its own learning rate."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from backprop.activations import expand_functions
from backprop.check.parser import Call, Number, Reference, UnreadableError, parse
from backprop.check.reading import Place
from backprop.check.resolving import BEFORE, Resolved, Resolver, as_sympy, leaves
from backprop.check.tables import BIASES, CLASS
from backprop.derivation import Derivation, derive
from backprop.network import LEARNING_RATE, Network, Neuron, gradient_name

_WEIGHTS = CLASS.network.weights
_BIASES = frozenset(map(sp.Symbol, BIASES))
_HIDDEN, _OUTPUT = CLASS.network.layers
_SOURCES = dict.fromkeys((n.name for n in _HIDDEN), CLASS.network.inputs) | dict.fromkeys(
    (n.name for n in _OUTPUT), tuple(n.activation for n in _HIDDEN)
)
"""What each neuron reads, by its name."""


@dataclass(frozen=True)
class Model:
    """The derivation in the table's own numbering, and what each quantity has to be."""

    derivation: Derivation
    expected: Mapping[str, Any]
    """By quantity: the forward pass, gradients, and, for a weight, its update from the row above."""
    numbers: Mapping[Any, Any]
    """Values of the biases, inputs and targets that have no column: symbol → number."""
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
    forward = {name: _forward(resolver, name) for name in _SOURCES}
    inputs = _inputs_elsewhere(resolver, forward)
    network, biases = _network(resolver, forward, inputs)
    numbers = biases | inputs | _targets_elsewhere(resolver)
    derivation = derive(network)
    expected = {e.name: e.expression.doit() for e in (*derivation.forward, *derivation.gradients)}
    expected = {name: expand_functions(expression).subs(numbers) for name, expression in expected.items()}
    for parameter in network.parameters:
        now, slope = sp.Symbol(parameter + BEFORE), sp.Symbol(gradient_name(parameter) + BEFORE)
        expected[parameter] = now - sp.Symbol(LEARNING_RATE) * slope
    return Model(derivation, expected, numbers, network.weights != _WEIGHTS)


def _forward(resolver: Resolver, name: str) -> Resolved | None:
    """Give the forward formula that most rows of a column have; a slip in one row must not rename the network."""
    table = resolver.table
    if name not in table.columns:
        return None
    seen: Counter[Resolved] = Counter()
    for row in range(table.first_row, min(table.last_row, table.first_row + 20) + 1):
        try:
            resolved = resolver.resolve(name, row)
            as_sympy(resolved)
            seen[resolved] += 1
        except UnreadableError:
            continue
    return seen.most_common(1)[0][0] if seen else None


def _inputs_elsewhere(resolver: Resolver, forward: Mapping[str, Resolved | None]) -> dict[Any, Any]:
    """Read inputs that stand outside the table off the net inputs, if all say the same and number the class's way."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for neuron in CLASS.network.layers[0]:
        resolved = forward[neuron.name]
        for name, weight in zip(CLASS.network.inputs, neuron.weights, strict=True):
            if name not in resolver.table.columns and resolved is not None:
                found[sp.Symbol(name)].add(sp.expand(as_sympy(resolved)).coeff(sp.Symbol(weight)))
    return _if_plain(found)


def _targets_elsewhere(resolver: Resolver) -> dict[Any, Any]:
    """Read targets that stand outside the table off the errors: a parabola in the output has its vertex there."""
    found: dict[Any, set[Any]] = defaultdict(set)
    outputs = CLASS.network.layers[-1]
    for name, error, neuron in zip(CLASS.network.targets, CLASS.network.errors, outputs, strict=True):
        resolved = None if name in resolver.table.columns else _forward(resolver, error)
        if resolved is not None:
            output, expression = sp.Symbol(neuron.activation), sp.expand(as_sympy(resolved))
            square = expression.coeff(output, 2)
            found[sp.Symbol(name)].add(-expression.coeff(output, 1) / (2 * square) if square != 0 else square)
    return _if_plain(found)


def _if_plain(found: Mapping[Any, set[Any]]) -> dict[Any, Any]:
    """Keep what is one number; 0 is what a formula without it says too."""
    plain = {symbol: next(iter(values)) for symbol, values in found.items() if len(values) == 1}
    return {symbol: value for symbol, value in plain.items() if value.is_number and value != 0}


@dataclass(frozen=True)
class _NetInput:
    """What the formula of a net input says: its weights where they are plain to see, and what is added to them."""

    weights: tuple[str, ...] | None
    bias: Any
    """A bias's symbol, a number, or None."""


def _network(
    resolver: Resolver, forward: Mapping[str, Resolved | None], inputs: Mapping[Any, Any]
) -> tuple[Network, dict[Any, Any]]:
    """Read weights and biases off the net inputs; returns the network and the biases that are plain numbers.

    The weights are numbered as the table does, if each connection has one weight and each weight one connection.
    """
    layers: list[tuple[Neuron, ...]] = []
    numbers: dict[Any, Any] = {}
    classes = [neuron for layer in CLASS.network.layers for neuron in layer]
    read = {neuron.name: _net_input(forward[neuron.name], neuron, inputs) for neuron in classes}
    for layer in CLASS.network.layers:
        neurons = []
        biases = _biases(resolver, [read[neuron.name].bias for neuron in layer], read)
        for neuron, bias in zip(layer, biases, strict=True):
            name = None if bias is None else bias.name if bias.is_Symbol else f"bias_{neuron.name}"
            if name and bias.is_number:
                numbers[sp.Symbol(name)] = bias
            neurons.append(Neuron(neuron.name, read[neuron.name].weights or neuron.weights, name))
        layers.append(tuple(neurons))
    network = replace(CLASS.network, layers=tuple(layers))
    if sorted(network.weights) != sorted(_WEIGHTS):
        network = replace(network, layers=tuple(map(_with_weights_of, network.layers, CLASS.network.layers)))
    return replace(network, trains_biases=any(_is_updated(resolver, bias) for bias in network.biases)), numbers


def _biases(resolver: Resolver, added: list[Any], read: Mapping[str, _NetInput]) -> list[Any]:
    """Decide which biases a layer means to have.

    A number that one neuron of a layer adds alone is a mistake. A bias with a column is meant: a neuron that adds
    nothing beside it has forgotten the column that nobody reads or, where there is none, the one that they share.
    """
    columns = [bias for bias in added if bias is not None and bias.is_Symbol]
    if not columns:
        return added if None not in added else [None] * len(added)
    used = {net_input.bias for net_input in read.values()}
    free = [sp.Symbol(name) for name in BIASES if name in resolver.table.columns and sp.Symbol(name) not in used]
    forgotten = free[0] if free else columns[0]
    return [forgotten if bias is None else bias for bias in added]


def _with_weights_of(layer: tuple[Neuron, ...], classes: tuple[Neuron, ...]) -> tuple[Neuron, ...]:
    return tuple(replace(a, weights=b.weights) for a, b in zip(layer, classes, strict=True))


def _net_input(resolved: Resolved | None, neuron: Neuron, inputs: Mapping[Any, Any]) -> _NetInput:
    """Read w·source + w·source, and the bias if there is one; `inputs` are those that stand outside the table."""
    if resolved is None:
        return _NetInput(None, None)
    expression = sp.expand(as_sympy(resolved))
    sources = [sp.Symbol(source) for source in _SOURCES[neuron.name]]
    found = [
        sp.Symbol(weight) if source in inputs else expression.coeff(source)
        for weight, source in zip(neuron.weights, sources, strict=True)
    ]
    if not all(weight.is_Symbol and weight.name in _WEIGHTS for weight in found):
        return _NetInput(None, None)
    rest = sp.expand(expression - sum(w * inputs.get(s, s) for w, s in zip(found, sources, strict=True)))
    # A bias of 0 is one too, if the formula reads it.
    is_bias = rest in _BIASES or (rest.is_number and (rest != 0 or _adds_a_number(resolved)))
    return _NetInput(tuple(weight.name for weight in found), rest if is_bias else None)


def _adds_a_number(resolved: Resolved) -> bool:
    if isinstance(resolved, Call) and resolved.name == "+":
        return any(isinstance(term, Number) or _adds_a_number(term) for term in resolved.arguments)
    return False


def _is_updated(resolver: Resolver, bias: str) -> bool:
    """Tell whether a bias has a column in which it changes by something else than itself."""
    table = resolver.table
    if bias not in table.columns:
        return False
    if table.rows < 2:
        return gradient_name(bias) in table.columns
    cell = resolver.cell(bias, table.first_row + 1)
    if cell is None or not cell.is_formula:
        return False
    try:
        names = leaves(resolver.resolve(bias, table.first_row + 1))
    except UnreadableError:
        return True
    return any(name.removesuffix(BEFORE) != bias for name in names)
