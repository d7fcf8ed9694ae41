"""Networks as data: names, sizes and starting values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import count, pairwise
from types import MappingProxyType

ACTIVATION_NAMES = ("sigmoid", "tanh", "relu", "leaky relu", "linear")
HALF_SQUARED, MEAN_SQUARED, CROSS_ENTROPY = LOSS_NAMES = ("half squared error", "mean squared error", "cross-entropy")
NO_BIASES, PER_NEURON, PER_LAYER = "none", "per neuron", "per layer"


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
    """A fully connected network; the last layer has one neuron per target."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    layers: tuple[tuple[Neuron, ...], ...]
    activations: tuple[str, ...]
    """Of each layer behind the inputs: the name of its neurons' function."""
    loss: str = HALF_SQUARED
    """What the errors of the outputs are; their sum is the total error."""
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
    def shape(self) -> str:
        """Return the sizes in one word: 2-2-2."""
        return "-".join(map(str, self.sizes))

    @property
    def description(self) -> str:
        """Return sizes, activations, and the loss if it is not the class's: 2-3-1 relu/sigmoid, cross-entropy."""
        alike = len(set(self.activations)) == 1
        loss = "" if self.loss == HALF_SQUARED else f", {self.loss}"
        return f"{self.shape} {'/'.join(self.activations[:1] if alike else self.activations)}{loss}"

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
    iterations: int
    """Rows of a table."""


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


def build_network(
    sizes: Sequence[int],
    activations: Sequence[str] = ("sigmoid",),
    *,
    loss: str = HALF_SQUARED,
    biases: str = NO_BIASES,
    trains_biases: bool = True,
) -> Network:
    """Return a network of any layer sizes: inputs first, outputs last, weights numbered neuron by neuron.

    `activations` has a name for each layer behind the inputs, or one for all; `biases` says whether each neuron has
    one of its own, or each layer one that its neurons share. `sizes` holds at least an input, a hidden and an output
    layer, and at most five hidden ones.
    """
    letters = (*_LAYER_LETTERS[: len(sizes) - 2], "o")
    weight_numbers, bias_numbers = count(1), count(1)

    def name_bias(layer: int) -> str | None:
        return {NO_BIASES: None, PER_LAYER: f"b{layer}"}[biases] if biases != PER_NEURON else f"b{next(bias_numbers)}"

    layers = tuple(
        tuple(
            Neuron(
                f"{letter}{number}",
                tuple(f"w{next(weight_numbers)}" for _ in range(before)),
                name_bias(layer),
            )
            for number in range(1, size + 1)
        )
        for layer, (letter, (before, size)) in enumerate(zip(letters, pairwise(sizes), strict=True), 1)
    )
    inputs, targets = (
        tuple(f"{sign}{n + 1}" for n in range(size)) for sign, size in (("i", sizes[0]), ("t", sizes[-1]))
    )
    names = tuple(activations) * (1 if len(activations) > 1 else len(layers))
    return Network(inputs, targets, layers, names, loss, trains_biases=trains_biases and biases != NO_BIASES)


SHEET_ITERATIONS = 68
"""The rows of the class sheet's table; the first is iteration 0."""
SHEET_LEARNING_RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
"""The learning rates whose error graphs the exercise asks for."""
