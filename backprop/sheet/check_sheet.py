"""The workbook's check of itself: gradients against central differences, errors against 50-digit arithmetic.

Both are live. The reader picks an iteration and a step size ε; each weight of that row is changed by +ε and -ε, a
forward pass for each stands below, and (E(w + ε) - E(w - ε)) / 2ε has to be the gradient that the table computes.
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
from backprop.simulate import compute_iteration_0, simulate_precisely

_ITERATION, _STEP_SIZE = "B4", "B5"
GRADIENTS, ERRORS = "B6", "B7"
"""The cells that sum the verdicts up."""
_EPSILON = 1e-4
_TOLERANCE = "0.000001", "0.0000000001"  # relative, absolute; the difference quotient itself is off by about ε²
_IDENTICAL = "0.00000000001", "0.000000000001"
_WIDTH, _COLUMNS_ON_A_PAGE = 16, 11
_LABEL = "moved"
_HEADERS = [_LABEL, "value", "gradient", "E_total up", "E_total down", "(up - down) / 2ε", "difference", "verdict"]
_GRADIENT_LOOKS = (style.FIXED, style.SMALL, style.LONG, style.LONG, style.SMALL, style.SMALL, style.DATA)
_HEADER_ROW = 10


@dataclass(frozen=True)
class ForwardPass:
    """One forward pass of the central differences, and the numbers that it computes."""

    parameter: str
    sign: str
    """+ or -: the direction in which the parameter is changed by ε."""
    values: dict[str, float]


@dataclass(frozen=True)
class CheckSheet:
    """The sheet while it is written: where it takes its numbers from, and where its forward passes stand."""

    book: Book
    sheet: Worksheet
    main: TablePlace
    run: Run
    passes: TablePlace

    def pick(self, name: str) -> str:
        """Return the formula for a quantity in the row that the reader has picked."""
        return f"INDEX({self.main.range(name)},{absolute(_ITERATION)}+1)"

    def fill(
        self, row: int, label: str | int, cells: Sequence[tuple[str | None, float | str]], looks: Sequence[str]
    ) -> None:
        """Write a label and, right of it, formulas with their values, or numbers where there is no formula."""
        self.sheet.cell(row, 1, label).style = style.DATA
        for column, ((formula, value), look) in enumerate(zip(cells, looks, strict=True), start=2):
            cell = self.sheet.cell(row, column)
            if formula is None:
                cell.value = value
            else:
                self.book.set_formula(cell, formula, value)
            cell.style = look
            cell.alignment = style.CENTER if look == style.DATA else style.RIGHT


def write_check_sheet(book: Book, main: TablePlace, run: Run) -> None:
    """Write the gradient check for a row to be picked, the forward passes it needs, and the identity."""
    sheet = book.add_sheet(CHECK_SHEET)
    sheet["A1"], sheet["A1"].font = "The gradients, checked by nudging every weight", style.TITLE
    hints = (
        "Pick an iteration: what E_total does when a weight of that row moves by ±ε must be the table's gradient.",
        "The errors at the bottom are held against 50-digit arithmetic with the numbers that this file was made with:"
        " once η or a starting value is changed, they differ, and only the gradients are checked.",
    )
    for cell, hint in zip(("A2", "A3"), hints, strict=True):
        sheet[cell], sheet[cell].font = hint, style.HINT
    style.link_to_guide(sheet, "H1")
    _write_choices(sheet, main.iterations - 1)
    passes = _compute_passes(run)
    place = _place_passes(main, _HEADER_ROW + len(run.preset.network.parameters) + 3, len(passes))
    check = CheckSheet(book, sheet, main, run, place)
    _write_passes(check, passes)
    _write_gradients(check, passes)
    _write_identity(check, place.last_row + 3)
    for letter in ["A", *map(place.letter, place.columns)]:
        sheet.column_dimensions[letter].width = _WIDTH
    style.print_in_groups(sheet, _COLUMNS_ON_A_PAGE)


def _write_choices(sheet: Worksheet, last: int) -> None:
    for cell, text in (("A4", "iteration"), ("A5", "nudge ε"), ("A6", "gradients"), ("A7", "rows")):
        sheet[cell], sheet[cell].font = text, style.LABEL
    sheet[_ITERATION], sheet[_STEP_SIZE] = 0, _EPSILON
    style.make_editable(sheet, _ITERATION, large=True)
    style.make_editable(sheet, _STEP_SIZE, large=True)
    style.validate_iteration(sheet, _ITERATION, last)
    style.validate_step_size(sheet, _STEP_SIZE)


def _compute_passes(run: Run) -> list[ForwardPass]:
    """Compute two forward passes per parameter at iteration 0, +ε before -ε."""
    directions = [(name, sign) for name in run.preset.network.parameters for sign in "+-"]
    changes = [{name: run.preset.values[name] + float(f"{sign}{_EPSILON}")} for name, sign in directions]
    rows = compute_iteration_0(run.derivation, run.preset, changes)
    return [ForwardPass(name, sign, row) for (name, sign), row in zip(directions, rows, strict=True)]


def _place_passes(main: TablePlace, header_row: int, count: int) -> TablePlace:
    """Return the place of the forward passes: a column for the parameter changed, then those up to the total error."""
    upto = main.columns[: main.columns.index(TOTAL_ERROR) + 1]
    trained = tuple(name for name in main.columns[len(upto) :] if gradient_name(name) in main.columns)
    columns = (_LABEL, *trained, *upto)
    return replace(main, sheet=CHECK_SHEET, header_row=header_row, columns=columns, iterations=count, origin=main)


def _write_passes(check: CheckSheet, passes: list[ForwardPass]) -> None:
    place, run = check.passes, check.run
    errors = (*run.preset.network.errors, TOTAL_ERROR)
    style.make_header(check.sheet, place.header_row, list(place.columns))
    for number, forward in enumerate(passes):
        row = place.first_row + number
        printer = ExcelPrinter(lambda name, row=row: place.reference(name, row))  # type: ignore[misc]
        cells: list[tuple[str | None, float | str]] = []
        for name in place.columns[1:]:
            if name in run.preset.values:
                change = f"{forward.sign}{absolute(_STEP_SIZE)}" if name == forward.parameter else ""
                formula = f"={check.pick(name)}{change}"
            else:
                formula = printer.formula(run.derivation.equation(name).expression)
            cells.append((formula, forward.values[name]))
        looks = [style.LONG if name in errors else style.FIXED for name in place.columns[1:]]
        check.fill(row, f"{forward.parameter} {forward.sign} ε", cells, looks)


def _write_gradients(check: CheckSheet, passes: list[ForwardPass]) -> None:
    place, start, agreeing = check.passes, check.run.start, 0
    style.make_header(check.sheet, _HEADER_ROW, _HEADERS)
    for number, name in enumerate(check.run.preset.network.parameters):
        row = _HEADER_ROW + 1 + number
        up, down = (forward.values[TOTAL_ERROR] for forward in passes[2 * number : 2 * number + 2])
        gradient, quotient = start[gradient_name(name)], (up - down) / (2 * _EPSILON)
        cells: list[tuple[str | None, float | str]] = [
            (f"={check.pick(name)}", start[name]),
            (f"={check.pick(gradient_name(name))}", gradient),
            (f"={place.cell(TOTAL_ERROR, 2 * number)}", up),
            (f"={place.cell(TOTAL_ERROR, 2 * number + 1)}", down),
            (f"=(D{row}-E{row})/(2*{absolute(_STEP_SIZE)})", quotient),
            (f"=C{row}-F{row}", gradient - quotient),
            _verdict(f"G{row}", f"C{row}", gradient - quotient, gradient, _TOLERANCE),
        ]
        check.fill(row, name, cells, _GRADIENT_LOOKS)
        agreeing += cells[-1][1] == AGREES
    count = len(check.run.preset.network.parameters)
    verdicts = f"H{_HEADER_ROW + 1}:H{_HEADER_ROW + count}"
    style.colour_verdicts(check.sheet, verdicts)
    _write_summary(check, GRADIENTS, verdicts, (agreeing, count), "gradients agree with central differences")


def _write_identity(check: CheckSheet, header_row: int) -> None:
    """Compare E_total with typed numbers from 50-digit arithmetic; any edit of η or a starting value shows."""
    main, run = check.main, check.run
    count = min(main.iterations, SHEET_ITERATIONS)
    right = derive(run.preset.network)
    exact = simulate_precisely(right, run.preset, run.trace.learning_rate, count)
    live = run.trace.column(TOTAL_ERROR).tolist()
    style.make_header(check.sheet, header_row, ["iteration", "E_total", "in 50 digits", "verdict"])
    agreeing = 0
    for iteration in range(count):
        row = header_row + 1 + iteration
        reference = float(exact[iteration][right.columns.index(TOTAL_ERROR)])
        verdict = _verdict(f"B{row}-C{row}", f"C{row}", live[iteration] - reference, reference, _IDENTICAL)
        formula = f"='{main.sheet}'!{main.cell(TOTAL_ERROR, iteration)}"
        numbers: tuple[tuple[str | None, float | str], ...] = ((formula, live[iteration]), (None, reference))
        check.fill(row, iteration, (*numbers, verdict), (style.LONG, style.LONG, style.DATA))
        agreeing += verdict[1] == AGREES
    verdicts = f"D{header_row + 1}:D{header_row + count}"
    style.colour_verdicts(check.sheet, verdicts)
    _write_summary(check, ERRORS, verdicts, (agreeing, count), "rows agree with 50-digit arithmetic")


def _write_summary(check: CheckSheet, cell: str, verdicts: str, found: tuple[int, int], words: str) -> None:
    """Count the verdicts: “8 of 8 gradients agree …”."""
    first, last = (absolute(corner) for corner in verdicts.split(":"))
    agreeing, count = found
    formula = f'=COUNTIF({first}:{last},"{AGREES}")&" of {count} {words}"'
    check.book.set_formula(check.sheet[cell], formula, f"{agreeing} of {count} {words}")
    check.sheet[cell].font = style.LABEL


def _verdict(
    difference_cell: str, size_cell: str, difference: float, size: float, tolerance: tuple[str, str]
) -> tuple[str, str]:
    """Return the formula that judges a difference, and its value now; an error in a cell counts as a difference."""
    relative, least = tolerance
    inside = f"ABS({difference_cell})<=MAX({relative}*ABS({size_cell}),{least})"
    agrees = abs(difference) <= max(float(relative) * abs(size), float(least))
    formula = f'=IF(ISNUMBER({difference_cell}),IF({inside},"{AGREES}","{DIFFERS}"),"{DIFFERS}")'
    return formula, AGREES if agrees else DIFFERS
