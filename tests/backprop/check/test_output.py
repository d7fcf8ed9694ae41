"""Findings as text, JSON and CSV: what was not read comes first, and foreign text stays in its line and cell."""

import csv
import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backprop.check.findings import CHART, FORMULA, UNREAD, Effect, FileReport, Finding, LearningRate, TableReport
from backprop.check.output import as_csv, as_json, as_text

RATE = LearningRate("G31", 0.5, "$G$31")
WRONG = Finding(FORMULA, "dE_dw3", "Z33:Z44", "=Z1", "=Z2", "a_h1 stands where a_h2 belongs", Effect(0.5, float("nan")))
GAP = Finding(UNREAD, "w7", "A32", None, None, "no column has a header that says w7")
ODD = Finding(CHART, "E_total", "W33", None, None, "the chart draws something else")


def table(*findings, sheet="Sheet1", fingerprint=""):
    return TableReport(sheet, "A32", 12, "2-2-2 sigmoid, no biases", 316, RATE, findings, (), fingerprint)


def summary(*findings):
    return as_text([FileReport("a.xlsx", None, (table(*findings),))], strict=False).splitlines()[1]


def test_the_summary_says_first_what_was_not_read_and_praises_right_tables_alone():
    assert summary().endswith("right            1      0  nothing wrong")
    assert summary(ODD).endswith("nothing wrong")
    assert summary(GAP).endswith("not read: no column has a header that says w7")
    assert "incomplete" in summary(GAP)
    both = summary(WRONG, GAP)
    assert "wrong " in both
    assert both.endswith("not read: no column has a header that says w7; ∂E/∂w3: a_h1 stands where a_h2 belongs")
    assert "nothing wrong" not in as_text([FileReport("b.xlsx", "cannot be read")], strict=False)


def test_equal_tables_name_each_others_files():
    reports = [
        FileReport(name, None, (table(fingerprint=mark),)) for name, mark in (("a", "1"), ("b", "2"), ("c", "1"))
    ]
    same = [file["tables"][0]["same_as"] for file in json.loads(as_json(reports))["files"]]
    assert same == [["c"], [], ["a"]]
    assert "The same formulas and numbers: a, c\n" in as_text(reports, strict=False)
    unknown = [FileReport(name, None, (table(),)) for name in "ab"]
    assert json.loads(as_json(unknown))["files"][0]["tables"][0]["same_as"] == []


def test_numbers_that_do_not_exist_are_null():
    (file,) = json.loads(as_json([FileReport("a", None, (table(WRONG),))]))["files"]
    (finding,) = file["tables"][0]["findings"]
    assert (finding["max_relative_error"], finding["max_total_error_shift"]) == (0.5, None)


texts = st.text(st.characters() | st.sampled_from("\r\n\t\0\x1b\u202e\u2028\ud800=+-@'\"`,;"), max_size=12)


@given(texts, texts)
@example("a", "\x1c+S)")
@example("a", " \0\ufeff\x85=1")
def test_foreign_text_stays_in_its_line_and_its_cell(name, words):
    finding = Finding(FORMULA, "h1", "A1", f"={words}", None, words)
    report = FileReport(name, None, (table(finding, sheet=words),))
    printed = as_text([report], strict=False)
    assert all(line.isprintable() for line in printed.split("\n"))
    assert len(printed.split("\n")) == 9
    assert json.loads(as_json([report]))["files"][0]["tables"][0]["findings"][0]["explanation"] == words
    as_json([report]).encode()
    as_csv([report]).encode()
    header, row = csv.reader(io.StringIO(as_csv([report]), newline=""))
    cells = dict(zip(header, row, strict=True))
    readable = words.encode("utf-8", "replace").decode().replace("?", "\ufffd")
    assert cells["explanation"].replace("?", "\ufffd").removeprefix("'") == readable.removeprefix("'")
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)


@pytest.mark.parametrize(
    ("report", "kinds", "verdicts"),
    [
        (FileReport("a", None, (table(), table(ODD))), ["ok", "ok", "chart"], {"right"}),
        (FileReport("a", None, (table(WRONG, GAP),)), ["formula", "unread"], {"wrong"}),
        (FileReport("a", None, (table(GAP),)), ["unread"], {"incomplete"}),
        (FileReport("a", "cannot be read"), ["error"], {"incomplete"}),
    ],
)
def test_csv_has_a_row_for_each_finding_right_table_and_unreadable_file(report, kinds, verdicts):
    rows = list(csv.DictReader(io.StringIO(as_csv([report]))))
    assert list(rows[0])[-2:] == ["verdict", "network"]
    assert [row["kind"] for row in rows] == kinds
    assert {row["verdict"] for row in rows} == verdicts
