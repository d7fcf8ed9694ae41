import ast
import json
import re

import nbformat
import pytest
import records

from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.handin.notebook import notebook_source, read_cells
from reports.prose import TEMPLATES
from reports.view import Heading, view_page

TEMPLATE = (TEMPLATES / "handin" / "notebook.py").read_text(encoding="utf-8")


def page(heading=None, preset="class", learning_rate=1.0):
    return view_page(
        heading or Heading("A title", "Ada Lovelace"), compute_part1(PRESETS[preset], learning_rate), records.inputs()
    )


@pytest.fixture(scope="module")
def notebook():
    return json.loads(notebook_source(page()))


def test_it_is_a_valid_notebook_with_lasting_names(notebook):
    nbformat.validate(nbformat.from_dict(notebook))
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    assert names == re.findall(r"^# %% (?:\[markdown\] )?(\S+)$", TEMPLATE, re.MULTILINE)


def test_no_cell_has_run(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 10
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    for cell in code:
        ast.parse(cell["source"])


def test_cells_are_taken_apart():
    cells = read_cells("# a word before\n\n# %% [markdown] one\n# # Title\n#\n# text\n\n\n# %% two\nx = 1  # %% no\n\n")
    assert [(cell.name, cell.is_text, cell.source) for cell in cells] == [
        ("one", True, "# Title\n\ntext"),
        ("two", False, "x = 1  # %% no"),
    ]


@pytest.mark.parametrize(("preset", "learning_rate"), [("class", 1.0), ("mazur", 1e-7), ("class-0.01-0.99", 0.3)])
def test_it_is_about_the_run_that_the_page_shows(preset, learning_rate):
    cells = json.loads(notebook_source(page(preset=preset, learning_rate=learning_rate)))["cells"]
    settings = {}
    exec(next(cell["source"] for cell in cells if cell["id"] == "settings"), settings)
    assert (settings["PRESET"], settings["LEARNING_RATE"]) == (preset, learning_rate)


def test_hostile_names_stay_text():
    hostile = "<img src=x onerror=alert(1)> [x](https://example.org) `a` | *b* $c$ {{ page }}\n# d"
    cells = json.loads(notebook_source(page(Heading(hostile, hostile))))["cells"]
    lines = cells[0]["source"].splitlines()
    shown = [lines[0].removeprefix("# "), next(line for line in lines if line.startswith("by "))]
    for line in shown:
        assert "onerror" in line
        assert not re.search(r"(?<!\\)[<>\[\]`|*$#{}]", line)
    assert not any("onerror" in cell["source"] for cell in cells[1:])
