"""The guide: what the workbook is, what may be changed, what it says now, and a link to every sheet."""

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from backprop.network import TOTAL_ERROR
from backprop.sheet import layout, style
from backprop.sheet.book import Book
from backprop.sheet.check_sheet import ERRORS, GRADIENTS
from backprop.sheet.table import Run

_WIDTHS = {"A": 24, "B": 16, "C": 16, "D": 16, "E": 60}
_ABOUT = (
    "Every row of a table is one training step: forward pass, errors, gradients by the chain rule, new weights.",
    "Yellow cells are yours: η, targets, inputs, initial weights, and the six η of “{comparison}”. All else follows.",
    "“{check}” moves every weight a little and looks whether the error changes as its gradient says.",
)


def write_guide(book: Book, sheet: Worksheet, place: layout.TablePlace, runs: Sequence[Run], made_by: str) -> None:
    """Fill the guide's sheet; `runs` are the first sheet's and the curves', `made_by` says how the file was made."""
    for letter, width in _WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    sheet["A1"], sheet["A1"].font = "Guide", style.TITLE
    names = {"comparison": layout.COMPARISON_SHEET, "check": layout.CHECK_SHEET}
    for row, text in enumerate(_ABOUT, start=2):
        sheet[f"A{row}"], sheet[f"A{row}"].font = text.format(**names), style.PANEL
    row = _write_rates(book, sheet, place, runs)
    for cell, (label, source) in enumerate((("gradients", GRADIENTS), ("rows", ERRORS)), start=row + 2):
        sheet[f"A{cell}"], sheet[f"A{cell}"].font = f"Check: {label}", style.LABEL
        book.set_formula(sheet[f"B{cell}"], f"={layout.CHECK_SHEET}!{source}", book.value(layout.CHECK_SHEET, source))
        sheet[f"B{cell}"].font = style.PANEL
    row += 5
    sheet[f"A{row}"], sheet[f"A{row}"].font = made_by, style.HINT
    style.print_on_one_width(sheet)


def _write_rates(book: Book, sheet: Worksheet, place: layout.TablePlace, runs: Sequence[Run]) -> int:
    """Write every sheet with its η and what that reaches; returns the last row."""
    header_row = len(_ABOUT) + 3
    style.make_header(sheet, header_row, ["sheet", "η", "E_total first", "E_total last", "what it holds"])
    main, *curves = runs
    tables = [(place, f"='{place.sheet}'!{place.learning_rate}", main, "the table with the starting values")]
    for curve, run in zip(layout.curve_places(len(curves)), curves, strict=True):
        table, rate = layout.curve_table(curve.number, place), f"={layout.COMPARISON_SHEET}!{curve.learning_rate}"
        tables.append((table, rate, run, f"the same with an η of its own, which “{layout.COMPARISON_SHEET}” sets"))
    for row, (table, rate, run, words) in enumerate(tables, start=header_row + 1):
        errors = run.trace.column(TOTAL_ERROR)
        cells = (
            (rate, run.trace.learning_rate, style.DATA),
            (f"='{table.sheet}'!{table.cell(TOTAL_ERROR)}", float(errors[0]), style.SMALL),
            (f"='{table.sheet}'!{table.cell(TOTAL_ERROR, table.iterations - 1)}", float(errors[-1]), style.SMALL),
        )
        for letter, (formula, value, look) in zip("BCD", cells, strict=True):
            book.set_formula(sheet[f"{letter}{row}"], formula, value)
            sheet[f"{letter}{row}"].style = look
        _write_link(sheet, row, table.sheet, words)
    last = header_row + len(tables)
    others = [
        (layout.COMPARISON_SHEET, "six η to change, their curves, and every error"),
        (layout.CHECK_SHEET, "the gradients of any row against central differences"),
    ]
    if place.sheet == layout.GENERAL_SHEET:
        others.append((layout.DERIVATION_SHEET, "every equation in words, symbols and cells"))
    for row, (title, words) in enumerate(others, start=last + 1):
        _write_link(sheet, row, title, words)
    return last + len(others)


def _write_link(sheet: Worksheet, row: int, title: str, words: str) -> None:
    style.link(sheet, f"A{row}", title, title)
    sheet[f"E{row}"], sheet[f"E{row}"].font, sheet[f"E{row}"].alignment = words, style.HINT, style.INDENTED
