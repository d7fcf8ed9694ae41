"""The network that a sheet's forward pass computes: its layers, activations, samples and loss, read off the slopes."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from backprop.check.cells import Address
from backprop.check.evaluation import Value
from backprop.check.findings import NOT_READ
from backprop.check.formulas import UnreadableError
from backprop.check.functions import Floats
from backprop.check.iteration import POINTS, Iteration, same

_ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky relu": lambda x: np.where(x > 0, x, 0.01 * x),
}
NO_HALF = "squared error without ½"
_INVERSES: Mapping[str, Callable[[Floats], tuple[Floats, Floats]]] = {
    "sigmoid": lambda y: (np.log(y / (1 - y)), y * (1 - y)),
    "tanh": lambda y: (np.arctanh(y), 1 - y * y),
}
"""What an activation's number says of the net input, and the slope there."""


class Unit(NamedTuple):
    """One neuron for one sample."""

    net: Address
    """The cell of its net input; the one of its activation where both are one formula."""
    output: Address
    activation: str
    weights: frozenset[Address]


class Loss(NamedTuple):
    """What the error is of the outputs: factor · Σ(y - t)²/2, or factor times the cross-entropy."""

    kind: str
    factor: float


@dataclass(frozen=True)
class Architecture:
    """The network of one iteration, as the error's derivatives see it."""

    iteration: Iteration
    derivatives: Mapping[Address, Floats]

    @cached_property
    def _readers(self) -> Mapping[Address, list[Address]]:
        found: dict[Address, list[Address]] = defaultdict(list)
        for cell in self.iteration.cells:
            if cell in self.derivatives:
                for reference in self.iteration.slopes(cell):
                    found[reference].append(cell)
        return found

    @cached_property
    def units(self) -> Sequence[Unit]:
        """The neurons, once for each sample."""
        found: dict[Address, set[Address]] = defaultdict(set)
        for weight, names in self._names.items():
            for name in names:
                for net in self._find_nets(name, name, set()):
                    found[net].add(weight)
        return [self._describe(net, frozenset(weights)) for net, weights in found.items()]

    @cached_property
    def _names(self) -> Mapping[Address, Sequence[Address]]:
        """The cells that are read where a weight is meant: its own, and those that repeat it."""
        found: dict[Address, list[Address]] = {weight: [weight] for weight in self.iteration.weights}
        for cell in self.iteration.cells:
            source = self.iteration.graph.copied(cell)
            if cell in self.derivatives and source in found and source != cell:
                found[source].append(cell)
        return found

    def _find_nets(self, cell: Address, weight: Address, seen: set[Address]) -> Iterator[Address]:
        """Walk on from a weight through sums to where a sum is put into a function or multiplied with a weight."""
        for reader in self._readers.get(cell, ()):
            slope = self.iteration.slopes(reader)[cell]
            if reader in seen or self.iteration.graph.copied(reader) in self._names:
                continue
            if self._is_curved(reader, cell):
                yield reader if cell == weight else cell
            elif cell == weight or np.ptp(slope[np.isfinite(slope)]) <= 1e-9:
                seen.add(reader)
                if not self._readers.get(reader):
                    yield reader
                yield from self._find_nets(reader, weight, seen)
            else:
                yield cell

    def _is_curved(self, reader: Address, cell: Address) -> bool:
        """Return whether a formula's slope to a cell depends on the cell itself."""
        other = np.random.default_rng(11).uniform(0.2, 0.9, POINTS) * np.array([1.0, -1.0] * (POINTS // 2))

        def value(target: Address) -> Value:
            return other if target == cell else self.iteration.value(target)

        try:
            slope = self.iteration.graph.differentiate(reader, value, [cell]).slopes[cell]
        except UnreadableError:
            return False
        return not same(np.broadcast_to(slope, (POINTS,)), self.iteration.slopes(reader)[cell])

    def _describe(self, net: Address, weights: frozenset[Address]) -> Unit:
        read = {name for weight in weights for name in self._names[weight]} & set(self.iteration.slopes(net))
        is_fused = any(self._is_curved(net, name) for name in read)
        if is_fused:
            return Unit(net, net, self._name_fused(net, read), weights)
        number = self.iteration.number(net)
        cell = net
        for _ in range(6):
            following = [r for r in self._readers.get(cell, ()) if len(self.iteration.slopes(r)) == 1]
            if len(following) != 1:
                break
            cell = following[0]
            for name, function in _ACTIVATIONS.items():
                if same(self.iteration.number(cell), function(number)):
                    return Unit(net, cell, name, weights)
        return self._find_softmax(net, weights) or Unit(net, net, "linear", weights)

    def _name_fused(self, cell: Address, weights: set[Address]) -> str:
        number = self.iteration.number(cell)
        sources = [self.iteration.number(c) for c in self.derivatives]
        for name, inverse in _INVERSES.items():
            with np.errstate(all="ignore"):
                slope = inverse(number)[1]
                read = [self.iteration.slopes(cell)[weight] / slope for weight in weights]
            if all(same(r, r[:1].repeat(POINTS)) or any(same(r, s) for s in sources) for r in read):
                return name
        return "another activation"

    def _find_softmax(self, net: Address, weights: frozenset[Address]) -> Unit | None:
        """An output that is its exponential's share of all."""
        with np.errstate(all="ignore"):
            exponential = np.exp(self.iteration.number(net))
        for cell in self.derivatives:
            with np.errstate(all="ignore"):
                share = exponential / self.iteration.number(cell)
                rest = share - exponential
            if cell != net and np.all(rest > 0) and net in self._list_ancestors(cell):
                slope = self._slope(cell, net)
                if slope is not None and same(slope, self.iteration.number(cell) * (1 - self.iteration.number(cell))):
                    return Unit(net, cell, "softmax", weights)
        return None

    def _slope(self, cell: Address, source: Address) -> Floats | None:
        return self.iteration.derivatives(cell).get(source)

    def _list_ancestors(self, cell: Address) -> set[Address]:
        return set(self.iteration.derivatives(cell))

    @cached_property
    def layers(self) -> Sequence[Sequence[frozenset[Address]]]:
        """The neurons of each layer, each by its weights."""
        groups: dict[frozenset[Address], Unit] = {}
        for unit in self.units:
            groups.setdefault(unit.weights, unit)
        below = {key: self._list_ancestors(unit.net) for key, unit in groups.items()}
        depths: dict[frozenset[Address], int] = {}
        for key, unit in sorted(groups.items(), key=lambda item: self.iteration.graph.places[item[1].net]):
            feeding = (d for k, d in depths.items() if groups[k].output in below[key] and groups[k].output != unit.net)
            depths[key] = 1 + max(feeding, default=0)
        return [[k for k, d in depths.items() if d == depth] for depth in sorted(set(depths.values()))]

    @cached_property
    def samples(self) -> int:
        """How many samples an iteration sees."""
        counts = Counter(unit.weights for unit in self.units)
        return max(counts.values(), default=0)

    def activations(self, layer: Sequence[frozenset[Address]]) -> list[str]:
        """Return the different activations in a layer."""
        return list(dict.fromkeys(unit.activation for unit in self.units if unit.weights in layer))

    @cached_property
    def biases(self) -> frozenset[Address]:
        """Weights that are added as they are."""
        return frozenset(
            weight
            for weight, names in self._names.items()
            for name in names
            for reader in self._readers.get(name, ())
            if reader not in names and self._is_added(name, reader)
        )

    def _is_added(self, name: Address, reader: Address) -> bool:
        """Return whether a formula adds a cell as it is, be the sum put into an activation or not."""
        graph = self.iteration.graph
        if name in graph.shape(reader).summands:
            return True
        activation = next((u.activation for u in self.units if u.net == u.output == reader), "")
        if activation not in _INVERSES:
            return False
        numbers = np.random.default_rng(13)
        references = graph.shape(reader).references
        known = {r: numbers.uniform(0.2, 0.9, POINTS) * numbers.choice((-1.0, 1.0), POINTS) for r in references}
        local = graph.differentiate(reader, lambda cell: known.get(cell, self.iteration.value(cell)), [name])
        with np.errstate(all="ignore"):
            return same(local.slopes[name], _INVERSES[activation](local.value)[1])

    @property
    def outputs(self) -> Sequence[Unit]:
        """The neurons of the last layer."""
        return [unit for unit in self.units if self.layers and unit.weights in self.layers[-1]]

    @cached_property
    def loss(self) -> Loss | None:
        """What the error is of the outputs; None where it is nothing that is known."""
        found = {self._fit_loss(unit) for unit in self.outputs}
        return found.pop() if len(found) == 1 else None

    def _fit_loss(self, unit: Unit) -> Loss | None:
        y, slope = self.iteration.number(unit.output), np.asarray(self.derivatives[unit.output]) * np.ones(POINTS)
        if unit.activation == "softmax":
            return Loss("cross-entropy", 1.0) if np.ptp(slope * y) <= 1e-9 else None
        for kind, line in (("squared", slope), ("cross-entropy", slope * y * (1 - y))):
            known = np.isfinite(line) & np.isfinite(y)
            if known.sum() < 3 or np.ptp(y[known]) < 1e-9:
                continue
            factor, offset = np.polyfit(y[known], line[known], 1)
            if factor > 1e-9 and same(line, factor * y + offset):
                return Loss(kind, float(f"{factor:.9g}"))
        return None

    def __str__(self) -> str:
        """Describe the network: 2-4-1 sigmoid, no biases; 2-2-1 sigmoid, biases, 4 samples averaged."""
        if not self.layers:
            return NOT_READ
        first = self.layers[0]
        inputs = max(len(weights - self.biases) for weights in first)
        sizes = "-".join(map(str, (inputs, *map(len, self.layers))))
        names = ["/".join(self.activations(layer)) for layer in self.layers]
        parts = [f"{sizes} {names[0] if len(set(names)) == 1 else '/'.join(names)}"]
        parts += ["biases" if self.biases else "no biases"]
        parts += [f"{self.samples} samples {'averaged' if self._is_averaged else 'summed'}"] if self.samples > 1 else []
        return ", ".join([*parts, *([self.loss_words] if self.loss_words else [])])

    @property
    def _share(self) -> float:
        """What a sample's squared errors are multiplied with, times 2."""
        factor = 0.0 if self.loss is None else self.loss.factor
        return factor * self.samples if self._is_averaged else factor

    @cached_property
    def _is_averaged(self) -> bool:
        factor = 0.0 if self.loss is None else self.loss.factor
        is_usual = [self._name_share(share) is not None for share in (factor, factor * self.samples)]
        return self.samples > 1 and is_usual == [False, True]

    def _name_share(self, share: float) -> str | None:
        names = ((1.0, ""), (2.0, NO_HALF), (2.0 / len(self.layers[-1]), "mean squared error"))
        return next((name for number, name in names if math.isclose(share, number, rel_tol=1e-6)), None)

    @property
    def loss_words(self) -> str:
        """Name the loss where it is not ½ Σ(y - t)²."""
        if self.loss is None:
            return "a loss of its own"
        if self.loss.kind != "squared":
            return self.loss.kind
        name = self._name_share(self._share)
        return f"{self._share / 2:.6g} times the squared error" if name is None else name
