import openpyxl
import pytest

from backprop.__main__ import main as backprop
from backprop.network import PRESETS
from reports.errors import ReportError
from reports.workbook_check import check_workbook


@pytest.fixture(scope="module")
def workbooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbooks")
    chosen = {
        "class": [],
        "eta": ["--learning-rate=0.5"],
        "mazur": ["--preset=mazur"],
        "taught": ["--as-taught"],
        "short": ["--iterations=1"],
    }
    for name, options in chosen.items():
        assert backprop(["workbook", *options, f"--output={folder / name}.xlsx"]) == 0
    return folder


@pytest.mark.parametrize(
    ("name", "preset", "rate"),
    [("class", "class", 1.0), ("short", "class", 1.0), ("eta", "class", 0.5), ("mazur", "mazur", 0.5)],
)
def test_the_pages_own_workbook_passes(workbooks, name, preset, rate):
    check_workbook(workbooks / f"{name}.xlsx", PRESETS[preset], rate)


@pytest.mark.parametrize(
    ("name", "preset", "rate", "difference"),
    [
        ("class", "class", 2.0, "η = 1 in cell G31, where the page has 2"),
        ("class", "class-0.01-0.99", 1.0, "t1 = 0.5 in cell A33, where the page has 0.01"),
        ("mazur", "class", 0.5, "t1 = 0.01 in cell A33, where the page has 0.5"),
        # The class sheet's slip moves this gradient by a four-thousandth.
        ("taught", "class", 1.0, "dE_dw3 = 0.000351868665 in cell Z33, where the page has 0.000351776322"),
    ],
)
def test_another_workbook_is_refused_with_what_differs(workbooks, name, preset, rate, difference):
    with pytest.raises(ReportError) as refused:
        check_workbook(workbooks / f"{name}.xlsx", PRESETS[preset], rate)
    assert difference in str(refused.value)
    assert f"python -m backprop workbook --preset {preset} --learning-rate {rate!r}" in str(refused.value)


def test_formulas_without_values_tell_nothing(workbooks, tmp_path):
    saved = tmp_path / "saved.xlsx"
    openpyxl.load_workbook(workbooks / "taught.xlsx").save(saved)  # drops what the formulas had come to
    check_workbook(saved, PRESETS["class"], 1.0)


def test_what_is_no_such_workbook_is_refused_in_one_line(tmp_path):
    for name, content in (("text.xlsx", b"not a workbook"), ("empty.xlsx", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ReportError, match="no readable workbook"):
            check_workbook(tmp_path / name, PRESETS["class"], 1.0)
    other = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(other)
    with pytest.raises(ReportError, match="no sheet"):
        check_workbook(other, PRESETS["class"], 1.0)
