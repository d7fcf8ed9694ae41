"""Where the drawings of the 2-2-2 network have their parts, in the units of their SVG: figure 1, and the explorer."""

from collections.abc import Iterator
from dataclasses import dataclass

from backprop.network import TOTAL_ERROR, Network, Neuron

WIDTH, HEIGHT = 720, 338
_ROWS = (104.0, 268.0)
_INPUT_X, _NEURON_X, _ERROR_X = 36.0, (242.0, 490.0), 662.0
_INPUT, _HALF, _ERROR = (58.0, 54.0), (70.0, 68.0), (108.0, 56.0)
_TITLE_Y = 22.0
_CROSSING = 0.27
"""How far along a crossing edge its label stands, so that two of them don't meet."""
_BESIDE = 17.0
"""How far from a straight edge its label stands."""


@dataclass(frozen=True)
class Box:
    """A value that is computed or given: an input, half a neuron, an error. `x` and `y` are its middle."""

    key: str
    x: float
    y: float
    width: float
    height: float
    shape: str
    """round (an input), left and right (the halves of a neuron), box (an error), bare (a target: its text alone)."""
    sign: str = ""
    """The operation of a neuron's half: sum or σ."""

    @property
    def left(self) -> float:
        """Return the left edge."""
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        """Return the upper edge."""
        return self.y - self.height / 2


@dataclass(frozen=True)
class Wire:
    """A line along which a value goes forward and a gradient comes back."""

    key: str
    """The name of its weight, or source>target where there is none."""
    source: str
    target: str
    start: tuple[float, float]
    end: tuple[float, float]
    label: tuple[float, float] | None
    """Where a weight is written."""
    stage: int
    """How many stages the gradient has passed before it comes here: 0 next to the total error."""

    @property
    def weight(self) -> bool:
        """Return whether the line is a weight."""
        return self.label is not None

    @property
    def crossing(self) -> bool:
        """Return whether the line leads from one row to the other, so that its label stands on it."""
        return self.weight and self.start[1] != self.end[1]


@dataclass(frozen=True)
class Note:
    """A word in the drawing that is no part of it: a title, or a bias that stays as it is."""

    text: str
    x: float
    y: float
    value: str = ""
    """The name of the value that follows the text."""


@dataclass(frozen=True)
class NetworkLayout:
    """The whole drawing, in the order in which it is computed."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    notes: tuple[Note, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names of the parts that have an explanation, in the order of keyboard navigation."""
        places = [(wire.start[0], (wire.start[1], wire.end[1]), wire.key) for wire in self.wires if wire.weight]
        places += [(box.x, (box.y, box.y), box.key) for box in self.boxes]
        return tuple(key for _, _, key in sorted(places))


def lay_out(network: Network) -> NetworkLayout:
    """Arrange a network of two inputs, two hidden neurons and two outputs."""
    return NetworkLayout(WIDTH, HEIGHT, tuple(_boxes(network)), tuple(_wires(network)), tuple(_notes(network)))


def _boxes(network: Network) -> Iterator[Box]:
    for name, y in zip(network.inputs, _ROWS, strict=True):
        yield Box(name, _INPUT_X, y, *_INPUT, "round")
    for layer, x in zip(network.layers, _NEURON_X, strict=True):
        for neuron, y in zip(layer, _ROWS, strict=True):
            yield Box(neuron.name, x - _HALF[0] / 2, y, *_HALF, "left", "sum")
            yield Box(neuron.activation, x + _HALF[0] / 2, y, *_HALF, "right", "σ")
    for name, target, y, side in zip(network.errors, network.targets, _ROWS, (-1, 1), strict=True):
        yield Box(target, _ERROR_X, y + side * (_ERROR[1] / 2 + 16), _ERROR[0], 24, "bare")
        yield Box(name, _ERROR_X, y, *_ERROR, "box")
    yield Box(TOTAL_ERROR, _ERROR_X, sum(_ROWS) / 2, *_ERROR, "box")


def _wires(network: Network) -> Iterator[Wire]:
    starts, sources = _INPUT_X + _INPUT[0] / 2, network.inputs
    for layer, x, stage in zip(network.layers, _NEURON_X, (4, 2), strict=True):
        for neuron, row in zip(layer, _ROWS, strict=True):
            for weight, source, from_row in zip(neuron.weights, sources, _ROWS, strict=True):
                end = x - _HALF[0], row
                yield _weight_wire(weight, source, neuron, ((starts, from_row), end), stage)
        starts, sources = x + _HALF[0], tuple(neuron.activation for neuron in layer)
    for source, error, row in zip(sources, network.errors, _ROWS, strict=True):
        end = _ERROR_X - _ERROR[0] / 2, row
        yield Wire(f"{source}>{error}", source, error, (starts, row), end, None, 1)
    for error, row, side in zip(network.errors, _ROWS, (1, -1), strict=True):
        near, far = row + side * _ERROR[1] / 2, sum(_ROWS) / 2 - side * _ERROR[1] / 2
        yield Wire(f"{error}>{TOTAL_ERROR}", error, TOTAL_ERROR, (_ERROR_X, near), (_ERROR_X, far), None, 0)


def _weight_wire(
    weight: str, source: str, neuron: Neuron, line: tuple[tuple[float, float], tuple[float, float]], stage: int
) -> Wire:
    (x0, y0), (x1, y1) = line
    if y0 == y1:
        label = (x0 + x1) / 2, y0 + _BESIDE * (-1 if y0 == _ROWS[0] else 1)
    else:
        label = x0 + _CROSSING * (x1 - x0), y0 + _CROSSING * (y1 - y0)
    return Wire(weight, source, neuron.name, *line, label, stage)


def _notes(network: Network) -> Iterator[Note]:
    titles = ("Inputs", "Hidden layer", "Output layer", "Errors")
    for title, x in zip(titles, (_INPUT_X, *_NEURON_X, _ERROR_X), strict=True):
        yield Note(title, x, _TITLE_Y)
    for layer, x in zip(network.layers, _NEURON_X, strict=True):
        for neuron, y in zip(layer, _ROWS, strict=True):
            if neuron.bias:
                yield Note(f"{neuron.bias} = ", x, y + _HALF[1] / 2 + 16, neuron.bias)
