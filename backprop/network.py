"""Networks as data: names, sizes and starting values."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import count, pairwise
from types import MappingProxyType


class Kind(Enum):
    """What a quantity of the network is."""

    TARGET = "target"
    INPUT = "input"
    WEIGHT = "weight"
    BIAS = "bias"
    NET_INPUT = "net input"
    ACTIVATION = "activation"
    ERROR = "error"
    TOTAL_ERROR = "total error"
    GRADIENT = "gradient"


@dataclass(frozen=True)
class Neuron:
    """One neuron: its net input is Σ weight · source (+ bias), its output is a_<name>."""

    name: str
    weights: tuple[str, ...]
    """One weight name per source, in the order of the layer before."""
    bias: str | None = None
    """Two neurons with the same bias name share that bias."""

    @property
    def activation(self) -> str:
        """The name of its output."""
        return f"a_{self.name}"


@dataclass(frozen=True)
class Network:
    """A fully connected network with squared error; the last layer has one neuron per target."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    layers: tuple[tuple[Neuron, ...], ...]
    activation: str = "sigmoid"
    """Of every neuron: sigmoid, tanh or relu."""
    trains_biases: bool = False
    """Whether biases are updated like weights; otherwise they keep their values."""

    @property
    def weights(self) -> tuple[str, ...]:
        """Every weight, layer by layer."""
        return tuple(weight for layer in self.layers for neuron in layer for weight in neuron.weights)

    @property
    def biases(self) -> tuple[str, ...]:
        """Every bias once, a shared one too."""
        names = (neuron.bias for layer in self.layers for neuron in layer)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many neurons each layer has, the inputs first."""
        return (len(self.inputs), *map(len, self.layers))

    @property
    def parameters(self) -> tuple[str, ...]:
        """What training changes: the weights, and the biases where they are trained."""
        return self.weights + (self.biases if self.trains_biases else ())

    @property
    def errors(self) -> tuple[str, ...]:
        """The error of each output: E1, E2 …"""
        return tuple(f"E{number}" for number in range(1, len(self.targets) + 1))

    def kind(self, name: str) -> Kind:
        """Return what a quantity is; raises KeyError for a name that the network does not have."""
        return Kind.GRADIENT if gradient_variable(name) in self._kinds else self._kinds[name]

    @cached_property
    def _kinds(self) -> Mapping[str, Kind]:
        neurons = [neuron for layer in self.layers for neuron in layer]
        names = {
            Kind.TARGET: self.targets,
            Kind.INPUT: self.inputs,
            Kind.WEIGHT: self.weights,
            Kind.BIAS: self.biases,
            Kind.NET_INPUT: [neuron.name for neuron in neurons],
            Kind.ACTIVATION: [neuron.activation for neuron in neurons],
            Kind.ERROR: self.errors,
            Kind.TOTAL_ERROR: [TOTAL_ERROR],
        }
        return MappingProxyType({name: kind for kind, group in names.items() for name in group})


@dataclass(frozen=True)
class Preset:
    """A network with its starting values."""

    name: str
    description: str
    network: Network
    values: Mapping[str, float]
    """Targets, inputs, initial weights and biases by name."""
    learning_rate: float
    """η of the preset's source."""


TOTAL_ERROR = "E_total"
LEARNING_RATE = "eta"
_GRADIENT = "dE_d"
_LAYER_LETTERS = "hklmn"  # of the hidden layers, from the input on


def gradient_name(name: str) -> str:
    """Return the name of the total error's derivative with respect to a quantity: w1 → dE_dw1."""
    return f"{_GRADIENT}{name}"


def gradient_variable(name: str) -> str | None:
    """Return the quantity that a gradient is taken with respect to, dE_dw1 → w1; None for any other name."""
    return name.removeprefix(_GRADIENT) if name.startswith(_GRADIENT) else None


def _two_two_two(hidden_bias: str | None = None, output_bias: str | None = None) -> Network:
    hidden = (Neuron("h1", ("w1", "w2"), hidden_bias), Neuron("h2", ("w3", "w4"), hidden_bias))
    output = (Neuron("o1", ("w5", "w6"), output_bias), Neuron("o2", ("w7", "w8"), output_bias))
    return Network(inputs=("i1", "i2"), targets=("t1", "t2"), layers=(hidden, output))


def build_network(sizes: Sequence[int], activation: str = "sigmoid", *, biases: bool = False) -> Network:
    """Return a network of any layer sizes: inputs first, outputs last, weights numbered neuron by neuron.

    With `biases`, each neuron has one of its own, which is trained. `sizes` holds at least an input, a hidden and an
    output layer, and at most five hidden ones.
    """
    letters = (*_LAYER_LETTERS[: len(sizes) - 2], "o")
    weight_numbers, bias_numbers = count(1), count(1)
    layers = tuple(
        tuple(
            Neuron(
                f"{letter}{number}",
                tuple(f"w{next(weight_numbers)}" for _ in range(before)),
                f"b{next(bias_numbers)}" if biases else None,
            )
            for number in range(1, size + 1)
        )
        for letter, (before, size) in zip(letters, pairwise(sizes), strict=True)
    )
    inputs, targets = (
        tuple(f"{sign}{n + 1}" for n in range(size)) for sign, size in (("i", sizes[0]), ("t", sizes[-1]))
    )
    return Network(inputs, targets, layers, activation, trains_biases=biases)


def invent_preset(network: Network) -> Preset:
    """Return a network with starting values: the same ones every time, small and without a pattern."""
    numbers = random.Random(1)
    values = {name: round(0.05 * place, 2) for place, name in enumerate(network.inputs, start=1)}
    values |= {name: 0.99 if place % 2 else 0.01 for place, name in enumerate(network.targets)}
    values |= {name: round(numbers.uniform(0.1, 0.6), 2) for name in (*network.weights, *network.biases)}
    return Preset("made up", "numbers to start from", network, MappingProxyType(values), learning_rate=0.5)


_WEIGHTS = {"w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3, "w5": 0.4, "w6": 0.45, "w7": 0.5, "w8": 0.55}
_CLASS = Preset(
    name="class",
    description="the class sheet: targets 0.5 and 0.5, no biases",
    network=_two_two_two(),
    values=MappingProxyType({"t1": 0.5, "t2": 0.5, "i1": 0.05, "i2": 0.1, **_WEIGHTS}),
    learning_rate=1.0,
)
_OTHER_TARGETS = replace(
    _CLASS,
    name="class-0.01-0.99",
    description="the class sheet with the targets 0.01 and 0.99 that many use instead",
    values=MappingProxyType({**_CLASS.values, "t1": 0.01, "t2": 0.99}),
)
# Matt Mazur, "A Step by Step Backpropagation Example", 2015: biases .35 and .60, which that text does not update.
_MAZUR = Preset(
    name="mazur",
    description="Matt Mazur's example of 2015: targets 0.01 and 0.99, biases 0.35 and 0.60 that stay as they are",
    network=_two_two_two("b1", "b2"),
    values=MappingProxyType({**_OTHER_TARGETS.values, "b1": 0.35, "b2": 0.6}),
    learning_rate=0.5,
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in (_CLASS, _OTHER_TARGETS, _MAZUR)})

SHEET_ITERATIONS = 68
"""The rows of the class sheet's table; the first is iteration 0."""
SHEET_LEARNING_RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
"""The learning rates whose error graphs the exercise asks for."""
