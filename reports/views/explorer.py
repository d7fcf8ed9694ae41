"""What the explorer needs: the mathematics as JavaScript, a formula for every part of the drawing, the fields."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sympy as sp
from markupsafe import Markup

from backprop.network import PRESETS, SHEET_ITERATIONS, Preset, gradient_name
from backprop.part1 import Part1
from reports.views.explorer_parts import Part, explain_parts
from reports.views.formulas import symbol
from reports.views.learning_rates import LIMITS, Limits
from reports.views.network_layout import NetworkLayout, lay_out

ITERATIONS = 1000
HORIZONS = (SHEET_ITERATIONS - 1, 200, ITERATIONS)
"""How many updates the explorer's curve and slider can show: those of the class sheet's rows first."""
SMALLEST_RATE, LARGEST_RATE = -3, 3
"""The slider's ends, as powers of ten; the number field takes any η above 0."""


@dataclass(frozen=True)
class StartingValue:
    """A number that the network starts with, and that the reader may change."""

    name: str
    symbol: Markup
    value: float


@dataclass(frozen=True)
class FieldGroup:
    """Starting values of one kind."""

    kind: Literal["inputs", "targets", "weights", "biases"]
    fields: tuple[StartingValue, ...]


@dataclass(frozen=True)
class Start:
    """Numbers to start from."""

    name: str
    description: str
    learning_rate: float
    values: dict[str, float]


@dataclass(frozen=True)
class LineWidth:
    """How thick a line is drawn for a gradient: so much more for every power of ten, between two ends."""

    thinnest: float = 0.8
    per_power: float = 1.2
    lowest_power: int = -6
    highest_power: int = 1

    def of(self, gradient: float) -> float:
        """Compute the width in the units of the drawing."""
        if not math.isfinite(gradient) or gradient == 0:
            return self.thinnest
        power = min(max(math.log10(abs(gradient)), self.lowest_power), self.highest_power)
        return self.thinnest + self.per_power * (power - self.lowest_power)


@dataclass(frozen=True)
class ExplorerSettings:
    """What the page's scripts read of Part 1."""

    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    iterations: int
    starts: tuple[Start, ...]
    """The page's own first."""
    keys: tuple[str, ...]
    """The parts that have an explanation, in the order of keyboard navigation."""
    paths: dict[str, tuple[str, ...]]
    line_width: LineWidth = LineWidth()
    limits: Limits = LIMITS


@dataclass(frozen=True)
class Mark:
    """One gradient at iteration 0, for the drawing that does not move."""

    gradient: float

    @property
    def sign(self) -> Literal["plus", "minus", "zero"]:
        """Return the sign, by which the style sheet chooses the colour."""
        return "plus" if self.gradient > 0 else "minus" if self.gradient < 0 else "zero"

    @property
    def width(self) -> float:
        """Return the width of a line, in the units of the drawing."""
        return round(LineWidth().of(self.gradient), 2)


@dataclass(frozen=True)
class ExplorerView:
    """The explorer."""

    program: str
    """The source of derivation.js: one iteration, and the derivatives along every edge."""
    layout: NetworkLayout
    parts: tuple[Part, ...]
    groups: tuple[FieldGroup, ...]
    settings: ExplorerSettings
    marks: dict[str, Mark]
    """By key of the drawing; nothing for what is given."""
    horizons: tuple[int, ...] = HORIZONS
    rates: tuple[int, int] = (SMALLEST_RATE, LARGEST_RATE)

    @property
    def data(self) -> dict[str, Any]:
        """Return the settings as JSON can carry them."""
        return asdict(self.settings)


def view_explorer(part1: Part1) -> ExplorerView:
    """Arrange the explorer of a 2-2-2 network."""
    derivation, network = part1.derivation, part1.preset.network
    layout = lay_out(network)
    parts = explain_parts(part1, layout)
    return ExplorerView(
        program=part1.program,
        layout=layout,
        parts=parts,
        groups=_groups(part1.preset),
        settings=ExplorerSettings(
            columns=derivation.columns,
            parameters=network.parameters,
            iterations=ITERATIONS,
            starts=_starts(part1.preset, part1.learning_rate),
            keys=layout.keys,
            paths={part.key: part.path for part in parts},
        ),
        marks=_marks(part1, layout),
    )


def _starts(preset: Preset, learning_rate: float) -> tuple[Start, ...]:
    """Offer every preset of the same network; the page's own begins at the page's learning rate."""
    alike = [other for other in PRESETS.values() if other.network == preset.network and other.name != preset.name]
    own = Start(preset.name, preset.description, learning_rate, dict(preset.values))
    return (own, *(Start(p.name, p.description, p.learning_rate, dict(p.values)) for p in alike))


def _groups(preset: Preset) -> tuple[FieldGroup, ...]:
    network = preset.network
    groups = (
        FieldGroup("inputs", starting_values(preset, network.inputs)),
        FieldGroup("targets", starting_values(preset, network.targets)),
        FieldGroup("weights", starting_values(preset, network.weights)),
        FieldGroup("biases", starting_values(preset, network.biases)),
    )
    return tuple(group for group in groups if group.fields)


def starting_values(preset: Preset, names: Iterable[str]) -> tuple[StartingValue, ...]:
    """Return some of the numbers that a preset starts with."""
    return tuple(StartingValue(name, symbol(name), preset.values[name]) for name in names)


def _marks(part1: Part1, layout: NetworkLayout) -> dict[str, Mark]:
    """Read every gradient of iteration 0."""
    carried = {wire.key: wire.key if wire.weight else wire.source for wire in layout.wires}
    carried |= {box.key: box.key for box in layout.boxes if box.key not in part1.derivation.constants}
    return {key: Mark(part1.values[sp.Symbol(gradient_name(name))]) for key, name in carried.items()}
