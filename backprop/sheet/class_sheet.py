"""The first sheet for a network of the class's shape: the class sheet, cell for cell, at its own places."""

from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import derive, slips
from backprop.network import Preset
from backprop.panels import panels
from backprop.printers.excel import ExcelPrinter
from backprop.printers.text import TextPrinter
from backprop.sheet import layout, style
from backprop.sheet.book import Book
from backprop.sheet.parameters import add_loss_chart, write_parameters, write_title
from backprop.sheet.picture import network_anchor
from backprop.sheet.table import Run, write_table


def write_class_sheet(book: Book, place: layout.TablePlace, run: Run) -> None:
    """Write table, panels, picture, notes and chart at the class sheet's places."""
    sheet = book.add_sheet(place.sheet)
    write_title(sheet, "Backpropagation of a 2-2-2 network, one training step a row")
    write_table(book, sheet, place, run)
    write_parameters(sheet, place, run, "F31")
    _write_fixed_biases(sheet, place, run.preset)
    _write_panels(sheet, run.preset)
    if run.preset.network.activation == "sigmoid":
        _write_notes(sheet, place, run)
    add_loss_chart(sheet, place, run, layout.LOSS_CHART)
    start = dict(zip(run.trace.columns, run.trace.values[0].tolist(), strict=True)) | dict(run.preset.values)
    book.set_shapes(sheet, network_anchor(run.preset.network, place, start))
    style.print_on_one_width(sheet)


def _write_fixed_biases(sheet: Worksheet, place: layout.TablePlace, preset: Preset) -> None:
    """Write the biases that stay as they are beside η."""
    for (label, cell), bias in zip(layout.BIASES, place.fixed_biases, strict=False):
        sheet[label], sheet[label].font, sheet[label].alignment = f"{bias} =", style.LABEL, style.RIGHT
        sheet[cell] = preset.values[bias]
        style.make_editable(sheet, cell, large=True)
        style.validate_numbers(sheet, [cell])


def _write_panels(sheet: Worksheet, preset: Preset) -> None:
    """Write the derivation as the class tells it; it is right there even where the class sheet's cells are not."""
    printer = TextPrinter()
    for panel in panels(derive(preset.network)):
        place = layout.PANELS[panel.number]
        sheet[place.number_cell], sheet[place.number_cell].font = panel.number, style.PANEL
        sheet[place.number_cell].alignment = style.LEFT
        if place.merged_number:
            sheet.merge_cells(place.line(-1))
        for index, line in enumerate(panel.lines):
            area = place.line(index)
            first = area.split(":")[0]
            sheet[first] = " = ".join(map(printer.print, line.terms))
            sheet[first].font = style.PANEL
        first_column, last_column = place.columns
        style.make_box(sheet, f"{first_column}{place.box_top}:{last_column}{place.first_row + len(panel.lines) - 1}")
        for index in range(len(panel.lines)):
            sheet.merge_cells(place.line(index))


def _write_notes(sheet: Worksheet, place: layout.TablePlace, run: Run) -> None:
    """Say on the two headers how the class sheet's formula differs."""
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
