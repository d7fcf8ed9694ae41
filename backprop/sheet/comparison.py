"""The comparison sheet: learning rates to edit, the error each one reaches, a chart, and a sheet per curve."""

import numpy as np
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from backprop.network import TOTAL_ERROR
from backprop.sheet import layout, style
from backprop.sheet.book import Book, Column
from backprop.sheet.chart import ErrorCurve, error_chart
from backprop.sheet.table import COLUMNS_ON_A_PAGE, Run, write_table

_HEADERS = ["sheet", "η", "curve", "E_total first", "E_total last", "last / first"]
_WIDTH = 17
_MOST_FROZEN = 4
"""Columns of targets and inputs that stay beside the others where there are no more: a quarter of a laptop's width."""


def write_comparison(book: Book, origin: layout.TablePlace, runs: list[Run]) -> None:
    """Write one row, one line of the chart and one sheet per run; `origin` holds the starting values."""
    tables = [layout.curve_table(number, origin) for number in range(1, len(runs) + 1)]
    _write_summary(book, tables, runs)
    for place, table, run in zip(layout.curve_places(len(tables)), tables, runs, strict=True):
        _write_curve_sheet(book, place, table, run)


def _write_summary(book: Book, tables: list[layout.TablePlace], runs: list[Run]) -> None:
    sheet = book.add_sheet(layout.COMPARISON_SHEET)
    sheet["A1"], sheet["A1"].font = "What the learning rate does: six error curves", style.TITLE
    sheet["A2"], sheet["A2"].font = (
        "Change a yellow η: its sheet, its row here and its curve follow.",
        style.HINT,
    )
    style.link_to_guide(sheet, "G1")
    style.make_header(sheet, layout.COMPARISON_HEADER_ROW, _HEADERS)
    for letter in "ABCDEFG":
        sheet.column_dimensions[letter].width = _WIDTH
    curves = []
    for place, table, run in zip(layout.curve_places(len(tables)), tables, runs, strict=True):
        book.name_cell(f"eta_{place.number}", layout.COMPARISON_SHEET, place.learning_rate)
        label = _write_row(book, sheet, place, table, run)
        name_cell = f"{layout.COMPARISON_SHEET}!{layout.absolute(place.label)}"
        curves.append(ErrorCurve(table.range(TOTAL_ERROR), run.trace.column(TOTAL_ERROR), label, name_cell))
    cells = layout.iteration_cells(tables[0].iterations)
    for title, corners, logarithmic in layout.COMPARISON_CHARTS:
        words = f"{title}, for six learning rates; the numbers stand below"
        book.add_chart(sheet, error_chart(title, curves, cells, corners, logarithmic=logarithmic), words)
    _write_errors(book, sheet, tables, curves)
    style.print_on_one_width(sheet, layout.ERRORS_HEADER_ROW)
    sheet.row_breaks.append(Break(id=layout.ERRORS_HEADER_ROW - 1))


def _write_errors(book: Book, sheet: Worksheet, tables: list[layout.TablePlace], curves: list[ErrorCurve]) -> None:
    """Write the numbers of the chart: one row an iteration, one column a curve."""
    row = layout.ERRORS_HEADER_ROW
    style.make_header(sheet, row, ["iteration", *(curve.name for curve in curves)])
    for column, (curve, place) in enumerate(zip(curves, layout.curve_places(len(curves)), strict=True), start=2):
        book.set_formula(sheet.cell(row, column), f"={place.label}", curve.name)
    links = [Column(style.SMALL, f"='{table.sheet}'!{table.letter(TOTAL_ERROR)}{{other}}") for table in tables]
    counts = np.arange(tables[0].iterations, dtype=float)
    values = np.column_stack([counts, *(curve.values for curve in curves)])
    book.fill_rows(sheet, row + 1, [Column(style.DATA, None), *links], values, tables[0].first_row - row - 1)


def _write_row(book: Book, sheet: Worksheet, place: layout.CurvePlace, table: layout.TablePlace, run: Run) -> str:
    """Write a curve's row and return its label."""
    row, errors = place.row, run.trace.column(TOTAL_ERROR)
    label = f"η = {run.trace.learning_rate:.15g}"
    first, last = table.cell(TOTAL_ERROR), table.cell(TOTAL_ERROR, table.iterations - 1)
    sheet[f"A{row}"], sheet[f"A{row}"].font = table.sheet, style.PANEL
    sheet[place.learning_rate] = run.trace.learning_rate
    style.make_editable(sheet, place.learning_rate, large=True)
    style.validate_learning_rate(sheet, place.learning_rate)
    book.set_formula(sheet[place.label], f'="η = "&{place.learning_rate}', label)
    book.set_formula(sheet[f"D{row}"], f"='{table.sheet}'!{first}", errors[0])
    book.set_formula(sheet[f"E{row}"], f"='{table.sheet}'!{last}", errors[-1])
    book.set_formula(sheet[f"F{row}"], f"=E{row}/D{row}", errors[-1] / errors[0])
    for cell, look in ((place.label, style.DATA), *((f"{letter}{row}", style.SMALL) for letter in "DEF")):
        sheet[cell].style = look
    sheet[place.label].alignment = style.CENTER
    sheet[f"F{row}"].number_format = "0.0000%"
    return label


def _write_curve_sheet(book: Book, place: layout.CurvePlace, table: layout.TablePlace, run: Run) -> None:
    assert table.origin is not None
    sheet, origin = book.add_sheet(table.sheet), table.origin.sheet
    sheet["A1"], sheet["A1"].font = f"{table.sheet}: the table of “{origin}” for another learning rate", style.TITLE
    sheet["F2"], sheet["F2"].font, sheet["F2"].alignment = "η =", style.LABEL, style.RIGHT
    formula = f"={layout.COMPARISON_SHEET}!{layout.absolute(place.learning_rate)}"
    book.set_formula(sheet[table.learning_rate], formula, run.trace.learning_rate)
    sheet[table.learning_rate].font = style.LABEL
    hint = f"η is edited on the sheet “{layout.COMPARISON_SHEET}”, all starting values on “{origin}”."
    sheet["H2"], sheet["H2"].font = hint, style.HINT
    write_table(book, sheet, table, run)
    style.link_to_guide(sheet, "A2")
    constants = len(run.preset.network.targets) + len(run.preset.network.inputs)
    frozen = get_column_letter(constants + 1) if constants <= _MOST_FROZEN else "A"
    sheet.freeze_panes = f"{frozen}{table.first_row}"
    style.print_in_groups(sheet, COLUMNS_ON_A_PAGE, table.header_row)
