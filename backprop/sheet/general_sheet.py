"""The first sheets for a network of any other shape: its table with a header of its own, and its derivation as text."""

from openpyxl.worksheet.worksheet import Worksheet

from backprop.derivation import Equation
from backprop.network import Network
from backprop.printers.excel import ExcelPrinter
from backprop.printers.text import TextPrinter
from backprop.sheet import layout, style
from backprop.sheet.book import Book
from backprop.sheet.parameters import add_loss_chart, write_parameters, write_title
from backprop.sheet.table import Run, write_table


def write_general_sheets(book: Book, place: layout.TablePlace, run: Run) -> None:
    """Write the table with its chart, and behind it every equation in words, symbols and cells."""
    sheet = book.add_sheet(place.sheet)
    write_title(sheet, f"Backpropagation of a {_shape(run.preset.network)} network, one training step a row")
    write_table(book, sheet, place, run)
    write_parameters(sheet, place, run, "A4")
    add_loss_chart(sheet, place, run, layout.GENERAL_LOSS_CHART)
    style.print_on_one_width(sheet, place.header_row)
    _write_derivation(book.add_sheet(layout.DERIVATION_SHEET), place, run)


def _shape(network: Network) -> str:
    sizes = "-".join(map(str, (len(network.inputs), *map(len, network.layers))))
    return f"{sizes} {network.activation}"


def _write_derivation(sheet: Worksheet, place: layout.TablePlace, run: Run) -> None:
    sheet["A1"], sheet["A1"].font = "How every column follows from those before it", style.TITLE
    style.make_header(sheet, 3, ["symbol", "equation", "what it is", f"as in row {place.first_row}"])
    for letter, width in (("A", 16), ("B", 110), ("C", 60), ("D", 110)):
        sheet.column_dimensions[letter].width = width
    derivation, text = run.derivation, TextPrinter()
    excel = ExcelPrinter(lambda name: place.reference(name, place.first_row))
    for row, equation in enumerate((*derivation.forward, *derivation.gradients, *derivation.updates), start=4):
        for column, content in enumerate(_cells(equation, text, excel), start=1):
            cell = sheet.cell(row, column, content)
            cell.style, cell.alignment, cell.data_type = style.DATA, style.WRAP, "s"
    sheet.freeze_panes = "A4"
    style.print_on_one_width(sheet, 3)


def _cells(equation: Equation, text: TextPrinter, excel: ExcelPrinter) -> tuple[str, ...]:
    expression = equation.expression
    return text.print(equation.symbol), text.print(expression), equation.meaning, excel.formula(expression)
