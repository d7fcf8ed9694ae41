import json
import math
import re
import zipfile
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
from agreement import REFERENCE, agrees, read_reference
from office import disagreements, read_values, recalculate
from openpyxl.utils import get_column_letter
from presets import invent

from backprop.derivation import as_taught, derive
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES
from backprop.networks.presets import PRESETS
from backprop.sheet.book import Book, fill_values
from backprop.sheet.chart import LOOKS
from backprop.sheet.layout import CLASS_SHEET, COMPARISON_SHEET, GUIDE_SHEET, curve_table, main_table
from backprop.sheet.package import MAIN
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from backprop.simulate import simulate

CLASS = PRESETS["class"]
MAZUR = PRESETS["mazur"]
TRAINED = replace(MAZUR, network=replace(MAZUR.network, trains_biases=True))
CLASS_FILE = json.loads((REFERENCE / "class_sheet.json").read_text())
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def write(path, preset=CLASS, learning_rate=1.0, iterations=68, taught=False):
    build_workbook(WorkbookOptions(preset, learning_rate, iterations, taught)).save(path)
    return path


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    return write(tmp_path_factory.mktemp("default") / "backprop.xlsx")


@pytest.fixture(scope="module")
def sheet(default):
    return openpyxl.load_workbook(default)[CLASS_SHEET]


CASES = {
    "default": {},
    "as taught": {"taught": True, "learning_rate": 0.5},
    "other targets": {"preset": PRESETS["class-0.01-0.99"], "learning_rate": 2.0, "iterations": 30},
    "mazur": {"preset": PRESETS["mazur"], "learning_rate": 0.5, "iterations": 100},
    "overflow": {"learning_rate": 1e8, "iterations": 6},
    "saturated": {"learning_rate": 1e6, "iterations": 6},
    "one row": {"iterations": 1},
    "biases updated": {"preset": TRAINED, "learning_rate": 0.5, "iterations": 30},
    "3-4-2 tanh": {"preset": invent((3, 4, 2), "tanh", biases="per neuron"), "iterations": 30},
    "2-3-2-1 relu": {"preset": invent((2, 3, 2, 1), "relu", biases="per neuron"), "iterations": 30},
    "2-2-2 relu": {"preset": invent((2, 2, 2), "relu"), "iterations": 30},
    "relu overflow": {
        "preset": invent((2, 2, 1), "relu"),
        "learning_rate": 1e200,
        "iterations": 9,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_libreoffice_computes_every_cell_that_we_stored(case, tmp_path):
    path = write(tmp_path / "backprop.xlsx", **CASES[case])
    stored = read_values(path)
    assert sum(map(len, stored.values())) > 31 * CASES[case].get("iterations", 68)
    assert disagreements(stored, recalculate(path, tmp_path)) == []


@pytest.mark.slow
def test_a_planted_false_value_is_found(default, tmp_path):
    planted = tmp_path / "planted.xlsx"
    with zipfile.ZipFile(default) as old, zipfile.ZipFile(planted, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = re.sub(rb'(r="W50"[^>]*><f>[^<]*</f><v>)', rb"\g<1>9", content)
            new.writestr(name, content)
    wrong = disagreements(read_values(planted), recalculate(planted, tmp_path))
    assert [(title, cell) for title, cell, _, _ in wrong] == [(CLASS_SHEET, "W50")]


@pytest.mark.parametrize("eta", SHEET_LEARNING_RATES)
def test_cached_values_are_the_reference_files(eta, default):
    columns, expected = read_reference(f"class_eta{eta:g}.csv")
    values = read_values(default)
    place = curve_table(SHEET_LEARNING_RATES.index(eta) + 1, main_table(derive(CLASS.network), len(expected)))
    got = [[values[place.sheet][place.cell(name, row)] for name in columns] for row in range(len(expected))]
    assert agrees(got, expected).all()


def test_cached_values_as_taught_are_the_class_files(tmp_path):
    columns, expected = read_reference("class_as_taught_eta1.csv")
    values = read_values(write(tmp_path / "taught.xlsx", taught=True))[CLASS_SHEET]
    place = main_table(derive(CLASS.network), len(expected))
    got = [[values[place.cell(name, row)] for name in columns] for row in range(len(expected))]
    assert agrees(got, expected).all()


def test_the_class_sheet_is_mirrored_cell_for_cell(sheet, tmp_path):
    taught = openpyxl.load_workbook(write(tmp_path / "taught.xlsx", taught=True))[CLASS_SHEET]
    theirs = {cell: value for cell, value in CLASS_FILE["cells"].items() if int(re.sub(r"\D", "", cell)) >= 31}
    follow = {f"{column}34": f"={column}33" for column in "ABCD"}  # the class repeats these as values
    for cell, value in theirs.items():
        expected = follow.get(cell, value.replace(" ", "") if str(value).startswith("=") else value)
        assert taught[cell].value == expected, cell
        if cell[:-2] not in ("Z", "AA"):
            assert sheet[cell].value == expected, cell
    assert sheet["Z33"].value == "=((R33-A33)*R33*(1-R33)*N33+(T33-B33)*T33*(1-T33)*P33)*L33*(1-L33)*C33"
    merged = {str(area) for area in sheet.merged_cells.ranges}
    in_picture = {area for area in merged if re.fullmatch(r"[A-I]([5-9]|1[0-4]):[A-I]\d+", area)}
    assert merged - in_picture == {*CLASS_FILE["merged"], "C21:H21"}
    assert not in_picture & set(CLASS_FILE["merged"])


def test_headers_errors_and_editable_cells_look_as_they_should(sheet):
    assert {sheet.cell(32, column).fill.fgColor.rgb for column in range(1, 32)} == {"FF000000"}
    assert {sheet.cell(32, column).font.color.rgb for column in range(1, 32)} == {"FFFFFFFF"}
    assert {sheet[f"W{row}"].fill.fgColor.rgb for row in range(33, 101)} == {"FFC00000"}
    yellow = {c.coordinate for row in sheet.iter_rows() for c in row if c.fill.fgColor.rgb == "FFFFF2CC"}
    assert yellow == {"G31", *(f"{column}33" for column in "ABCDEFGHMNOP")}
    rules = {
        str(rule.sqref): (rule.type, rule.operator, rule.formula1) for rule in sheet.data_validations.dataValidation
    }
    assert rules["G31"] == ("decimal", "greaterThan", "0")


def test_tables_print_in_groups_of_columns_that_can_be_read(default):
    book = openpyxl.load_workbook(default)
    curves = [f"Curve {n}" for n in range(1, 7)]
    assert book.sheetnames == [CLASS_SHEET, GUIDE_SHEET, COMPARISON_SHEET, *curves, "Check"]
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == ("&A", "&P of &N")
        assert sheet.freeze_panes == ("E5" if sheet.title in curves else None)
        if sheet.title in (GUIDE_SHEET, COMPARISON_SHEET):
            assert (sheet.page_setup.fitToWidth, sheet.sheet_properties.pageSetUpPr.fitToPage) == (1, True)
        else:
            size = min(cell.font.size for row in sheet.iter_rows() for cell in row if cell.value is not None)
            assert size * sheet.page_setup.scale / 100 >= 7
    for title in (CLASS_SHEET, *curves):
        sheet = book[title]
        assert [mark.id for mark in sheet.col_breaks.brk] == [18]
        paper = 297 / 25.4 - sheet.page_margins.left - sheet.page_margins.right
        widths = [sheet.column_dimensions[get_column_letter(n)].width for n in range(1, 19)]
        pixels = sum(int(width * 7 + 5) for width in widths) + 30  # of Calibri 11, and the row numbers
        assert pixels / 96 * sheet.page_setup.scale / 100 <= paper


@pytest.mark.parametrize(
    ("sizes", "iterations", "words"),
    [
        ((50, 50, 50, 50, 11), 68, "a 50-50-50-50-11 network needs 16,495 columns; a sheet has 16,384"),
        ((20, 40, 20), 1000, "23,667,000 cells, more than 3,000,000: give --iterations 126 or fewer"),
    ],
)
def test_what_no_workbook_can_hold_is_refused_before_any_work(sizes, iterations, words, monkeypatch):
    monkeypatch.setattr("backprop.sheet.workbook.derive", lambda network: pytest.fail("it was derived"))
    with pytest.raises(BackpropError, match=words):
        build_workbook(WorkbookOptions(invent(sizes), 0.5, iterations))


@pytest.mark.parametrize("preset", [*PRESETS.values(), invent((3, 4, 2), "tanh", "per neuron"), TRAINED])
def test_the_columns_are_counted_without_deriving(preset, monkeypatch):
    monkeypatch.setattr("backprop.sheet.layout.MAX_COLUMNS", 0)
    with pytest.raises(BackpropError, match=f"needs {len(derive(preset.network).columns)} columns"):
        build_workbook(WorkbookOptions(preset, 0.5, 2))


def test_the_guide_links_to_every_sheet_and_tells_what_they_say(default):
    guide, values = openpyxl.load_workbook(default)[GUIDE_SHEET], read_values(default)
    links = {cell.value: cell.hyperlink.location for row in guide.iter_rows() for cell in row if cell.hyperlink}
    book = openpyxl.load_workbook(default)
    assert links == {title: f"'{title}'!A1" for title in book.sheetnames if title != GUIDE_SHEET}
    for sheet in book:
        back = {c.hyperlink.location for row in sheet.iter_rows(max_row=3) for c in row if c.hyperlink}
        assert back == (set() if sheet.title == GUIDE_SHEET else {f"'{GUIDE_SHEET}'!A1"})
    assert [values[GUIDE_SHEET][f"B{row}"] for row in range(7, 14)] == [1.0, *SHEET_LEARNING_RATES]
    texts = " ".join(str(value) for value in values[GUIDE_SHEET].values())
    assert "8 of 8 gradients agree" in texts
    assert "68 of 68 rows agree" in texts
    assert "python -m backprop workbook --network class --learning-rate 1.0 --iterations 68" in texts


def test_rates_have_names_and_the_document_an_author(tmp_path):
    path = tmp_path / "named.xlsx"
    options = WorkbookOptions(CLASS, 1.0, 3, author="A.\x01<Student>\udc80")
    path.write_bytes(build_workbook(options).book.to_bytes())
    book = openpyxl.load_workbook(path)
    names = {name: defined.attr_text for name, defined in book.defined_names.items()}
    rates = {f"eta_{n}": f"'{COMPARISON_SHEET}'!$B${n + 4}" for n in range(1, 7)}
    assert names == {"eta": f"'{CLASS_SHEET}'!$G$31", **rates}
    assert (book.properties.creator, book.properties.title) == ("A. <Student> ", "Backpropagation of a 2-2-2 network")


def test_a_protected_workbook_leaves_the_yellow_cells_open(tmp_path):
    path = tmp_path / "protected.xlsx"
    path.write_bytes(build_workbook(WorkbookOptions(CLASS, 1.0, 3, protected=True)).book.to_bytes())
    for sheet in openpyxl.load_workbook(path):
        assert sheet.protection.sheet
        assert sheet.protection.password is None
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.protection.locked == (cell.fill.fgColor.rgb != "FFFFF2CC"), cell
    assert not any(sheet.protection.sheet for sheet in build_workbook(WorkbookOptions(CLASS, 1.0, 3)).book.sheets)


def test_charts_tell_their_curves_apart_without_colour(default):
    with zipfile.ZipFile(default) as archive:
        charts = [archive.read(f"xl/charts/chart{n}.xml").decode() for n in (2, 3)]
        drawings = [archive.read(f"xl/drawings/drawing{n}.xml").decode() for n in (1, 2)]
    for chart in charts:
        series = re.findall(r"<c:ser>.*?</c:ser>", chart)
        dashes = [set(re.findall(r'prstDash val="(\w+)"', one)) for one in series]
        symbols = [set(re.findall(r'symbol val="(\w+)"', one)) - {"none"} for one in series]
        assert all(map(len, dashes + symbols))
        assert len({*map(frozenset, dashes)}) == len({*map(frozenset, symbols)}) == 6
    assert "<c:logBase" in charts[1]
    assert all(re.search(r'<xdr:graphicFrame.*?descr="E_total per iteration', drawing) for drawing in drawings)


def test_the_notes_quote_both_formulas(sheet, tmp_path):
    assert "=((R33-A33)*R33*(1-R33)*N33+(T33-B33)*T33*(1-T33)*P33)*J33*(1-J33)*C33" in sheet["Z32"].comment.text
    assert "a_h1·(1 - a_h1) where a_h2·(1 - a_h2) belongs" in sheet["AA32"].comment.text
    assert sum(cell.comment is not None for row in sheet.iter_rows() for cell in row) == 2
    taught = openpyxl.load_workbook(write(tmp_path / "t.xlsx", taught=True))[CLASS_SHEET]
    assert "*L33*(1-L33)*C33" in taught["Z32"].comment.text


def charts_of(path):
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name))
        return [ElementTree.fromstring(archive.read(name)) for name in names]


def points(series, kind):
    cache = series.find(f"{CHART}{kind}//{CHART}numCache")
    return {int(p.attrib["idx"]): float(p.find(f"{CHART}v").text) for p in cache.iter(f"{CHART}pt")}


def test_charts_show_the_errors_before_anything_recalculates(default):
    loss, comparison, logarithmic = charts_of(default)
    (series,) = loss.iter(f"{CHART}ser")
    assert series.find(f"{CHART}yVal//{CHART}f").text == f"'{CLASS_SHEET}'!$W$33:$W$100"
    _, expected = read_reference("class_eta1.csv")
    assert agrees(list(points(series, "yVal").values()), expected[:, 22]).all()
    assert list(points(series, "xVal").values()) == list(range(68))
    for eta, series in zip(SHEET_LEARNING_RATES, comparison.iter(f"{CHART}ser"), strict=True):
        number = SHEET_LEARNING_RATES.index(eta) + 1
        assert series.find(f"{CHART}yVal//{CHART}f").text == f"'Curve {number}'!$W$5:$W$72"
        assert series.find(f"{CHART}tx//{CHART}f").text == f"{COMPARISON_SHEET}!$C${4 + number}"
        assert series.find(f"{CHART}tx//{CHART}v").text == f"η = {eta:g}"
        assert agrees(list(points(series, "yVal").values()), read_reference(f"class_eta{eta:g}.csv")[1][:, 22]).all()
    for chart in (loss, comparison, logarithmic):
        assert [axis.attrib["val"] for axis in chart.iter(f"{CHART}delete")] == ["0", "0"]


def test_an_overflow_is_num_in_cells_and_a_gap_in_the_chart(tmp_path):
    path = write(tmp_path / "overflow.xlsx", learning_rate=1e8, iterations=6)
    values = read_values(path)[CLASS_SHEET]
    assert values["W33"] == pytest.approx(0.014181377937891657)
    assert values["W34"] == "#NUM!"
    assert math.isfinite(values["E34"])
    series = next(charts_of(path)[0].iter(f"{CHART}ser"))
    assert series.find(f"{CHART}yVal//{CHART}ptCount").attrib["val"] == "6"
    assert points(series, "yVal").keys() == {0}


def test_edits_on_sheet_one_and_on_the_comparison_are_followed_everywhere(default, tmp_path):
    edited = {"t1": 0.3, "t2": 0.8, "i1": 0.7, "i2": -0.4, "w1": -1.5, "w4": 2.0, "w6": 0.1, "w7": -0.9}
    preset = replace(CLASS, values=MappingProxyType({**CLASS.values, **edited}))
    derivation = derive(CLASS.network)
    book = openpyxl.load_workbook(default)
    place = main_table(derivation, 68)
    for name, value in edited.items():
        book[CLASS_SHEET][place.cell(name)] = value
    book[CLASS_SHEET][place.learning_rate] = 0.25
    book[COMPARISON_SHEET]["B7"] = 3.5
    book.save(tmp_path / "edited.xlsx")
    computed = recalculate(tmp_path / "edited.xlsx", tmp_path)
    for table, eta in ((place, 0.25), (curve_table(3, place), 3.5), (curve_table(1, place), 0.1)):
        trace = simulate(derivation, preset, eta, 68)
        got = [[computed[table.sheet][table.cell(name, row)] for name in trace.columns] for row in range(68)]
        assert agrees(got, trace.values).all()
    assert computed[COMPARISON_SHEET]["C7"] == "η = 3.5"
    pictured = {cell: computed[CLASS_SHEET][cell] for cell in ("A5", "G5", "B6")}
    assert pictured == {"A5": edited["i1"], "G5": edited["t1"], "B6": edited["w1"]}


@pytest.mark.slow
def test_iterations_extend_every_table_and_chart(tmp_path):
    path = write(tmp_path / "long.xlsx", iterations=200)
    values = read_values(path)
    trace = simulate(as_taught(derive(CLASS.network)), CLASS, 1.0, 200)
    assert values[CLASS_SHEET]["W232"] == pytest.approx(trace.column("E_total")[-1], rel=1e-3)
    assert all(f"AE{204}" in values[f"Curve {n}"] and f"AE{205}" not in values[f"Curve {n}"] for n in range(1, 7))
    for chart in charts_of(path):
        assert {count.attrib["val"] for count in chart.iter(f"{CHART}ptCount")} <= {"200", "1"}


def test_the_same_options_give_the_same_bytes(tmp_path):
    first, second = (write(tmp_path / f"{n}.xlsx", iterations=5).read_bytes() for n in (1, 2))
    assert first == second


SIGHTS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "all colours": np.eye(3),
}
"""How light is seen (Machado, Oliveira and Fernandes, 2009), as matrices of linear RGB."""
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def light_of(colour):
    channels = np.array([int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab_of(light):
    ratios = TO_XYZ @ np.clip(light, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_curves_colours_stay_apart(sight):
    seen = [lab_of(np.array(SIGHTS[sight]) @ light_of(colour)) for colour, *_ in LOOKS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20
    assert all(1.05 / ((TO_XYZ @ light_of(colour))[1] + 0.05) > 3 for colour, *_ in LOOKS)


def test_the_picture_shows_live_numbers_in_cells_that_are_empty_on_the_class_sheet(default, sheet):
    pictured = {c.coordinate: c for row in sheet["A5:I14"] for c in row if c.value is not None}
    assert not pictured.keys() & CLASS_FILE["cells"].keys()
    assert {c.value for c in pictured.values()} == {f"={column}33" for column in "ABCDEFGHMNOPUVW"}
    for name, cell in (("i1", "A5"), ("w5", "E6"), ("t1", "G5"), ("E_tot", "H12")):
        assert pictured[cell].number_format.startswith(f'"{name} = "')
        assert f"{sheet[pictured[cell].value[1:-2] + '32'].value}" == name
    with zipfile.ZipFile(default) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
    assert not re.search(r'textlink="[^"]', drawing)
    assert "grpSp" not in drawing
    assert re.findall(r'cNvPr id="(\d+)"', drawing) == sorted(set(re.findall(r'cNvPr id="(\d+)"', drawing)), key=int)


def parse(cells):
    return ElementTree.fromstring(f'<sheetData xmlns="{MAIN}">{cells}</sheetData>')


def test_a_formula_without_a_value_is_refused():
    sheet = parse('<c r="A1"><f>1+1</f><v /></c>')
    fill_values(sheet, {"A1": 2.0})
    assert [(part.tag, part.text) for part in sheet[0]] == [(f"{{{MAIN}}}f", "1+1"), (f"{{{MAIN}}}v", "2.0")]
    with pytest.raises(KeyError):
        fill_values(sheet, {})
    with pytest.raises(ValueError, match="another way"):
        fill_values(parse('<c r="A1"><v>2</v></c>'), {"A1": 2.0})


def test_results_say_whether_they_are_texts_numbers_or_errors():
    sheet = parse("".join(f'<c r="{cell}"><f>B1</f></c>' for cell in ("A1", "A2", "A3")))
    fill_values(sheet, {"A1": "a < b", "A2": 0.1, "A3": math.nan})
    assert [(cell.get("t"), cell[-1].text) for cell in sheet] == [("str", "a < b"), (None, "0.1"), ("e", "#NUM!")]


def test_a_book_knows_that_shapes_need_a_drawing():
    book = Book()
    book.set_shapes(book.add_sheet("empty"), "<anchor/>")
    with pytest.raises((ValueError, KeyError)):
        book.to_bytes()


def test_numbers_survive_bit_for_bit(default):
    trace = simulate(derive(CLASS.network), CLASS, 1.0, 68)
    place = main_table(derive(CLASS.network), 68)
    values = read_values(default)[CLASS_SHEET]
    got = np.array([[values[place.cell(name, row)] for name in trace.columns] for row in range(68)])
    assert np.array_equal(got, trace.values)


def verdicts(values, area):
    """Give {row: verdict} of one column of the check sheet."""
    column, first, last = area
    return {row: values["Check"][f"{column}{row}"] for row in range(first, last + 1)}


@pytest.mark.parametrize("picked", [0, 30, 67])
def test_the_check_sheet_confirms_the_gradients_of_any_row(picked, default, tmp_path):
    book = openpyxl.load_workbook(default)
    book["Check"]["B4"] = picked
    book.save(tmp_path / "picked.xlsx")
    computed = recalculate(tmp_path / "picked.xlsx", tmp_path)
    trace = simulate(derive(CLASS.network), CLASS, 1.0, 68)
    shown = [computed["Check"][f"C{row}"] for row in range(11, 19)]
    assert agrees(shown, [trace.column(f"dE_dw{n}")[picked] for n in range(1, 9)]).all()
    assert set(verdicts(computed, ("H", 11, 18)).values()) == {"agrees"}
    assert computed["Check"]["B7"].startswith("68 of 68")


def test_the_check_sheet_accuses_the_class_sheets_slip(tmp_path):
    computed = recalculate(write(tmp_path / "taught.xlsx", taught=True), tmp_path)
    wrong = [row for row, verdict in verdicts(computed, ("H", 11, 18)).items() if verdict == "differs"]
    assert [computed["Check"][f"A{row}"] for row in wrong] == ["w3", "w4"]
    assert not computed["Check"]["B7"].startswith("68 of 68")


def test_the_check_sheet_tells_when_the_learning_rate_is_no_longer_the_files(default, tmp_path):
    book = openpyxl.load_workbook(default)
    book[CLASS_SHEET]["G31"] = 0.9
    book.save(tmp_path / "edited.xlsx")
    computed = recalculate(tmp_path / "edited.xlsx", tmp_path)
    assert computed["Check"]["B7"].startswith("1 of 68")
    assert set(verdicts(computed, ("H", 11, 18)).values()) == {"agrees"}
