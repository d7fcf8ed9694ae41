"""A made-up workbook with a wrong sheet of the exercise and all that a copy must not lose."""

import io
import zipfile

import openpyxl
from checks import changed
from openpyxl.chart import ScatterChart, Series
from openpyxl.chart.reference import Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as Picture
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from PIL import Image
from sheets import EXPRESSIONS, SheetPlan, write_sheet

MACROS = bytes(range(256)) * 40
WRONG = {("dE_dw3", 0): -EXPRESSIONS["dE_dw3"], ("E1", 2): EXPRESSIONS["E2"]}
OLD_NOTE = "Remember: the class sheet has it otherwise"


def write_rich_book(path, plan=None):
    """Write the workbook as .xlsm; returns the address of each quantity at each row index."""
    plan = plan or SheetPlan(rows=6, wrong=WRONG, typed={("w5", 3): 0.123})
    address = write_sheet(path, plan)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet.title = "It's <mine> & yours"
    sheet[address("dE_dw3", 0)].comment = Comment(OLD_NOTE, "Ada")
    sheet["A1"].comment = Comment("a title", "Grace")
    sheet["A1"].font, sheet["A1"].fill = Font(bold=True, color="FF112233"), PatternFill("solid", fgColor="FFEEDDCC")
    chart = ScatterChart()
    column = openpyxl.utils.cell.coordinate_from_string(address("E_total", 0))[0]
    number = openpyxl.utils.column_index_from_string(column)
    chart.series.append(Series(Reference(sheet, number, plan.top + 1, number, plan.top + plan.rows)))
    sheet.add_chart(chart, "A2")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 60)).save(picture, "PNG")
    sheet.add_image(Picture(picture), "J2")
    sheet.conditional_formatting.add(address("E1", 0), CellIsRule("greaterThan", ["1"], font=Font(bold=True)))
    rule = DataValidation("decimal", "between", "0", "1")
    rule.add(address("w1", 0))
    sheet.add_data_validation(rule)
    sheet.print_area = "A1:AF60"
    sheet.oddFooter.center.text = "page &P"
    book.defined_names["answer"] = DefinedName("answer", attr_text="Notes!$B$2")
    notes = book.create_sheet("Notes")
    for row in (["name", "value"], ["answer", 42], ["twice", "=2*answer"]):
        notes.append(row)
    notes.add_table(Table(displayName="Values", ref="A1:B3"))
    book.create_sheet("Hidden").sheet_state = "hidden"
    book.save(path)
    return address


def add_macros(source, target):
    """Copy a workbook with macros, settings of a printer and a part that no program knows."""

    def change(parts):
        parts["xl/vbaProject.bin"] = MACROS
        parts["xl/printerSettings/printerSettings1.bin"] = MACROS[::-1]
        parts["customXml/item1.xml"] = b"<mine xmlns='urn:mine'>\xc3\xa9</mine>"
        macro = b'<Relationship Id="rIdM" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
        name = "xl/_rels/workbook.xml.rels"
        parts[name] = parts[name].replace(b"</Rel", macro + b'Target="vbaProject.bin"/></Rel', 1)
        binary = b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
        types = parts["[Content_Types].xml"].replace(b"</Types>", binary)
        kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
        parts["[Content_Types].xml"] = types.replace(kind, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")

    return changed(source, target, change)


def read_parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
