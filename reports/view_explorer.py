"""What the live explorer needs: the mathematics as JavaScript, a formula for every part of the drawing, the fields."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop.derivation import Derivation, Equation, chain_factors, local_derivative, users
from backprop.network import PRESETS, TOTAL_ERROR, Network, Preset, gradient_name
from backprop.notation import Partial, product, total
from backprop.printers.infix import ATOM, Text
from backprop.printers.javascript import step_function, values_function
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.mathml import math as math_element
from backprop.simulate import first_rows
from reports.explorer_plan import Plan, plan
from reports.formats import brief, short
from reports.formulas import formula, symbol, value_of

ITERATIONS = 1000
HORIZONS = (67, 200, ITERATIONS)
"""How many updates the explorer's curve and slider can show: those of the class sheet's rows first."""
SMALLEST_RATE, LARGEST_RATE = -3, 3
"""The slider's ends, as powers of ten; the number field takes any η above 0."""
_STEP, _SLOPES, _EXPONENTIAL = "networkStep", "networkSlopes", "excelExp"


@dataclass(frozen=True)
class Line:
    """One equation with a mark on every value in it, so that the page can put in numbers."""

    left: Markup
    right: Markup
    result: str
    """The name of the value that comes out."""
    text: str
    """For a voice to read."""


@dataclass(frozen=True)
class Part:
    """A node or an edge of the drawing, explained."""

    key: str
    symbol: Markup
    meaning: str
    forward: Line | None
    """How its value is computed; None for what is given."""
    backward: tuple[Line, ...]
    """Its gradient: the chain-rule path by names, then in letters; empty for what is not learned from."""
    update: Line | None
    """Of a weight: its value in the next iteration."""
    path: tuple[str, ...]
    """The nodes and edges that lie between it and the total error, itself included."""


@dataclass(frozen=True)
class Field:
    """A number that the reader may change."""

    name: str
    symbol: Markup
    value: str


@dataclass(frozen=True)
class FieldGroup:
    """Numbers of one kind."""

    title: str
    fields: tuple[Field, ...]


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
class Settings:
    """What the page's script reads."""

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
    given: tuple[str, ...]
    """Targets, inputs and biases, which stay the same in every iteration."""
    line_width: LineWidth = LineWidth()


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
    settings: Settings
    marks: dict[str, Mark]
    """By key of the drawing; nothing for what is given."""
    horizons: tuple[int, ...] = HORIZONS
    rates: tuple[int, int] = (SMALLEST_RATE, LARGEST_RATE)

    @property
    def data(self) -> dict[str, Any]:
        """Give the settings as JSON can carry them."""
        return asdict(self.settings)


def view_explorer(derivation: Derivation, preset: Preset, learning_rate: float) -> ExplorerView:
    """Arrange the explorer of a 2-2-2 network."""
    drawing = plan(derivation.network)
    parts = tuple(_part(derivation, drawing, key) for key in drawing.keys)
    network = derivation.network
    return ExplorerView(
        program=_program(derivation),
        plan=drawing,
        parts=parts,
        groups=_groups(preset),
        settings=Settings(
            columns=derivation.columns,
            parameters=network.parameters,
            iterations=ITERATIONS,
            starts=_starts(preset, learning_rate),
            keys=drawing.keys,
            paths={part.key: part.path for part in parts},
            spoken={part.key: _spoken(part) for part in parts},
            meanings={part.key: part.meaning for part in parts},
            given=derivation.constants,
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
    return tuple(
        FieldGroup(title, tuple(Field(name, symbol(name), short(preset.values[name])) for name in names))
        for title, names in kinds
        if names
    )


def _spoken(part: Part) -> str:
    lines = [line for line in (part.forward, *part.backward[:1], part.update) if line]
    return f"{part.key}, {part.meaning}. " + "; ".join(line.text for line in lines)


def _program(derivation: Derivation) -> str:
    arguments = dict.fromkeys((*derivation.constants, *derivation.columns))
    return step_function(derivation, _STEP, _EXPONENTIAL) + values_function(_SLOPES, arguments, slopes(derivation))


def slopes(derivation: Derivation) -> dict[str, Any]:
    """Name every local derivative (E1_by_a_o1) and the gradient of every node (dE_da_h1), as expressions."""
    local = {
        _slope_name(equation.symbol, part): local_derivative(equation, part)
        for equation in derivation.forward
        for part in sorted(equation.expression.free_symbols, key=str)
    }
    nodes = {
        gradient_name(equation.name): product(chain_factors(derivation.forward, equation.symbol))
        for equation in derivation.forward
    }
    return local | nodes


def _slope_name(above: Any, below: Any) -> str:
    return f"{above}_by_{below}"


class _MarkedPrinter(MathMLPrinter):
    """Print MathML in which whatever has a value carries that value's name."""

    def symbol(self, name: str) -> str:
        return _marked(name, super().symbol(name))

    def _print_Partial(self, expression: Any) -> Text:
        printed = MathMLPrinter().print(expression)
        return Text(_marked(_slope_name(*expression.args), printed), ATOM)


def _marked(name: str, printed: str) -> str:
    return f'<mrow data-value="{name}">{printed}</mrow>'


def _line(left: Any, right: Any, result: str) -> Line:
    letters = formula((left, right))
    return Line(letters.parts[0], Markup(math_element("", _MarkedPrinter().print(right))), result, letters.text)


def _part(derivation: Derivation, drawing: Plan, key: str) -> Part:
    network, forward = derivation.network, {e.name: e for e in derivation.forward}
    value = forward.get(key)
    update = next((e for e in derivation.updates if e.name == key), None)
    return Part(
        key=key,
        symbol=symbol(key),
        meaning=_meaning(network, drawing, key) if value is None else value.meaning,
        forward=_line(value.symbol, value.expression, key) if value else None,
        backward=_backward(derivation, key) if value or update else (),
        update=_line(sp.Symbol(f"{key}_new"), update.expression, f"next_{key}") if update else None,
        path=_path(derivation, drawing, key),
    )


def _meaning(network: Network, drawing: Plan, key: str) -> str:
    wire = next((wire for wire in drawing.wires if wire.key == key), None)
    if wire:
        return f"weight from {wire.source} to {wire.target}"
    if key in network.inputs:
        return f"input {network.inputs.index(key) + 1}, given"
    return f"target of {network.layers[-1][network.targets.index(key)].activation}, given"


def _backward(derivation: Derivation, key: str) -> tuple[Line, ...]:
    """Give the gradient of a part: the factors by name, and the factors themselves."""
    below, name = sp.Symbol(key), gradient_name(key)
    left = Partial(sp.Symbol(TOTAL_ERROR), below)
    named = product(_named_factors(derivation.forward, below, sp.Symbol(TOTAL_ERROR)))
    letters = product(chain_factors(derivation.forward, below))
    return tuple(_line(left, right, name) for right in dict.fromkeys((named, letters)))


def _named_factors(forward: tuple[Equation, ...], below: Any, of: Any) -> tuple[Any, ...]:
    """Return what `chain_factors` does, each factor by its name; like the sheet, leave out what is 1."""
    if below == of:
        return ()
    ways = [(*_named_factors(forward, user.symbol, of), *_named(user, below)) for user in users(forward, below, of)]
    return ways[0] if len(ways) == 1 else (total(map(product, ways)),)


def _named(user: Equation, below: Any) -> tuple[Any, ...]:
    return () if local_derivative(user, below) == 1 else (Partial(user.symbol, below),)


def _path(derivation: Derivation, drawing: Plan, key: str) -> tuple[str, ...]:
    """Name what lies between a part and the total error."""
    reached = {key}
    for equation in derivation.forward:
        if reached & {str(part) for part in equation.expression.free_symbols}:
            reached.add(equation.name)
    wires = [w.key for w in drawing.wires if w.key == key or {w.source, w.target} <= reached]
    return (*wires, *(box.key for box in drawing.boxes if box.key in reached))


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
