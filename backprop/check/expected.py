"""What a table ought to compute: the derivation of the network that its forward pass computes, with its own η."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
import sympy as sp

from backprop.activations import ActivationBase
from backprop.check.findings import LearningRate, quote_sheet
from backprop.check.functions import Floats
from backprop.check.probe import CLASS_RUN, Probe, as_constant, bias_value, read_parabola
from backprop.check.quantities import TableCells
from backprop.check.run import Convention, RightRun, agree
from backprop.check.tables import BIASES, CLASS
from backprop.check.trees import compute, to_tree
from backprop.derivation import Derivation, derive
from backprop.network import (
    CROSS_ENTROPY,
    LEARNING_RATE,
    TOTAL_ERROR,
    Network,
    Neuron,
    gradient_name,
    gradient_variable,
)
from backprop.notation import Partial, Shifted, product

_NETWORK = CLASS.network
_WEIGHTS = _NETWORK.weights
_HIDDEN, _OUTPUT = _NETWORK.layers
_NEURONS = (*_HIDDEN, *_OUTPUT)
_SOURCES = {n.name: _NETWORK.inputs for n in _HIDDEN} | {n.name: tuple(h.activation for h in _HIDDEN) for n in _OUTPUT}
"""What each neuron reads, by its name."""
_OTHER_ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "leaky ReLU": lambda x: np.where(x > 0, x, 0.01 * x),
    "linear": lambda x: x,
}


@dataclass(frozen=True)
class ExpectedTable:
    """The network in the table's own numbering, and what each quantity has to be."""

    network: Network
    numbers: Mapping[str, float]
    """Biases, inputs and targets that have no column."""
    learning_rate: LearningRate
    convention: Convention

    @cached_property
    def run(self) -> RightRun:
        """Return a right run at random points."""
        constants = dict(self.numbers)
        if self.learning_rate.cell is None and self.learning_rate.value is not None:
            constants[LEARNING_RATE] = self.learning_rate.value
        return RightRun(self.network, self.convention, constants)

    @property
    def derivation(self) -> Derivation:
        """Return the network's derivation."""
        return self.run.derivation

    @property
    def is_renumbered(self) -> bool:
        """Return whether the weights are numbered in another order than the class's."""
        return self.network.weights != _WEIGHTS

    @property
    def description(self) -> str:
        """Describe the network: 2-2-2 sigmoid, no biases."""
        trained = "trained biases" if self.network.trains_biases else "biases that stay as they are"
        return f"2-2-2 sigmoid, {trained if self.network.biases else 'no biases'}"

    def expression(self, quantity: str) -> Any:
        """Return a quantity's formula in class order, a parameter's with the quantities of the row above."""
        if quantity in self.network.parameters:
            now, gradient = Shifted(quantity, -1), Shifted(gradient_name(quantity), -1)
            return now - sp.Symbol(LEARNING_RATE) * gradient
        expression = self.derivation.equation(quantity).expression
        if isinstance(expression, ActivationBase):
            expression = expression.definition(expression.args[0])
        factor = self._factor(quantity)
        return expression if factor == 1 else product((factor, expression))

    def rule(self, quantity: str) -> tuple[Any, ...]:
        """Return equal terms from a quantity to its formula; a gradient's in between as the chain rule has it."""
        if quantity in self.derivation.constants:
            return ()
        if quantity in self.network.parameters:
            (update,) = (e.expression for e in self.derivation.updates if e.name == quantity)
            return Shifted(quantity, 1), update
        parameter = gradient_variable(quantity)
        if parameter is None:
            return sp.Symbol(quantity), self.expression(quantity)
        chain = product(self.derivation.chains.factors(sp.Symbol(parameter), named=True))
        return Partial(sp.Symbol(TOTAL_ERROR), sp.Symbol(parameter)), chain, self.expression(quantity)

    def place(self, expression: Any, places: Container[str]) -> Any:
        """Replace quantities that have no place by their formulas, until only those that have one are left."""
        for _ in range(len(self.derivation.columns)):
            absent = [s for s in expression.free_symbols if _name(s) not in places and _name(s) in self._formulas]
            if not absent:
                break
            expression = expression.xreplace({s: self._shift(self._formulas[_name(s)], s) for s in absent})
        return expression

    @cached_property
    def _formulas(self) -> Mapping[str, Any]:
        return {e.name: self.expression(e.name) for e in (*self.derivation.forward, *self.derivation.gradients)}

    def _shift(self, expression: Any, symbol: Any) -> Any:
        if not isinstance(symbol, Shifted):
            return expression
        constants = (LEARNING_RATE, *self.derivation.constants)
        own = (s for s in expression.free_symbols if s.name not in constants)
        return expression.xreplace({s: Shifted(s.name, symbol.rows) for s in own})

    def _factor(self, quantity: str) -> Any:
        factor = self.convention.factor(self.network.kind(quantity))
        if quantity == TOTAL_ERROR:  # the errors that it adds have theirs
            factor = self.convention.total
        return sp.Rational(repr(factor))


def _name(symbol: Any) -> str:
    return str(symbol.quantity if isinstance(symbol, Shifted) else symbol.name)


class OtherNetworkError(Exception):
    """A table that computes another network than the exercise's; the message says what is different."""


def derive_expected(cells: TableCells) -> ExpectedTable:
    """Read the network off the forward pass where that is consistent, and derive what the table has to compute.

    Raises OtherNetworkError where a whole layer has another activation than the class's, or both errors another loss.
    """
    probe = Probe(cells)
    _check_activations(probe)
    _check_loss(probe)
    inputs = _read_inputs(probe)
    network, biases = _read_network(probe, inputs)
    numbers = biases | inputs | _read_targets(probe)
    expected = ExpectedTable(network, numbers, _read_learning_rate(probe), Convention())
    return _choose_convention(probe, expected)


def _check_activations(probe: Probe) -> None:
    """A layer in which all neurons have the same other activation means it; one neuron alone is a slip."""
    for layer in _NETWORK.layers:
        found = [probe.compute(neuron.activation) for neuron in layer]
        for name, function in _OTHER_ACTIVATIONS.items():
            right = (function(CLASS_RUN.value(neuron.name)) for neuron in layer)
            if all(f is not None and agree(f.number, r) for f, r in zip(found, right, strict=True)):
                raise OtherNetworkError(f"the activation is {name}: only sigmoid networks are checked")


def _check_loss(probe: Probe) -> None:
    """Errors that all are cross-entropies mean it; one alone is a slip."""
    names = _NETWORK.errors if probe.table.columns.keys() & set(_NETWORK.errors) else (TOTAL_ERROR,)
    found = {name: probe.compute(name) for name in names}
    if any(f is None or agree(f.number, CLASS_RUN.value(name)) for name, f in found.items()):
        return
    derivation = derive(replace(_NETWORK, loss=CROSS_ENTROPY))
    right = {e: compute(to_tree(derivation.equation(e).expression), CLASS_RUN.values) for e in _NETWORK.errors}
    right[TOTAL_ERROR] = np.sum([*right.values()], axis=0)
    if all(f is not None and agree(f.number, right[name]) for name, f in found.items()):
        raise OtherNetworkError("the loss is cross-entropy: the exercise has half the squared error")


def _read_inputs(probe: Probe) -> dict[str, float]:
    """Read inputs that stand outside the table off the net inputs, if all say the same and number the class's way."""
    found: dict[str, set[float]] = defaultdict(set)
    for neuron in _HIDDEN:
        for name, weight in zip(_NETWORK.inputs, neuron.weights, strict=True):
            one, none = (probe.number(neuron.name, {weight: value}) for value in (1.0, 0.0))
            if name not in probe.table.columns and one is not None and none is not None:
                found[name].add(as_constant(np.subtract(one, none)))
    return _keep_numbers(found)


def _read_targets(probe: Probe) -> dict[str, float]:
    """Read targets that stand outside the table off the errors: a parabola in the output has its vertex there."""
    found: dict[str, set[float]] = defaultdict(set)
    for name, error, neuron in zip(_NETWORK.targets, _NETWORK.errors, _OUTPUT, strict=True):
        shape = None if name in probe.table.columns else read_parabola(probe, error, neuron.activation)
        if shape is not None:
            found[name].add(as_constant(shape[1]))
    return _keep_numbers(found)


def _keep_numbers(found: Mapping[str, set[float]]) -> dict[str, float]:
    """Return what is one number other than 0, which a formula without the quantity has as its coefficient too."""
    single = {name: next(iter(values)) for name, values in found.items() if len(values) == 1}
    return {name: value for name, value in single.items() if value == value and value != 0}


@dataclass(frozen=True)
class _NetInput:
    """What the formula of a net input says: its weights where they are plain to see, and what is added to them."""

    weights: tuple[str, ...] | None = None
    bias: str | float | None = None
    """The column of a bias, a number, or None."""


def _read_network(probe: Probe, inputs: Mapping[str, float]) -> tuple[Network, dict[str, float]]:
    """Read weights and biases off the net inputs; returns the network and the biases that are plain numbers.

    The weights are numbered as the table does, if each connection has one weight and each weight one connection.
    """
    layers: list[tuple[Neuron, ...]] = []
    numbers: dict[str, float] = {}
    read = {neuron.name: _read_net_input(probe, neuron, inputs) for neuron in _NEURONS}
    is_permutation = sorted(w for n in _NEURONS for w in read[n.name].weights or n.weights) == sorted(_WEIGHTS)
    for layer in _NETWORK.layers:
        neurons = []
        biases = _choose_biases(probe, [read[neuron.name].bias for neuron in layer], read.values())
        for neuron, bias in zip(layer, biases, strict=True):
            name = bias if isinstance(bias, str) else None if bias is None else f"bias_{neuron.name}"
            if name and isinstance(bias, float):
                numbers[name] = bias
            weights = read[neuron.name].weights if is_permutation else None
            neurons.append(Neuron(neuron.name, weights or neuron.weights, name))
        layers.append(tuple(neurons))
    network = replace(_NETWORK, layers=tuple(layers))
    return replace(network, trains_biases=any(_is_updated(probe, bias) for bias in network.biases)), numbers


def _choose_biases(
    probe: Probe, added: list[str | float | None], read: Iterable[_NetInput]
) -> list[str | float | None]:
    """Return the biases that a layer means to have.

    A number that one neuron of a layer adds alone is a mistake. A bias with a column is meant: a neuron that adds
    nothing beside it has forgotten the column that nobody reads or, where there is none, the one that they share.
    """
    columns = [bias for bias in added if isinstance(bias, str)]
    if not columns:
        return added if None not in added else [None] * len(added)
    used = {net_input.bias for net_input in read}
    forgotten = next((name for name in BIASES if name in probe.table.columns and name not in used), columns[0])
    return [forgotten if bias is None else bias for bias in added]


def _read_net_input(probe: Probe, neuron: Neuron, inputs: Mapping[str, float]) -> _NetInput:
    """Read w·source + w·source, and the bias if there is one; `inputs` are those that stand outside the table."""
    computed = probe.compute(neuron.name)
    if computed is None:
        return _NetInput()
    read = sorted(place.name for place in computed.reads if place.name in _WEIGHTS and place.rows == 0)
    sources = [inputs.get(source) or CLASS_RUN.value(source) for source in _SOURCES[neuron.name]]
    for weights in (neuron.weights, *permutations(read, len(sources))) if len(read) <= len(_WEIGHTS) else ():
        products = (CLASS_RUN.value(weight) * source for weight, source in zip(weights, sources, strict=True))
        rest = np.subtract(computed.number, sum(products))
        bias = next((p.name for p in computed.reads if p.name in BIASES and agree(rest, bias_value(p.name))), None)
        if bias is not None:
            return _NetInput(tuple(weights), bias)
        number = as_constant(np.where(np.abs(rest) < 1e-12, 0.0, rest))
        if number == number:
            # A bias of 0 is one too, if the formula reads it.
            return _NetInput(tuple(weights), number if number or (computed.outside and not inputs) else None)
    return _NetInput()


def _is_updated(probe: Probe, bias: str) -> bool:
    """Return whether a bias has a column in which it changes by something else than itself."""
    table = probe.table
    if bias not in table.columns:
        return False
    if table.row_count < 2:
        return gradient_name(bias) in table.columns
    address = table.address(bias, table.first_row + 1)
    return any(target.column != address.column for _, target in probe.cells.formulas.targets(address))


def _read_learning_rate(probe: Probe) -> LearningRate:
    address = probe.table.learning_rate
    if address is None:
        return LearningRate(None, _read_typed_learning_rate(probe), "")
    anchored = f"${address.letters}${address.row}"
    text = anchored if address.sheet == probe.table.sheet else f"{quote_sheet(address.sheet)}!{anchored}"
    source = probe.cells.formulas.follow_copies(address)
    return LearningRate(source.a1, probe.cells.actual(address), text)


def _read_typed_learning_rate(probe: Probe) -> float | None:
    """Return the number that most updates multiply their gradient with."""
    seen: Counter[float] = Counter()
    for weight in _WEIGHTS:
        gradient = gradient_name(weight)
        one, none = (probe.number(weight, {gradient: value}) for value in (1.0, 0.0))
        if one is not None and none is not None:
            factor = abs(as_constant(np.subtract(none, one)))
            seen[factor] += factor > 0
    return seen.most_common(1)[0][0] if seen.total() else None


def _choose_convention(probe: Probe, expected: ExpectedTable) -> ExpectedTable:
    """Take the errors as the sheet has them, with or without ½, where more gradients agree with that than with ½."""
    has_parts = all(error in probe.table.columns for error in _NETWORK.errors)
    quantities = _NETWORK.errors if has_parts else (TOTAL_ERROR,) * len(_OUTPUT)
    shapes = [read_parabola(probe, q, neuron.activation) for q, neuron in zip(quantities, _OUTPUT, strict=True)]
    factors = {as_constant(shape[0]) for shape in shapes if shape is not None}
    if len(factors) != 1 or not (factor := factors.pop()) > 0:
        return expected
    total = probe.number(TOTAL_ERROR, dict.fromkeys(_NETWORK.errors, 1.0)) if has_parts else None
    share = 1.0 if total is None else as_constant(total) / len(_NETWORK.errors)
    candidates = [Convention(), Convention(factor, share if share > 0 else 1.0)]
    tables = [replace(expected, convention=convention) for convention in candidates]
    return max(tables, key=lambda table: _count_agreeing(probe, table))


def _count_agreeing(probe: Probe, expected: ExpectedTable) -> int:
    """Count the errors and gradients that agree; the class's own convention comes first among equals."""
    names = [*_NETWORK.errors, TOTAL_ERROR, *map(gradient_name, _WEIGHTS)]
    count = 0
    for name in names:
        values = {n: expected.run.value(n) for n in (*expected.derivation.columns, *expected.derivation.constants)}
        found = probe.number(name, values)
        count += found is not None and agree(found, expected.run.value(name))
    return count
