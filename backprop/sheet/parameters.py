"""What every first sheet has: a title, η, cells to edit, and the loss chart."""

from openpyxl.worksheet.worksheet import Worksheet

from backprop.network import TOTAL_ERROR
from backprop.sheet import style
from backprop.sheet.chart import Curve, error_chart
from backprop.sheet.layout import COMPARISON_SHEET, TablePlace, iteration_cells
from backprop.sheet.table import Run


def write_title(sheet: Worksheet, title: str) -> None:
    """Say what the sheet is and what the reader may change."""
    sheet["A1"], sheet["A1"].font = title, style.TITLE
    yours = "Yellow cells are yours to change: η, targets, inputs, initial weights."
    hint = f"{yours} All else follows; “{COMPARISON_SHEET}” has six η of its own."
    sheet["A2"], sheet["A2"].font = hint, style.HINT


def write_parameters(sheet: Worksheet, place: TablePlace, run: Run, label: str) -> None:
    """Write η behind its label, and mark every cell that the reader may change."""
    network = run.preset.network
    sheet[label], sheet[label].font, sheet[label].alignment = "η =", style.LABEL, style.RIGHT
    sheet[place.learning_rate] = run.trace.learning_rate
    style.make_editable(sheet, place.learning_rate, large=True)
    style.validate_learning_rate(sheet, place.learning_rate)
    starts = [place.cell(name) for name in (*network.targets, *network.inputs, *network.parameters)]
    for cell in starts:
        style.make_editable(sheet, cell)
    style.validate_numbers(sheet, starts)


def add_loss_chart(sheet: Worksheet, place: TablePlace, run: Run, corners: tuple[str, str]) -> None:
    """Draw the table's own error curve."""
    errors = Curve(place.range(TOTAL_ERROR), run.trace.column(TOTAL_ERROR), TOTAL_ERROR)
    sheet.add_chart(error_chart("Loss", [errors], iteration_cells(place.iterations), corners))
