import base64
import io
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import matplotlib.image
import nbformat
import pytest
import records
from agreement import REFERENCE, read_number, read_reference

from backprop.errors import BackpropError
from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.build import Extent, build
from reports.cli import main as reports
from reports.errors import ReportError
from reports.handin import notebook as module
from reports.handin.archives import project_wheel
from reports.handin.notebook import execute
from reports.inputs import read_inputs
from reports.view import Heading

HEADING = Heading("A title", "Ada Lovelace")


def snapshot(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def folder(handed_in):
    return handed_in[0] / "handin"


@pytest.fixture(scope="module")
def cells(folder):
    return {cell["id"]: cell for cell in nbformat.read(folder / "S6.ipynb", as_version=4).cells}


def shown(cell):
    """Put everything that a cell shows as text into one."""
    texts = []
    for output in cell["outputs"]:
        texts.append(output["text"] if output["output_type"] == "stream" else output["data"].get("text/markdown", ""))
    return "\n".join(texts)


def texts(cell):
    """Give the source of a cell and all of its output that is no picture."""
    outputs = cell.get("outputs", [])
    streams = [output.get("text", "") for output in outputs]
    data = [content for output in outputs for kind, content in output.get("data", {}).items() if kind != "image/png"]
    return "\n".join([cell["source"], *streams, *data])


def rows(cell):
    """Give the cells of the tables that a cell shows, without their headers."""
    lines = [line for line in shown(cell).splitlines() if line.startswith("|")]
    return [[field.strip().replace("\\", "") for field in line.strip("|").split("|")] for line in lines][2:]


def test_same_inputs_same_bytes(handed_in):
    one, other = map(snapshot, handed_in)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    assert {"report.html", "backprop.xlsx", "handin.zip", "handin/S6.ipynb", "handin/pictures/sheet.png"} <= one.keys()


def test_every_cell_has_run_without_a_complaint(folder, cells):
    nbformat.validate(nbformat.read(folder / "S6.ipynb", as_version=4))
    code = [cell for cell in cells.values() if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert all(output.output_type != "error" and output.get("name") != "stderr" for output in cell.outputs), cell.id


def test_nothing_of_the_machine_or_the_clock_is_in_it(folder, cells):
    text = (folder / "S6.ipynb").read_text(encoding="utf-8")
    for folder_of_ours in (tempfile.gettempdir(), str(Path.home()), str(Path(__file__).parents[2])):
        assert f"{folder_of_ours}/" not in text
    assert "iopub" not in text
    # An object's address; pictures are left out, whose letters may spell anything.
    assert not [cell.id for cell in cells.values() if re.search(r"\b0x[0-9a-f]{6,}", texts(cell))]
    assert all(not cell.metadata for cell in cells.values())


def test_the_equations_are_shown_as_latex(cells):
    formulas = [output.data["text/latex"] for output in cells["derivation"].outputs if "text/latex" in output.data]
    assert len(formulas) == 6
    assert r"\sigma\left(h_{1}\right) = \frac{1}{1 + e^{- h_{1}}}" in formulas[0]
    assert all(formula.count("{") == formula.count("}") and "&=" in formula for formula in formulas)
    assert [row[-1] for row in rows(cells["proof"])] == ["yes"] * 9


def test_the_table_shows_the_reference_run(cells):
    header, exact = read_reference("class_eta1.csv")
    table = {name: values for name, *values in rows(cells["table"])}
    for name, values in table.items():
        for iteration, value in zip((0, 1, 2, 3, 4, 67), values, strict=True):
            expected = exact[iteration, header.index(name)]
            assert read_number(value) == pytest.approx(expected, rel=6e-9), (name, iteration)
    assert len(table) == 31


def test_torch_agrees(cells):
    count, difference = re.match(r"(\d+) gradients; .* (\S+)$", shown(cells["autograd"]).strip()).groups()
    assert int(count) == 8 * 68
    assert 0 < float(difference) < 1e-11


def test_the_error_at_each_learning_rate_is_the_reference_one(cells):
    found = {row[0]: read_number(row[1]) for row in rows(cells["rates-table"])}
    assert list(found) == ["0.1", "0.2", "0.5", "0.8", "1", "2"]
    for rate, error in found.items():
        header, exact = read_reference(f"class_eta{rate}.csv")
        assert error == pytest.approx(exact[-1, header.index("E_total")], rel=5e-6)


def test_every_figure_is_there_with_words_for_it(cells):
    count = dict.fromkeys(("network", "rates", "rates-one-by-one", "curves", "confusion", "mistakes"), 0)
    for name in count:
        for output in cells[name].outputs:
            if "image/png" in output.get("data", {}):
                picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(output.data["image/png"])))
                assert picture[:, :, :3].std() > 0.02, name
                if name != "mistakes":
                    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
                    assert len(output.data["text/plain"]) > 20, name
                count[name] += 1
    assert count == {
        "network": 1,
        "rates": 2,
        "rates-one-by-one": 6,
        "curves": 2,
        "confusion": 1,
        "mistakes": 1,
    }


def test_part_2_tells_the_records(cells):
    assert shown(cells["summary"]).strip() == (REFERENCE / "model-summary.txt").read_text().strip()
    history, evaluation = records.history(), records.evaluation()
    log = rows(cells["log"])
    assert [int(row[0]) for row in log] == [record.epoch for record in history.epochs]
    assert [float(row[6].removesuffix("%")) for row in log] == [
        pytest.approx(100 * record.test_accuracy, abs=0.005) for record in history.epochs
    ]
    assert "class ConvNet(nn.Sequential):" in texts(cells["network-code"])
    assert "self.optimizer.step(" in texts(cells["step-code"])
    assert f"Recorded: {evaluation.correct} of 10000" in shown(cells["test"])
    assert "MNIST is not in data/" in shown(cells["test"])
    assert [row[2] for row in rows(cells["results"])] == ["reached"] * 3


def test_the_exported_weights_make_the_recorded_mistakes(cells):
    mistakes = len(records.evaluation().misclassified)
    again, difference = shown(cells["weights"]).splitlines()
    assert again == f"{mistakes} of the {mistakes} recorded mistakes are made again"
    assert float(re.search(r"by (\S+) at most", difference)[1]) < 1e-5


def test_the_archive_is_the_folder(folder):
    with zipfile.ZipFile(folder.parent / "handin.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert packed == {f"handin/{name}": content for name, content in snapshot(folder).items()}
    assert list(packed) == sorted(packed)


def test_the_readme_links_to_what_is_there_and_names_all_of_it(folder):
    readme = (folder / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert {"S6.ipynb", "backprop.xlsx", "report.html"} <= set(links)
    for link in links:
        assert (folder / link).is_file(), link
    tree = re.search(r"^```\n\.\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[1]
    assert sorted(line.split()[1] for line in tree.splitlines()) == sorted(path.name for path in folder.iterdir())


# What happens when everything, or nothing, is as it was.


@pytest.fixture
def other(handed_in, tmp_path):
    return Path(shutil.copytree(handed_in[1], tmp_path / "out"))


@pytest.fixture
def executions(monkeypatch):
    made = []
    monkeypatch.setattr(module, "execute", lambda *_: made.append(1) or b"{}")
    return made


def made_again(other, heading=HEADING, notebook=True):
    extent = Extent(notebook, other / "nothing")
    return build(heading, compute_part1(PRESETS["class"], 1.0), read_inputs(other), other, extent).notebook


def test_the_notebook_runs_once(other, executions):
    before = snapshot(other)
    assert made_again(other)
    assert executions == []
    assert snapshot(other) == before


def test_building_the_page_keeps_a_notebook_that_fits(other, executions):
    before = snapshot(other)
    assert made_again(other, notebook=False)
    assert executions == []
    assert snapshot(other) == before


def test_one_that_does_not_fit_is_left_out(other, executions, capsys):
    assert reports(["build", f"--output={other}", "--title=Another title", f"--data={other}/nothing"]) == 0
    assert "notebook and handin.zip belonged to another page" in capsys.readouterr().out
    assert executions == []
    assert not (other / "handin" / "S6.ipynb").exists()
    assert not list((other / "handin").glob("*.whl"))
    assert not (other / "handin.zip").exists()
    readme = (other / "handin" / "README.md").read_text(encoding="utf-8")
    assert "S6.ipynb" not in readme


def test_a_failing_notebook_leaves_everything_as_it_was(other, monkeypatch):
    before = snapshot(other)

    def fails(*_):
        raise ReportError("S6.ipynb stops")

    monkeypatch.setattr(module, "execute", fails)
    with pytest.raises(ReportError):
        made_again(other, Heading("A third title"))
    assert snapshot(other) == before


def test_other_inputs_make_it_run_again(other, executions):
    assert made_again(other, Heading("Another title"))
    assert executions == [1]
    assert (other / "handin" / "S6.ipynb").read_bytes() == b"{}"


def test_weights_of_another_checkpoint_are_refused(other):
    path = other / "mnist" / "weights.json"
    text = path.read_text()
    path.write_text(text.replace(records.evaluation().checkpoint_sha256, "0" * 64))
    with pytest.raises(BackpropError, match="make report"):
        made_again(other)
    path.unlink()
    with pytest.raises(BackpropError, match="make report"):
        made_again(other)
    path.write_text(text)


def small_notebook(*sources):
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": s, "execution_count": None, "outputs": []}
        for n, s in enumerate(sources, 1)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_a_failing_cell_is_named_in_one_line_and_runs_on_the_wheel(tmp_path):
    source = small_notebook(
        "from pathlib import Path\nimport backprop",
        "raise ValueError(Path(backprop.__file__).parents[1].name,\n Path('results/x').read_text())",
        "never = 1",
    )
    with pytest.raises(ReportError) as raised:
        execute(source, {"results/x": b"beside"}, project_wheel(tmp_path), tmp_path)
    assert (
        str(raised.value)
        == "S6.ipynb stops in its cell “cell-2” (ValueError: ('project', 'beside')): nothing was written"
    )
