"""What a table ought to compute: the derivation of the network that its forward pass computes, with its own η."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp

from backprop.activations import ActivationBase, expand_functions
from backprop.check.expressions import Resolved, find_symbols, quantity_of, symbol_of, to_sympy
from backprop.check.findings import LearningRate
from backprop.check.formulas import Call, Number, UnreadableError
from backprop.check.references import Resolver
from backprop.check.tables import BIASES, CLASS, follow_copies
from backprop.derivation import Derivation, derive
from backprop.network import LEARNING_RATE, Network, Neuron, gradient_name

_WEIGHTS = CLASS.network.weights
_BIASES = frozenset(map(sp.Symbol, BIASES))
_HIDDEN, _OUTPUT = CLASS.network.layers
_NEURONS = (*_HIDDEN, *_OUTPUT)
_SOURCES = {n.name: CLASS.network.inputs for n in _HIDDEN} | {
    n.name: tuple(h.activation for h in _HIDDEN) for n in _OUTPUT
}
"""What each neuron reads, by its name."""
_MAX_ROWS_READ = 21


@dataclass(frozen=True)
class ExpectedTable:
    """The derivation in the table's own numbering, and what each quantity has to be."""

    derivation: Derivation
    expressions: Mapping[str, Any]
    """By quantity: the forward pass, gradients, and, for a parameter, its update from the row above."""
    numbers: Mapping[Any, Any]
    """Values of the biases, inputs and targets that have no column, by symbol."""
    learning_rate: LearningRate

    @property
    def is_renumbered(self) -> bool:
        """Return whether the weights are numbered in another order than the class's."""
        return self.derivation.network.weights != _WEIGHTS

    def in_class_order(self, quantity: str) -> Any:
        """Return a quantity's expression in class order, with the activation's definition and biases as numbers."""
        expression = self.derivation.equation(quantity).expression
        if isinstance(expression, ActivationBase):
            expression = expression.definition(expression.args[0])
        return expression.xreplace(dict(self.numbers))

    def compose(self, expression: Any) -> Any:
        """Replace intermediate quantities by their right definitions until only inputs and parameters are left."""
        for _ in range(len(self._definitions)):
            replaced = expression.xreplace(self._definitions)
            if replaced == expression:
                break
            expression = replaced
        return expression

    @cached_property
    def _definitions(self) -> Mapping[Any, Any]:
        constants, parameters = self.derivation.constants, self.derivation.network.parameters
        now = {name: e for name, e in self.expressions.items() if name not in parameters}
        symbols = {s for e in now.values() for s in e.free_symbols if s.name not in constants}
        above = {symbol: symbol_of(symbol.name, -1) for symbol in symbols}
        return {sp.Symbol(name): e for name, e in now.items()} | {
            symbol_of(name, -1): e.xreplace(above) for name, e in now.items()
        }


def derive_expected(resolver: Resolver) -> ExpectedTable:
    """Read the network off the forward pass where that is consistent, and derive what the table has to compute."""
    forward = {neuron.name: _most_common_formula(resolver, neuron.name) for neuron in _NEURONS}
    inputs = _read_inputs(resolver, forward)
    network, biases = _read_network(resolver, forward, inputs)
    numbers = biases | inputs | _read_targets(resolver)
    derivation = derive(network)
    expressions = {
        e.name: expand_functions(e.expression.doit()).subs(numbers)
        for e in (*derivation.forward, *derivation.gradients)
    }
    for parameter in network.parameters:
        now, gradient = symbol_of(parameter, -1), symbol_of(gradient_name(parameter), -1)
        expressions[parameter] = now - sp.Symbol(LEARNING_RATE) * gradient
    return ExpectedTable(derivation, expressions, numbers, _read_learning_rate(resolver))


def _read_learning_rate(resolver: Resolver) -> LearningRate:
    address = resolver.table.learning_rate
    if address is None:
        value = _read_typed_learning_rate(resolver)
        return LearningRate(None, value, "η" if value is None else repr(value))
    anchored = f"${address.letters}${address.row}"
    text = anchored if address.sheet == resolver.table.sheet else f"'{address.sheet}'!{anchored}"
    source = follow_copies(resolver.workbook, address)
    return LearningRate(source.a1, resolver.workbook.number(address), text)


def _read_typed_learning_rate(resolver: Resolver) -> float | None:
    """Return the number that the first weight's update multiplies its gradient with."""
    table = resolver.table
    for weight in _WEIGHTS:
        cell = resolver.cell(weight, table.first_row + 1) if weight in table.columns else None
        if cell is None or not cell.is_formula or table.row_count < 2:
            continue
        try:
            update = to_sympy(resolver.resolve(weight, table.first_row + 1))
        except UnreadableError:
            continue
        factor = sp.expand(update).coeff(symbol_of(gradient_name(weight), -1))
        if factor.is_number and factor != 0:
            return abs(float(factor))
    return None


def _most_common_formula(resolver: Resolver, quantity: str) -> Resolved | None:
    """Return the formula that most rows of a column have; a slip in one row must not rename the network."""
    if quantity not in resolver.table.columns:
        return None
    seen: Counter[Resolved] = Counter()
    for row in resolver.table.rows[:_MAX_ROWS_READ]:
        try:
            resolved = resolver.resolve(quantity, row)
            to_sympy(resolved)
            seen[resolved] += 1
        except UnreadableError:
            continue
    return seen.most_common(1)[0][0] if seen else None


def _read_inputs(resolver: Resolver, forward: Mapping[str, Resolved | None]) -> dict[Any, Any]:
    """Read inputs that stand outside the table off the net inputs, if all say the same and number the class's way."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for neuron in _HIDDEN:
        resolved = forward[neuron.name]
        for name, weight in zip(CLASS.network.inputs, neuron.weights, strict=True):
            if name not in resolver.table.columns and resolved is not None:
                found[sp.Symbol(name)].add(sp.expand(to_sympy(resolved)).coeff(sp.Symbol(weight)))
    return _keep_numbers(found)


def _read_targets(resolver: Resolver) -> dict[Any, Any]:
    """Read targets that stand outside the table off the errors: a parabola in the output has its vertex there."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for name, error, neuron in zip(CLASS.network.targets, CLASS.network.errors, _OUTPUT, strict=True):
        resolved = None if name in resolver.table.columns else _most_common_formula(resolver, error)
        if resolved is not None:
            output, expression = sp.Symbol(neuron.activation), sp.expand(to_sympy(resolved))
            square = expression.coeff(output, 2)
            found[sp.Symbol(name)].add(-expression.coeff(output, 1) / (2 * square) if square != 0 else square)
    return _keep_numbers(found)


def _keep_numbers(found: Mapping[Any, set[Any]]) -> dict[Any, Any]:
    """Return what is one number other than 0, which a formula without the quantity has as its coefficient too."""
    single = {symbol: next(iter(values)) for symbol, values in found.items() if len(values) == 1}
    return {symbol: value for symbol, value in single.items() if value.is_number and value != 0}


@dataclass(frozen=True)
class _NetInput:
    """What the formula of a net input says: its weights where they are plain to see, and what is added to them."""

    weights: tuple[str, ...] | None = None
    bias: Any = None
    """A bias's symbol, a number, or None."""


def _read_network(
    resolver: Resolver, forward: Mapping[str, Resolved | None], inputs: Mapping[Any, Any]
) -> tuple[Network, dict[Any, Any]]:
    """Read weights and biases off the net inputs; returns the network and the biases that are plain numbers.

    The weights are numbered as the table does, if each connection has one weight and each weight one connection.
    """
    layers: list[tuple[Neuron, ...]] = []
    numbers: dict[Any, Any] = {}
    read = {neuron.name: _read_net_input(forward[neuron.name], neuron, inputs) for neuron in _NEURONS}
    is_permutation = sorted(w for n in _NEURONS for w in read[n.name].weights or n.weights) == sorted(_WEIGHTS)
    for layer in CLASS.network.layers:
        neurons = []
        biases = _choose_biases(resolver, [read[neuron.name].bias for neuron in layer], read.values())
        for neuron, bias in zip(layer, biases, strict=True):
            name = None if bias is None else bias.name if bias.is_Symbol else f"bias_{neuron.name}"
            if name and bias.is_number:
                numbers[sp.Symbol(name)] = bias
            weights = read[neuron.name].weights if is_permutation else None
            neurons.append(Neuron(neuron.name, weights or neuron.weights, name))
        layers.append(tuple(neurons))
    network = replace(CLASS.network, layers=tuple(layers))
    return replace(network, trains_biases=any(_is_updated(resolver, bias) for bias in network.biases)), numbers


def _choose_biases(resolver: Resolver, added: list[Any], read: Iterable[_NetInput]) -> list[Any]:
    """Return the biases that a layer means to have.

    A number that one neuron of a layer adds alone is a mistake. A bias with a column is meant: a neuron that adds
    nothing beside it has forgotten the column that nobody reads or, where there is none, the one that they share.
    """
    columns = [bias for bias in added if bias is not None and bias.is_Symbol]
    if not columns:
        return added if None not in added else [None] * len(added)
    used = {net_input.bias for net_input in read}
    free = [sp.Symbol(name) for name in BIASES if name in resolver.table.columns and sp.Symbol(name) not in used]
    forgotten = free[0] if free else columns[0]
    return [forgotten if bias is None else bias for bias in added]


def _read_net_input(resolved: Resolved | None, neuron: Neuron, inputs: Mapping[Any, Any]) -> _NetInput:
    """Read w·source + w·source, and the bias if there is one; `inputs` are those that stand outside the table."""
    if resolved is None:
        return _NetInput()
    expression = sp.expand(to_sympy(resolved))
    sources = [sp.Symbol(source) for source in _SOURCES[neuron.name]]
    weights = [
        sp.Symbol(weight) if source in inputs else expression.coeff(source)
        for weight, source in zip(neuron.weights, sources, strict=True)
    ]
    if not all(weight.is_Symbol and weight.name in _WEIGHTS for weight in weights):
        return _NetInput()
    rest = sp.expand(expression - sum(w * inputs.get(s, s) for w, s in zip(weights, sources, strict=True)))
    # A bias of 0 is one too, if the formula reads it.
    is_bias = rest in _BIASES or (rest.is_number and (rest != 0 or _adds_number(resolved)))
    return _NetInput(tuple(weight.name for weight in weights), rest if is_bias else None)


def _adds_number(resolved: Resolved) -> bool:
    if isinstance(resolved, Call) and resolved.name == "+":
        return any(isinstance(term, Number) or _adds_number(term) for term in resolved.arguments)
    return False


def _is_updated(resolver: Resolver, bias: str) -> bool:
    """Return whether a bias has a column in which it changes by something else than itself."""
    table = resolver.table
    if bias not in table.columns:
        return False
    if table.row_count < 2:
        return gradient_name(bias) in table.columns
    cell = resolver.cell(bias, table.first_row + 1)
    if cell is None or not cell.is_formula:
        return False
    try:
        symbols = find_symbols(resolver.resolve(bias, table.first_row + 1))
    except UnreadableError:
        return True
    return any(quantity_of(symbol) != bias for symbol in symbols)
