"""The workbook's proof of itself: gradients against central differences, and the errors against 50-digit arithmetic.

Both are live. The reader picks an iteration; each weight of that row is moved up and down by a nudge ε, a forward pass
for each stands below, and (E(w + ε) - E(w - ε)) / 2ε has to be the gradient that the table computes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import derive
from backprop.network import SHEET_ITERATIONS, TOTAL_ERROR, gradient_name
from backprop.printers.excel import ExcelPrinter
from backprop.sheet import style
from backprop.sheet.book import Book
from backprop.sheet.layout import CHECK_SHEET, TablePlace, absolute
from backprop.sheet.style import AGREES, DIFFERS
from backprop.sheet.table import Run
from backprop.simulate import first_rows, simulate_precisely

_ITERATION, _NUDGE, _IDENTITY = "B4", "B5", "B6"
_EPSILON = 1e-4
_TOLERANCE = "1E-6", "1E-10"  # relative, absolute; the difference quotient itself is off by about ε²
_IDENTICAL = "1E-11", "1E-12"
_HEADERS = ["moved", "value", "gradient", "E_total up", "E_total down", "(up - down) / 2ε", "difference", "verdict"]
_HEADER_ROW = 8


@dataclass(frozen=True)
class Pass:
    """One forward pass: the parameter that is moved, and the direction."""

    parameter: str
    sign: int

    @property
    def label(self) -> str:
        """Name the pass."""
        return f"{self.parameter} {'+' if self.sign > 0 else '-'} ε"


def write_check_sheet(book: Book, main: TablePlace, run: Run) -> None:
    """Write the gradient check for a row to be picked, the forward passes it needs, and the identity."""
    sheet = book.add_sheet(CHECK_SHEET)
    sheet["A1"], sheet["A1"].font = "The gradients, checked by nudging every weight", style.TITLE
    hint = "Pick an iteration: what E_total does when a weight of that row moves by ±ε must be the table's gradient."
    sheet["A2"], sheet["A2"].font = hint, style.HINT
    _write_choices(sheet, main.iterations - 1)
    parameters = run.preset.network.parameters
    passes = [Pass(name, sign) for name in parameters for sign in (1, -1)]
    place = _pass_table(main, _HEADER_ROW + len(parameters) + 3, len(passes))
    changes = [{p.parameter: run.preset.values[p.parameter] + p.sign * _EPSILON} for p in passes]
    rows = first_rows(run.derivation, run.preset, changes)
    _write_passes(book, sheet, main, place, run, list(zip(passes, rows, strict=True)))
    errors = [row[TOTAL_ERROR] for row in rows]
    _write_gradients(book, sheet, main, place, run, errors)
    _write_identity(book, sheet, main, run, place.last_row + 3)
    for letter in ["A", *map(place.letter, place.columns)]:
        sheet.column_dimensions[letter].width = 16
    style.print_on_one_width(sheet)


def _write_choices(sheet: Worksheet, last: int) -> None:
    for cell, text in (("A4", "iteration"), ("A5", "nudge ε"), ("A6", "identity")):
        sheet[cell], sheet[cell].font = text, style.LABEL
    sheet[_ITERATION], sheet[_NUDGE] = 0, _EPSILON
    style.make_editable(sheet, _ITERATION, large=True)
    style.make_editable(sheet, _NUDGE, large=True)
    style.validate_iteration(sheet, _ITERATION, last)
    style.validate_nudge(sheet, _NUDGE)


def _pass_table(main: TablePlace, header_row: int, count: int) -> TablePlace:
    """Place the forward passes: the columns up to the total error, behind one that says what is moved."""
    upto = main.columns[: main.columns.index(TOTAL_ERROR) + 1]
    trained = tuple(name for name in main.columns[len(upto) :] if gradient_name(name) in main.columns)
    return replace(
        main,
        sheet=CHECK_SHEET,
        header_row=header_row,
        columns=("moved", *trained, *upto),
        iterations=count,
        origin=main,
    )


def _picked(main: TablePlace, name: str) -> str:
    return f"INDEX({main.range(name)},{absolute(_ITERATION)}+1)"


def _write_passes(
    book: Book,
    sheet: Worksheet,
    main: TablePlace,
    place: TablePlace,
    run: Run,
    rows: list[tuple[Pass, dict[str, float]]],
) -> None:
    style.make_header(sheet, place.header_row, list(place.columns))
    for number, (moved, values) in enumerate(rows):
        row = place.first_row + number
        printer = ExcelPrinter(lambda name, row=row: place.reference(name, row))  # type: ignore[misc]
        label = sheet[place.cell("moved", number)]
        label.value, label.style = moved.label, style.DATA
        for name in place.columns[1:]:
            if name in run.preset.values:
                nudge = f"{'+' if moved.sign > 0 else '-'}{absolute(_NUDGE)}" if name == moved.parameter else ""
                formula = f"={_picked(main, name)}{nudge}"
            else:
                formula = printer.formula(run.derivation.equation(name).expression)
            cell = sheet[place.cell(name, number)]
            book.set_formula(cell, formula, values[name])
            cell.style = style.DATA


def _write_gradients(
    book: Book, sheet: Worksheet, main: TablePlace, place: TablePlace, run: Run, errors: list[float]
) -> None:
    style.make_header(sheet, _HEADER_ROW, _HEADERS)
    start = dict(zip(run.trace.columns, run.trace.values[0].tolist(), strict=True))
    for number, name in enumerate(run.preset.network.parameters):
        row = _HEADER_ROW + 1 + number
        up, down = errors[2 * number : 2 * number + 2]
        gradient, quotient = start[gradient_name(name)], (up - down) / (2 * _EPSILON)
        cells = [
            (f"={_picked(main, name)}", start[name]),
            (f"={_picked(main, gradient_name(name))}", gradient),
            (f"={place.cell(TOTAL_ERROR, 2 * number)}", up),
            (f"={place.cell(TOTAL_ERROR, 2 * number + 1)}", down),
            (f"=(D{row}-E{row})/(2*{absolute(_NUDGE)})", quotient),
            (f"=C{row}-F{row}", gradient - quotient),
            _verdict(f"G{row}", f"C{row}", gradient - quotient, gradient, _TOLERANCE),
        ]
        _fill(book, sheet, row, name, cells)
    style.colour_verdicts(sheet, f"H{_HEADER_ROW + 1}:H{_HEADER_ROW + len(run.preset.network.parameters)}")


def _write_identity(book: Book, sheet: Worksheet, main: TablePlace, run: Run, header_row: int) -> None:
    """Compare E_total with typed numbers from 50-digit arithmetic; any edit of η or a starting value shows."""
    count = min(main.iterations, SHEET_ITERATIONS)
    right = derive(run.preset.network)
    exact = simulate_precisely(right, run.preset, run.trace.learning_rate, count)
    live = run.trace.column(TOTAL_ERROR).tolist()
    style.make_header(sheet, header_row, ["iteration", "E_total", "in 50 digits", "verdict"])
    agreeing = 0
    for iteration in range(count):
        row = header_row + 1 + iteration
        reference = float(exact[iteration][right.columns.index(TOTAL_ERROR)])
        verdict = _verdict(f"B{row}-C{row}", f"C{row}", live[iteration] - reference, reference, _IDENTICAL)
        formula = f"='{main.sheet}'!{main.cell(TOTAL_ERROR, iteration)}"
        _fill(book, sheet, row, iteration, [(formula, live[iteration]), (None, reference), verdict])
        agreeing += verdict[1] == AGREES
    verdicts = f"$D${header_row + 1}:$D${header_row + count}"
    style.colour_verdicts(sheet, verdicts.replace("$", ""))
    text = f"of {count} errors are those of 50-digit arithmetic for the η and numbers this file was made with"
    others = "; the others differ, as they do once η or a starting value is changed"
    agree = f'COUNTIF({verdicts},"{AGREES}")'
    summary = f'={agree}&" {text}"&IF({agree}<{count},"{others}","")'
    book.set_formula(sheet[_IDENTITY], summary, f"{agreeing} {text}{others if agreeing < count else ''}")


def _verdict(
    difference_cell: str, size_cell: str, difference: float, size: float, tolerance: tuple[str, str]
) -> tuple[str, str]:
    """Give the formula that judges a difference, and what it says now; an error in a cell counts as a difference."""
    relative, least = tolerance
    inside = f"ABS({difference_cell})<=MAX({relative}*ABS({size_cell}),{least})"
    agrees = abs(difference) <= max(float(relative) * abs(size), float(least))
    return f'=IF(ISNUMBER({difference_cell}),IF({inside},"{AGREES}","{DIFFERS}"),"{DIFFERS}")', (
        AGREES if agrees else DIFFERS
    )


def _fill(
    book: Book, sheet: Worksheet, row: int, label: str | int, cells: Sequence[tuple[str | None, float | str]]
) -> None:
    """Write a label and, behind it, formulas with their values, or numbers where there is no formula."""
    sheet.cell(row, 1, label).style = style.DATA
    for column, (formula, value) in enumerate(cells, start=2):
        cell = sheet.cell(row, column)
        if formula is None:
            cell.value = value
        else:
            book.set_formula(cell, formula, value)
        cell.style = style.DATA
