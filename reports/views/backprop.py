"""Everything that the page says about Part 1, computed from the derivation."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from markupsafe import Markup

from backprop import derivation as mathematics
from backprop.derivation import Derivation
from backprop.network import SHEET_ITERATIONS, SHEET_LEARNING_RATES, TOTAL_ERROR, Preset, gradient_name
from backprop.panels import panels
from backprop.simulate import Trace, simulate
from reports.formats import fixed, short
from reports.views.explanations import PanelWords, panel_words
from reports.views.explorer import ExplorerView, StartingValue, starting_values, view_explorer
from reports.views.formulas import Formula, formula, partial, symbol
from reports.views.learning_rates import Comparison, compare
from reports.views.worked import WorkedGroup, work_out

FIRST_ROWS = 10
_LINE_WIDTH, _CLOSE = 0.005, 0.01
"""Of the height of a graph, and of a gradient."""


@dataclass(frozen=True)
class Step:
    """One line of a panel: a formula, what it says, and why it is so where that needs saying."""

    formula: Formula
    meaning: str
    reason: str


@dataclass(frozen=True)
class PanelView:
    """One numbered panel of the class sheet."""

    number: int
    title: str
    introduction: str
    steps: tuple[Step, ...]
    conclusion: str


@dataclass(frozen=True)
class Column:
    """A column of the sheet, spelled for reading."""

    name: str
    symbol: Markup
    cells: tuple[str, ...]


@dataclass(frozen=True)
class ValueTable:
    """Some rows of the sheet."""

    iterations: tuple[int, ...]
    columns: tuple[Column, ...]

    def from_to(self, first: str, last: str) -> "ValueTable":
        """Take the columns from one name to another."""
        names = [column.name for column in self.columns]
        return ValueTable(self.iterations, self.columns[names.index(first) : names.index(last) + 1])


@dataclass(frozen=True)
class SlipLine:
    """A gradient that the class sheet's cells get wrong, at iteration 0."""

    name: str
    symbol: Markup
    taught: Formula
    derived: Formula
    taught_value: float
    derived_value: float
    used: Markup
    meant: Markup

    @property
    def relative_error(self) -> float:
        """Give the error of the taught value as a share of the right one."""
        return self.taught_value / self.derived_value - 1 if self.derived_value else math.nan


@dataclass(frozen=True)
class SlipView:
    """The slip in the class sheet, and what it does to the error curve."""

    lines: tuple[SlipLine, ...]
    largest_shift: float
    """The most by which E_total moves in any row of the table."""
    at_iteration: int
    rows: int
    first_error: float

    @property
    def is_visible(self) -> bool:
        """Tell whether the error curve moves by more than the width of its line."""
        return not self.largest_shift <= _LINE_WIDTH * self.first_error

    @property
    def is_small(self) -> bool:
        """Tell whether the wrong gradients themselves are close to the right ones."""
        return all(abs(line.relative_error) < _CLOSE for line in self.lines)


@dataclass(frozen=True)
class BackpropView:
    """Part 1."""

    preset: Preset
    learning_rate: float
    iterations: int
    trace: Trace
    values: tuple[StartingValue, ...]
    panels: tuple[PanelView, ...]
    update: Formula
    worked: tuple[WorkedGroup, ...]
    table: ValueTable
    explorer: ExplorerView
    comparison: Comparison
    slip: SlipView
    proofs: tuple[mathematics.Identity, ...]

    @property
    def sections(self) -> tuple[tuple[str, ValueTable], ...]:
        """Split the table so that each part fits the width of a sheet of paper."""
        network = self.preset.network
        hidden, output = network.layers
        table, last = self.table, self.table.columns[-1].name
        return (
            ("Weights and values of the hidden layer", table.from_to(hidden[0].weights[0], hidden[-1].activation)),
            ("Weights and values of the output layer, and the error", table.from_to(output[0].weights[0], TOTAL_ERROR)),
            ("Gradients", table.from_to(gradient_name(network.weights[0]), last)),
        )


def view_backprop(preset: Preset, learning_rate: float) -> BackpropView:
    """Compute Part 1 for a preset and a learning rate. Raises BackpropError for a learning rate that makes no run."""
    derivation = mathematics.derive(preset.network)
    trace = simulate(derivation, preset, learning_rate, SHEET_ITERATIONS)
    rates = tuple(sorted({*SHEET_LEARNING_RATES, learning_rate}))
    return BackpropView(
        preset=preset,
        learning_rate=learning_rate,
        iterations=SHEET_ITERATIONS,
        trace=trace,
        values=starting_values(preset, preset.values),
        panels=_panels(derivation),
        update=formula((sp.Symbol("w_new"), _update(derivation))),
        worked=work_out(derivation, preset, trace),
        table=_table(trace, _rows_shown(trace)),
        explorer=view_explorer(derivation, preset, learning_rate),
        comparison=compare(derivation, preset, rates, SHEET_LEARNING_RATES, SHEET_ITERATIONS),
        slip=_slip(derivation, preset, trace),
        proofs=mathematics.verify_gradients(derivation),
    )


def _panels(derivation: Derivation) -> tuple[PanelView, ...]:
    told = zip(panels(derivation), panel_words(derivation.network), strict=True)
    return tuple(
        PanelView(
            panel.number,
            panel.title,
            words.introduction,
            tuple(
                Step(formula(line.terms), _sentence(line.meaning), _reason(words, i))
                for i, line in enumerate(panel.lines)
            ),
            words.conclusion,
        )
        for panel, words in told
    )


def _reason(words: PanelWords, index: int) -> str:
    return words.reasons.get(index, "")


def _sentence(meaning: str) -> str:
    # A sentence that starts with a symbol's name keeps it as it is spelled.
    first = meaning.split()[0]
    return meaning if any(c.isdigit() or c == "_" for c in first) else meaning[0].upper() + meaning[1:]


def _update(derivation: Derivation) -> Any:
    """Write the update rule for any weight w."""
    first = derivation.updates[0]
    weight = sp.Symbol(first.name)
    generic = {weight: sp.Symbol("w"), sp.Symbol(gradient_name(first.name)): partial(TOTAL_ERROR, "w")}
    return _renamed(first.expression, generic)


def _renamed(expression: Any, names: Mapping[Any, Any]) -> Any:
    """Exchange symbols without letting sympy reorder."""
    if not expression.args:
        return names.get(expression, expression)
    return expression.func(*(_renamed(part, names) for part in expression.args), evaluate=False)


def _rows_shown(trace: Trace) -> tuple[int, ...]:
    """Show the first rows and the last one."""
    last = len(trace.values) - 1
    return (*range(min(FIRST_ROWS, last)), last)


def _table(trace: Trace, rows: tuple[int, ...]) -> ValueTable:
    return ValueTable(
        rows,
        tuple(
            Column(name, symbol(name), tuple(_spelling(name)(float(trace.column(name)[row])) for row in rows))
            for name in trace.columns
        ),
    )


def _spelling(name: str) -> Callable[[float], str]:
    """Give errors and gradients more decimals than weights and activations; inputs and targets as they were typed."""
    if name[0] in "ti":
        return short
    return lambda value: fixed(value, 9 if name[0] in "Ed" else 6)


def _slip(derivation: Derivation, preset: Preset, trace: Trace) -> SlipView:
    """Run the class sheet's own formulas beside the derived ones."""
    taught = simulate(mathematics.as_taught(derivation), preset, trace.learning_rate, len(trace.values))
    shifts = abs(taught.column(TOTAL_ERROR) - trace.column(TOTAL_ERROR))
    shifts = shifts[: min(len(taught.complete), len(trace.complete))]
    return SlipView(
        lines=tuple(_slip_line(slip, taught, trace) for slip in mathematics.slips(derivation)),
        largest_shift=float(shifts.max()) if shifts.size else math.nan,
        at_iteration=int(shifts.argmax()) if shifts.size else 0,
        rows=len(shifts),
        first_error=float(trace.column(TOTAL_ERROR)[0]),
    )


def _slip_line(slip: mathematics.Slip, taught: Trace, trace: Trace) -> SlipLine:
    return SlipLine(
        name=slip.name,
        symbol=symbol(slip.name),
        taught=formula((slip.taught,)),
        derived=formula((slip.derived,)),
        taught_value=float(taught.column(slip.name)[0]),
        derived_value=float(trace.column(slip.name)[0]),
        used=symbol(slip.used),
        meant=symbol(slip.meant),
    )
