"""Fonts, fills, borders, input rules and page set-up of the workbook."""

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from backprop.sheet.layout import GUIDE_SHEET

_SCALE = 71
"""Percent at which a sheet is printed: 10 points become 7, and 18 columns of a table fit the paper."""
_THIN = Side(style="thin", color="FF000000")
_GREY = Side(style="thin", color="FF9C8A3A")

TITLE = Font(name="Calibri", size=14, bold=True)
HINT = Font(name="Calibri", size=10, italic=True, color="FF595959")
LINK = Font(name="Calibri", size=11, underline="single", color="FF0563C1")
LABEL = Font(name="Calibri", size=11, bold=True)
PANEL = Font(name="Calibri", size=11)
HEADER = Font(name="Calibri", size=11, bold=True, color="FFFFFFFF")
EDITABLE = Font(name="Calibri", size=10, color="FF0000C0")
EDITABLE_LARGE = Font(name="Calibri", size=11, bold=True, color="FF0000C0")

BLACK = PatternFill("solid", fgColor="FF000000")
RED = PatternFill("solid", fgColor="FFC00000")
YELLOW = PatternFill("solid", fgColor="FFFFF2CC")

AGREES, DIFFERS = "agrees", "differs"
DATA, FIXED, SMALL, LONG = "Backprop number", "Backprop fixed", "Backprop small", "Backprop long"
ERROR_DATA, ERROR_SMALL = "Backprop error", "Backprop small error"
_LOOKS = {
    DATA: "General",
    FIXED: "0.000000",
    SMALL: "0.000E+00",
    LONG: "0.000000000E+00",
    ERROR_DATA: "General",
    ERROR_SMALL: "0.000E+00",
}
"""The formats of numbers by the names of styles: as many digits as fit, six of them, or some and a power of ten."""
CENTER = Alignment(horizontal="center")
LEFT = Alignment(horizontal="left")
INDENTED = Alignment(horizontal="left", indent=1)
RIGHT = Alignment(horizontal="right")
WRAP = Alignment(wrap_text=True, vertical="top")


def named_styles() -> tuple[NamedStyle, ...]:
    """Return the styles of the many cells; looking a name up is much quicker than comparing fonts."""
    plain, strong = Font(name="Calibri", size=10), Font(name="Calibri", size=10, bold=True, color="FFFFFFFF")
    looks = {name: (strong, RED) if name in (ERROR_DATA, ERROR_SMALL) else (plain, None) for name in _LOOKS}
    return tuple(
        NamedStyle(name, font=font, fill=fill, number_format=_LOOKS[name]) for name, (font, fill) in looks.items()
    )


def make_header(sheet: Worksheet, row: int, texts: list[str]) -> None:
    """Write a header row, white on black."""
    for column, text in enumerate(texts, start=1):
        cell = sheet.cell(row, column, text)
        cell.font, cell.fill, cell.alignment = HEADER, BLACK, CENTER


def make_editable(sheet: Worksheet, cell: str, *, large: bool = False) -> None:
    """Mark a cell as one that the reader may change."""
    sheet[cell].font = EDITABLE_LARGE if large else EDITABLE
    sheet[cell].fill = YELLOW
    sheet[cell].border = Border(_GREY, _GREY, _GREY, _GREY)
    sheet[cell].protection = Protection(locked=False)


def make_caption(cell: Cell | MergedCell, name: str, ink: str, *, is_typed: bool) -> None:
    """Show a number with its name before it, which the cell's format adds."""
    cell.font = Font(name="Calibri", size=10, color=f"FF{ink}")
    digits = "General" if is_typed else "0.000000"
    cell.number_format = f'"{name} = "{digits};"{name} = -"{digits}'  # one section alone puts the minus before the name
    cell.alignment = Alignment(horizontal="center", vertical="center", shrink_to_fit=True)


def make_box(sheet: Worksheet, area: str) -> None:
    """Draw a thin line around a range."""
    rows = list(sheet[area])
    for row in rows:
        for cell in row:
            cell.border = Border(
                left=_THIN if cell is row[0] else None,
                right=_THIN if cell is row[-1] else None,
                top=_THIN if row is rows[0] else None,
                bottom=_THIN if row is rows[-1] else None,
            )


def validate_learning_rate(sheet: Worksheet, cell: str) -> None:
    """Restrict a cell to positive numbers."""
    rule = DataValidation(type="decimal", operator="greaterThan", formula1="0", allow_blank=False)
    rule.promptTitle, rule.prompt = "Learning rate η", "Any positive number. The rows below follow at once."
    rule.errorTitle, rule.error = "Not a learning rate", "η must be a number above 0, such as 0.5."
    _add(sheet, rule, [cell])


def validate_step_size(sheet: Worksheet, cell: str) -> None:
    """Restrict a cell to small positive numbers."""
    rule = DataValidation(type="decimal", operator="between", formula1="0.000000001", formula2="0.1", allow_blank=False)
    rule.promptTitle, rule.prompt = "Nudge ε", "How far each weight is moved, such as 0.0001."
    rule.errorTitle, rule.error = "Not a nudge", "ε must be a number from 0.000000001 to 0.1."
    _add(sheet, rule, [cell])


def validate_iteration(sheet: Worksheet, cell: str, last: int) -> None:
    """Restrict a cell to the numbers of the table's iterations."""
    rule = DataValidation(type="whole", operator="between", formula1="0", formula2=str(last), allow_blank=False)
    rule.promptTitle, rule.prompt = "Iteration", f"Any row of the table, 0 to {last}."
    rule.errorTitle, rule.error = "Not an iteration", f"The table has the iterations 0 to {last}."
    _add(sheet, rule, [cell])


def colour_verdicts(sheet: Worksheet, area: str) -> None:
    """Colour cells green where they hold AGREES, and red where they hold anything else."""
    first = area.split(":")[0]
    for condition, colour in ((f'{first}="{AGREES}"', "FFC6EFCE"), (f'{first}<>"{AGREES}"', "FFFFC7CE")):
        fill = PatternFill("solid", bgColor=colour)
        sheet.conditional_formatting.add(area, FormulaRule(formula=[condition], fill=fill))  # type: ignore[no-untyped-call]


def validate_numbers(sheet: Worksheet, cells: list[str]) -> None:
    """Restrict cells to numbers."""
    rule = DataValidation(type="decimal", operator="between", formula1="-1E+300", formula2="1E+300", allow_blank=False)
    rule.promptTitle, rule.prompt = "Starting value", "Any number. The rows below follow at once."
    rule.errorTitle, rule.error = "Not a number", "Inputs, targets, weights and biases are numbers, such as 0.5."
    _add(sheet, rule, cells)


def _add(sheet: Worksheet, rule: DataValidation, cells: list[str]) -> None:
    rule.showErrorMessage = rule.showInputMessage = True
    sheet.add_data_validation(rule)
    for cell in cells:
        rule.add(cell)


def colour_errors(sheet: Worksheet, area: str) -> None:
    """Mark cells that hold an error such as #NUM!."""
    first, fill = area.split(":")[0], PatternFill("solid", bgColor="FFD9D9D9")
    rule = FormulaRule(formula=[f"ISERROR({first})"], font=Font(color="FF7F7F7F"), fill=fill)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(area, rule)


def link(sheet: Worksheet, cell: str, text: str, target: str) -> None:
    """Write a link to another sheet's first cell."""
    sheet[cell], sheet[cell].font = text, LINK
    sheet[cell].hyperlink = Hyperlink(ref=cell, location=f"'{target}'!A1", display=text)


def link_to_guide(sheet: Worksheet, cell: str) -> None:
    """Write the link back that every sheet but the guide has."""
    link(sheet, cell, f"→ {GUIDE_SHEET}", GUIDE_SHEET)


def print_in_groups(sheet: Worksheet, columns: int, header_row: int | None = None) -> None:
    """Set the sheet to print on landscape A4 in a size that can be read: groups of columns, a header on every page."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.scale = "landscape", 9, _SCALE
    for last in range(columns, sheet.max_column, columns):
        sheet.col_breaks.append(Break(id=last))
    sheet.print_options.headings = True
    _lay_out_page(sheet, header_row)


def print_on_one_width(sheet: Worksheet, header_row: int | None = None) -> None:
    """Set the sheet to print on landscape A4, one page wide, the header on every page."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    _lay_out_page(sheet, header_row)


def _lay_out_page(sheet: Worksheet, header_row: int | None) -> None:
    sheet.page_margins.left = sheet.page_margins.right = 0.3
    sheet.page_margins.top, sheet.page_margins.bottom, sheet.page_margins.footer = 0.4, 0.6, 0.3
    if sheet.oddFooter is not None:
        sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P of &N"
    if header_row is not None:
        sheet.print_title_rows = f"{header_row}:{header_row}"
