"""Everything that the page shows of Part 1."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from markupsafe import Markup

from backprop.derivation import Identity, Slip
from backprop.network import SHEET_ITERATIONS, TOTAL_ERROR, Kind, Preset, gradient_name
from backprop.notation import Shifted
from backprop.panels import Panel
from backprop.part1 import Part1, WorkedExample
from backprop.simulate import Trace
from reports.views.explorer import ExplorerView, StartingValue, starting_values, view_explorer
from reports.views.formulas import Formula, print_formula, print_numbers, print_symbol
from reports.views.learning_rates import Comparison, compare_learning_rates

FIRST_ROWS = 10
_LINE_WIDTH, _CLOSE = 0.005, 0.01
"""Of the height of a graph, and of a gradient."""


@dataclass(frozen=True)
class Step:
    """One line of a panel: a formula, and its meaning in one phrase."""

    formula: Formula
    meaning: str
    name: str
    """What the template's explanation of the line is called; empty where it needs none."""


@dataclass(frozen=True)
class PanelView:
    """One numbered panel of the class sheet."""

    number: int
    name: str
    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class WorkedLine:
    """One formula of iteration 0: with letters, with numbers put in, and its value."""

    formula: Formula
    numbers: tuple[Markup, ...]
    value: float


@dataclass(frozen=True)
class Column:
    """A column of the sheet."""

    name: str
    symbol: Markup
    kind: Kind
    values: tuple[float, ...]

    @property
    def decimals(self) -> int | None:
        """How many decimals to show; None for what is shown as it was typed."""
        if self.kind in (Kind.TARGET, Kind.INPUT):
            return None
        # Errors and gradients become smaller than weights and activations.
        return 9 if self.kind in (Kind.ERROR, Kind.TOTAL_ERROR, Kind.GRADIENT) else 6


@dataclass(frozen=True)
class ValueTable:
    """Some rows of the sheet."""

    iterations: tuple[int, ...]
    columns: tuple[Column, ...]

    def from_to(self, first: str, last: str) -> "ValueTable":
        """Return the columns from one name to another."""
        names = [column.name for column in self.columns]
        return ValueTable(self.iterations, self.columns[names.index(first) : names.index(last) + 1])


@dataclass(frozen=True)
class PaperTables:
    """The table in parts that fit the width of a sheet of paper."""

    hidden: ValueTable
    output: ValueTable
    gradients: ValueTable


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
        """Return the error of the taught value as a share of the right one."""
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
        """Return whether the error curve moves by more than the width of its line."""
        return not self.largest_shift <= _LINE_WIDTH * self.first_error

    @property
    def is_small(self) -> bool:
        """Return whether the wrong gradients themselves are close to the right ones."""
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
    worked: Mapping[str, tuple[WorkedLine, ...]]
    """By the names of the worked example's groups."""
    table: ValueTable
    explorer: ExplorerView
    comparison: Comparison
    slip: SlipView
    identities: tuple[Identity, ...]

    @property
    def computed(self) -> tuple[Column, ...]:
        """The columns of the forward pass."""
        kinds = (Kind.NET_INPUT, Kind.ACTIVATION, Kind.ERROR, Kind.TOTAL_ERROR)
        return tuple(column for column in self.table.columns if column.kind in kinds)

    @property
    def paper_tables(self) -> PaperTables:
        """Split the table."""
        network, table = self.preset.network, self.table
        hidden, output = network.layers
        return PaperTables(
            table.from_to(hidden[0].weights[0], hidden[-1].activation),
            table.from_to(output[0].weights[0], TOTAL_ERROR),
            table.from_to(gradient_name(network.weights[0]), table.columns[-1].name),
        )


def view_backprop(part1: Part1) -> BackpropView:
    """Arrange Part 1 for the page."""
    return BackpropView(
        preset=part1.preset,
        learning_rate=part1.learning_rate,
        iterations=SHEET_ITERATIONS,
        trace=part1.trace,
        values=starting_values(part1.preset, part1.preset.values),
        panels=tuple(map(_panel, part1.panels)),
        update=print_formula((Shifted("w", 1), part1.update)),
        worked={field.name: _worked_lines(part1, getattr(part1.worked, field.name)) for field in fields(WorkedExample)},
        table=_table(part1),
        explorer=view_explorer(part1),
        comparison=compare_learning_rates(part1),
        slip=_slip(part1),
        identities=part1.identities,
    )


def _panel(panel: Panel) -> PanelView:
    steps = tuple(Step(print_formula(line.terms), line.meaning, line.name) for line in panel.lines)
    return PanelView(panel.number, panel.name, panel.title, steps)


def _worked_lines(part1: Part1, equations: Sequence[tuple[Any, Any]]) -> tuple[WorkedLine, ...]:
    values = part1.values
    return tuple(
        WorkedLine(print_formula((left, right)), print_numbers(right, values, values[left]), values[left])
        for left, right in equations
    )


def _table(part1: Part1) -> ValueTable:
    """Select the first rows and the last one."""
    network, trace = part1.preset.network, part1.trace
    last = len(trace.values) - 1
    rows = (*range(min(FIRST_ROWS, last)), last)
    columns = (
        Column(name, print_symbol(name), network.kind(name), tuple(float(trace.column(name)[row]) for row in rows))
        for name in trace.columns
    )
    return ValueTable(rows, tuple(columns))


def _slip(part1: Part1) -> SlipView:
    """Compare the class sheet's own formulas with the derived ones."""
    taught, trace = part1.as_taught, part1.trace
    shifts = abs(taught.column(TOTAL_ERROR) - trace.column(TOTAL_ERROR))
    shifts = shifts[: min(len(taught.complete), len(trace.complete))]
    return SlipView(
        lines=tuple(_slip_line(slip, taught, trace) for slip in part1.slips),
        largest_shift=float(shifts.max()) if shifts.size else math.nan,
        at_iteration=int(shifts.argmax()) if shifts.size else 0,
        rows=len(shifts),
        first_error=float(trace.column(TOTAL_ERROR)[0]),
    )


def _slip_line(slip: Slip, taught: Trace, trace: Trace) -> SlipLine:
    return SlipLine(
        name=slip.name,
        symbol=print_symbol(slip.name),
        taught=print_formula((slip.taught,)),
        derived=print_formula((slip.derived,)),
        taught_value=float(taught.column(slip.name)[0]),
        derived_value=float(trace.column(slip.name)[0]),
        used=print_symbol(slip.used),
        meant=print_symbol(slip.meant),
    )
