"""What the explorer needs: a formula and a path for every part of the drawing, starting values, settings."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sympy as sp
from markupsafe import Markup

from backprop.derivation import slope_name
from backprop.network import SHEET_ITERATIONS, TOTAL_ERROR, Preset, gradient_name
from backprop.networks.presets import PRESETS
from backprop.notation import Shifted
from backprop.part1 import Part1, partial
from backprop.printers.infix import ATOM, Text
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.mathml import math as math_element
from reports.views.formulas import print_formula, print_symbol
from reports.views.learning_rates import LIMITS, Limits
from reports.views.network_layout import NetworkLayout, lay_out

ITERATIONS = 1000
HORIZONS = (SHEET_ITERATIONS - 1, 200, ITERATIONS)
"""How many updates the explorer's curve and slider can show: those of the class sheet's rows first."""
SMALLEST_RATE, LARGEST_RATE = -3, 3
"""The slider's ends, as powers of ten; the number field takes any η above 0."""


@dataclass(frozen=True)
class MarkedEquation:
    """One equation with a mark on every value in it, so that the page can put in numbers."""

    left: Markup
    right: Markup
    result: str
    """The name of the value that comes out."""
    text: str
    """For a screen reader."""


@dataclass(frozen=True)
class Part:
    """A node or an edge of the drawing, explained."""

    key: str
    symbol: Markup
    meaning: str
    """Of what is computed; empty for a weight and for what is given."""
    forward: MarkedEquation | None
    """How its value is computed; None for what is given."""
    backward: tuple[MarkedEquation, ...]
    """Its gradient: the chain-rule path by names, then in letters; empty for what is not learned from."""
    update: MarkedEquation | None
    """Of a weight: its value in the next iteration."""
    path: tuple[str, ...]
    """The nodes and edges that lie between it and the total error, itself included."""


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
    """JavaScript: one iteration, and the derivatives along every edge."""
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
    return tuple(StartingValue(name, print_symbol(name), preset.values[name]) for name in names)


def _marks(part1: Part1, layout: NetworkLayout) -> dict[str, Mark]:
    """Read every gradient of iteration 0."""
    carried = {wire.key: wire.key if wire.weight else wire.source for wire in layout.wires}
    carried |= {box.key: box.key for box in layout.boxes if box.key not in part1.derivation.constants}
    return {key: Mark(part1.values[sp.Symbol(gradient_name(name))]) for key, name in carried.items()}


def explain_parts(part1: Part1, layout: NetworkLayout) -> tuple[Part, ...]:
    """Explain every part of a drawing, in the order of keyboard navigation."""
    return tuple(_explain(part1, layout, key) for key in layout.keys)


class _MarkedPrinter(MathMLPrinter):
    """Print MathML in which whatever has a value carries that value's name."""

    def symbol(self, name: str) -> str:
        return _wrap(name, super().symbol(name))

    def _print_Partial(self, expression: Any) -> Text:
        printed = MathMLPrinter().print(expression)
        return Text(_wrap(slope_name(*expression.args), printed), ATOM)


def _wrap(name: str, printed: str) -> str:
    return f'<mrow data-value="{name}">{printed}</mrow>'


def _mark(left: Any, right: Any, result: str) -> MarkedEquation:
    letters = print_formula((left, right))
    return MarkedEquation(
        letters.parts[0], Markup(math_element("", _MarkedPrinter().print(right))), result, letters.text
    )


def _explain(part1: Part1, layout: NetworkLayout, key: str) -> Part:
    derivation = part1.derivation
    value = next((e for e in derivation.forward if e.name == key), None)
    update = next((e for e in derivation.updates if e.name == key), None)
    return Part(
        key=key,
        symbol=print_symbol(key),
        meaning=value.meaning if value else "",
        forward=_mark(value.symbol, value.expression, key) if value else None,
        backward=_backward(part1, key) if value or update else (),
        update=_mark(Shifted(key, 1), update.expression, f"next_{key}") if update else None,
        path=_path(part1, layout, key),
    )


def _backward(part1: Part1, key: str) -> tuple[MarkedEquation, ...]:
    """Return the gradient of a part: the factors by name, and the factors themselves."""
    left, gradient = partial(TOTAL_ERROR, key), part1.gradients[key]
    terms = dict.fromkeys((gradient.named, gradient.computed))
    return tuple(_mark(left, right, gradient_name(key)) for right in terms)


def _path(part1: Part1, layout: NetworkLayout, key: str) -> tuple[str, ...]:
    """List what lies between a part and the total error."""
    reached = {key}
    for equation in part1.derivation.forward:
        if reached & {str(part) for part in equation.expression.free_symbols}:
            reached.add(equation.name)
    wires = [w.key for w in layout.wires if w.key == key or {w.source, w.target} <= reached]
    return (*wires, *(box.key for box in layout.boxes if box.key in reached))
