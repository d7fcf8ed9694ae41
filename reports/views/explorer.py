"""What the live explorer needs: the mathematics as JavaScript, a formula for every part of the drawing, the fields."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop.derivation import Derivation, slopes
from backprop.network import PRESETS, SHEET_ITERATIONS, Preset, gradient_name
from backprop.printers.javascript import step_function, values_function
from backprop.simulate import first_rows
from reports.formats import brief, short
from reports.views.explorer_parts import Part, explain
from reports.views.formulas import symbol, value_of
from reports.views.learning_rates import LIMITS, Limits
from reports.views.network_plan import Plan, plan

ITERATIONS = 1000
HORIZONS = (SHEET_ITERATIONS - 1, 200, ITERATIONS)
"""How many updates the explorer's curve and slider can show: those of the class sheet's rows first."""
SMALLEST_RATE, LARGEST_RATE = -3, 3
"""The slider's ends, as powers of ten; the number field takes any η above 0."""
STEP, SLOPES, EXPONENTIAL = "networkStep", "networkSlopes", "excelExp"
"""Functions of the page's scripts: the first two are printed from the derivation, and call the third."""


@dataclass(frozen=True)
class StartingValue:
    """A number that the network starts with, and that the reader may change."""

    name: str
    symbol: Markup
    value: str


@dataclass(frozen=True)
class FieldGroup:
    """Numbers of one kind."""

    title: str
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
        """Give the width in the units of the drawing."""
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
    """The parts that have an explanation, in the order in which a keyboard walks through them."""
    paths: dict[str, tuple[str, ...]]
    spoken: dict[str, str]
    """What a voice says of each part: its formula and its gradient's."""
    meanings: dict[str, str]
    line_width: LineWidth = LineWidth()
    limits: Limits = LIMITS


@dataclass(frozen=True)
class Mark:
    """What the drawing says of one gradient at iteration 0, where nothing moves."""

    text: str
    sign: str
    """plus, minus or zero."""
    width: float
    """Of a line, in the units of the drawing."""


@dataclass(frozen=True)
class ExplorerView:
    """The explorer."""

    program: str
    """JavaScript: one iteration, and the derivatives along every edge."""
    plan: Plan
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


def view_explorer(derivation: Derivation, preset: Preset, learning_rate: float) -> ExplorerView:
    """Arrange the explorer of a 2-2-2 network."""
    drawing = plan(derivation.network)
    parts = explain(derivation, drawing)
    network = derivation.network
    return ExplorerView(
        program=_program(derivation),
        plan=drawing,
        parts=parts,
        groups=_groups(preset),
        settings=ExplorerSettings(
            columns=derivation.columns,
            parameters=network.parameters,
            iterations=ITERATIONS,
            starts=_starts(preset, learning_rate),
            keys=drawing.keys,
            paths={part.key: part.path for part in parts},
            spoken={part.key: part.spoken for part in parts},
            meanings={part.key: part.meaning for part in parts},
        ),
        marks=_marks(derivation, preset, drawing),
    )


def _starts(preset: Preset, learning_rate: float) -> tuple[Start, ...]:
    """Offer every preset of the same network; the page's own begins at the page's learning rate."""
    alike = [other for other in PRESETS.values() if other.network == preset.network and other.name != preset.name]
    own = Start(preset.name, preset.description, learning_rate, dict(preset.values))
    return (own, *(Start(p.name, p.description, p.learning_rate, dict(p.values)) for p in alike))


def _groups(preset: Preset) -> tuple[FieldGroup, ...]:
    network = preset.network
    kinds = (
        ("Inputs", network.inputs),
        ("Targets", network.targets),
        ("Weights", network.weights),
        ("Biases", network.biases),
    )
    return tuple(FieldGroup(title, starting_values(preset, names)) for title, names in kinds if names)


def starting_values(preset: Preset, names: Iterable[str]) -> tuple[StartingValue, ...]:
    """Spell some of the numbers that a preset starts with."""
    return tuple(StartingValue(name, symbol(name), short(preset.values[name])) for name in names)


def _program(derivation: Derivation) -> str:
    arguments = dict.fromkeys((*derivation.constants, *derivation.columns))
    return step_function(derivation, STEP, EXPONENTIAL) + values_function(SLOPES, arguments, slopes(derivation))


def _marks(derivation: Derivation, preset: Preset, drawing: Plan) -> dict[str, Mark]:
    """Read every gradient of iteration 0, for the drawing that does not move."""
    row = first_rows(derivation, preset, [{}])[0]
    values = {sp.Symbol(name): value for name, value in {**preset.values, **row}.items()}
    gradients = {name: value_of(expression, values) for name, expression in slopes(derivation).items()} | row
    carried = {wire.key: wire.key if wire.weight else wire.source for wire in drawing.wires}
    carried |= {box.key: box.key for box in drawing.boxes if box.key not in derivation.constants}
    return {key: _mark(gradients[gradient_name(name)]) for key, name in carried.items()}


def _mark(gradient: float) -> Mark:
    sign = "plus" if gradient > 0 else "minus" if gradient < 0 else "zero"
    return Mark(("+" if gradient > 0 else "") + brief(gradient, 3), sign, round(LineWidth().of(gradient), 2))
