"""The first sheet, which holds the starting values: at the class sheet's places, or at general ones."""

from openpyxl.comments import Comment
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import derive, slips
from backprop.network import TOTAL_ERROR, Preset
from backprop.panels import panels
from backprop.printers.excel import ExcelPrinter
from backprop.printers.text import TextPrinter
from backprop.sheet import layout, style
from backprop.sheet.book import Book
from backprop.sheet.chart import ErrorCurve, error_chart
from backprop.sheet.picture import draw_network
from backprop.sheet.table import COLUMNS_ON_A_PAGE, Run, write_table


def write_class_sheet(book: Book, place: layout.TablePlace, run: Run) -> None:
    """Write table, panels, picture, notes and chart at the class sheet's places."""
    sheet = book.add_sheet(place.sheet)
    _write_title(sheet, "Backpropagation of a 2-2-2 network, one training step a row")
    write_table(book, sheet, place, run)
    _write_parameters(sheet, place, run, "F31")
    _write_fixed_biases(sheet, place, run.preset)
    _write_panels(sheet, run.preset)
    if set(run.preset.network.activations) == {"sigmoid"}:
        _write_notes(sheet, place, run)
    _add_loss_chart(book, sheet, place, run, layout.LOSS_CHART)
    draw_network(book, sheet, place, run)
    style.print_in_groups(sheet, COLUMNS_ON_A_PAGE, place.header_row)
    sheet.row_breaks.append(Break(id=place.header_row - 2))


def write_general_sheets(book: Book, place: layout.TablePlace, run: Run) -> None:
    """Write the table with its chart, and on a second sheet every equation in words, symbols and cells."""
    sheet = book.add_sheet(place.sheet)
    _write_title(sheet, f"Backpropagation of a {run.preset.network.description} network, one training step a row")
    write_table(book, sheet, place, run)
    _write_parameters(sheet, place, run, "A4")
    _add_loss_chart(book, sheet, place, run, layout.GENERAL_LOSS_CHART)
    style.print_in_groups(sheet, COLUMNS_ON_A_PAGE, place.header_row)
    _write_derivation(book.add_sheet(layout.DERIVATION_SHEET), place, run)


def _write_title(sheet: Worksheet, title: str) -> None:
    sheet["A1"], sheet["A1"].font = title, style.TITLE
    yours = "Yellow cells are yours to change: η, targets, inputs, initial weights."
    hint = f"{yours} All else follows; “{layout.COMPARISON_SHEET}” has six η of its own."
    sheet["A2"], sheet["A2"].font = hint, style.HINT
    style.link_to_guide(sheet, "A3")


def _write_parameters(sheet: Worksheet, place: layout.TablePlace, run: Run, label: str) -> None:
    """Write η beside its label, and mark every cell that the reader may change."""
    network = run.preset.network
    sheet[label], sheet[label].font, sheet[label].alignment = "η =", style.LABEL, style.RIGHT
    sheet[place.learning_rate] = run.trace.learning_rate
    style.make_editable(sheet, place.learning_rate, large=True)
    style.validate_learning_rate(sheet, place.learning_rate)
    starts = [place.cell(name) for name in (*network.targets, *network.inputs, *network.parameters)]
    for cell in starts:
        style.make_editable(sheet, cell)
    style.validate_numbers(sheet, starts)


def _add_loss_chart(book: Book, sheet: Worksheet, place: layout.TablePlace, run: Run, corners: tuple[str, str]) -> None:
    errors = ErrorCurve(place.range(TOTAL_ERROR), run.trace.column(TOTAL_ERROR), TOTAL_ERROR)
    words = f"E_total per iteration; the numbers stand in column {place.letter(TOTAL_ERROR)}"
    book.add_chart(sheet, error_chart("Loss", [errors], layout.iteration_cells(place.iterations), corners), words)


def _write_fixed_biases(sheet: Worksheet, place: layout.TablePlace, preset: Preset) -> None:
    """Write the biases that are not trained beside η."""
    for (label, cell), bias in zip(layout.BIASES, place.fixed_biases, strict=False):
        sheet[label], sheet[label].font, sheet[label].alignment = f"{bias} =", style.LABEL, style.RIGHT
        sheet[cell] = preset.values[bias]
        style.make_editable(sheet, cell, large=True)
        style.validate_numbers(sheet, [cell])


def _write_panels(sheet: Worksheet, preset: Preset) -> None:
    """Write the class sheet's panels; they follow the derivation even where the class sheet's cells do not."""
    printer = TextPrinter()
    for panel in panels(derive(preset.network)):
        place = layout.PANELS[panel.number]
        sheet[place.number_cell], sheet[place.number_cell].font = panel.number, style.PANEL
        sheet[place.number_cell].alignment = style.LEFT
        if place.merged_number:
            sheet.merge_cells(place.line(-1))
        for index, line in enumerate(panel.lines):
            first = place.line(index).split(":")[0]
            sheet[first] = " = ".join(map(printer.print, line.terms))
            sheet[first].font = style.PANEL
        style.make_box(sheet, place.box(len(panel.lines)))
        for index in range(len(panel.lines)):
            sheet.merge_cells(place.line(index))


def _write_notes(sheet: Worksheet, place: layout.TablePlace, run: Run) -> None:
    """Attach to two headers a note on how the class sheet's formula differs."""
    printer = ExcelPrinter(place.cell)
    for slip in slips(derive(run.preset.network)):
        taught, derived = printer.formula(slip.taught), printer.formula(slip.derived)
        what = f"{slip.used}·(1 - {slip.used}) where {slip.meant}·(1 - {slip.meant}) belongs"
        repeats_it = printer.formula(run.derivation.equation(slip.name).expression) == taught
        text = (
            f"As in the class sheet: {what}. Panel 6 and the derivation say\n{derived}"
            if repeats_it
            else f"The class sheet's cells have {what}:\n{taught}\nThis column follows the derivation and panel 6."
        )
        note = Comment(text, "Backprop")
        note.width, note.height = 420, 130
        sheet[f"{place.letter(slip.name)}{place.header_row}"].comment = note


def _write_derivation(sheet: Worksheet, place: layout.TablePlace, run: Run) -> None:
    sheet["A1"], sheet["A1"].font = "How every column follows from those before it", style.TITLE
    style.link_to_guide(sheet, "C1")
    style.make_header(sheet, 3, ["symbol", "equation", "what it is", f"as in row {place.first_row}"])
    for letter, width in (("A", 12), ("B", 64), ("C", 36), ("D", 64)):
        sheet.column_dimensions[letter].width = width
    text, excel = TextPrinter().print, ExcelPrinter(lambda name: place.reference(name, place.first_row)).formula
    derivation = run.derivation
    for row, equation in enumerate((*derivation.forward, *derivation.gradients, *derivation.updates), start=4):
        symbol, expression = equation.symbol, equation.expression
        contents = (text(symbol), text(expression), equation.meaning, excel(expression))
        for column, content in enumerate(contents, start=1):
            cell = sheet.cell(row, column, content)
            cell.style, cell.alignment, cell.data_type = style.DATA, style.WRAP, "s"
    sheet.freeze_panes = "A4"
    style.print_on_one_width(sheet, 3)
