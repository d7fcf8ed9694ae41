"""The seven engines against each other, and a comparison that notices when one of them is wrong."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from presets import invent
from programs import require

from backprop.crosscheck import engines
from backprop.crosscheck.comparison import all_cases, compare
from backprop.crosscheck.engines import ENGINES, Case, Engine
from backprop.crosscheck.report import AGREEMENT, format_report
from backprop.crosscheck.spreadsheets import MissingEngineError
from backprop.networks.presets import PRESETS
from backprop.records import write_record

OWN = [engine for engine in ENGINES if engine.name in ("sympy, 50 digits", "NumPy")]


def compared(cases, *others):
    return compare(cases, 0, lambda name: None, (*OWN, *others))


def pair(report, first, second):
    return next(p for p in report.pairs if (p.first, p.second) == (first, second))


def test_all_engines_agree():
    for program in ("soffice", "chromium"):
        require(program)
    cases = all_cases(seed=11, count=4, iterations=5)
    report = compare(cases, 11, lambda name: None)
    assert report.missing == ()
    assert len(report.pairs) == 21
    assert [p for p in report.pairs if not p.agrees] == []
    assert report.numbers == sum(5 * len(case.derivation.columns) for case in cases)


def test_the_first_case_is_the_class_sheets_and_the_others_differ():
    first, *others = all_cases(seed=2, count=4, iterations=3)
    assert first == Case(PRESETS["class"], 1.0, 3)
    assert [bool(case.preset.network.biases) for case in others] == [False, True, False, True]
    assert len({case.learning_rate for case in others}) == 4
    assert others == all_cases(seed=2, count=4, iterations=3)[1:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "preset", [PRESETS["relu"], invent((3, 4, 2), ["leaky relu", "tanh"], "per layer")], ids=lambda preset: preset.name
)
def test_the_engines_agree_on_other_networks_too(preset):
    for program in ("soffice", "chromium"):
        require(program)
    report = compare(all_cases(1, 2, 4, preset), 1, lambda _: None)
    assert report.missing == ()
    assert [p for p in report.pairs if not p.agrees] == []
    assert format_report(report).startswith(f"the run of {preset.name} and 2 random ones")


def spoiled(by):
    """Give an engine that is right but for one number."""

    def compute(cases):
        results = OWN[1].compute(cases)
        column = cases[1].derivation.columns.index("dE_dw3")
        results[1][2, column] = by(results[1][2, column])
        return results

    return Engine("spoiled", compute)


@pytest.mark.parametrize("by", [lambda x: x + 1e-9, lambda x: -x, lambda x: np.nan, lambda x: np.inf])
def test_one_wrong_number_is_found_and_named(by):
    report = compared(all_cases(seed=1, count=2, iterations=4), spoiled(by))
    wrong = pair(report, "NumPy", "spoiled")
    assert not wrong.agrees
    assert wrong.where == "dE_dw3, iteration 2, case 1"
    assert pair(report, "sympy, 50 digits", "NumPy").agrees


def test_a_difference_within_the_tolerance_agrees():
    report = compared(all_cases(seed=1, count=2, iterations=4), spoiled(lambda x: x + AGREEMENT / 100))
    assert pair(report, "NumPy", "spoiled").agrees
    assert pair(report, "NumPy", "spoiled").disagreement > 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_two_engines_without_a_number_do_not_agree(value):
    without = spoiled(lambda x: value)
    report = compared(all_cases(seed=1, count=1, iterations=4), without, replace(without, name="alike"))
    both = pair(report, "spoiled", "alike")
    assert (both.agrees, both.disagreement) == (False, None)
    assert both.where == "dE_dw3, iteration 2, case 1"


def test_an_engine_that_is_missing_is_named_and_the_others_are_compared(monkeypatch):
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "ironcalc", None)
    monkeypatch.setitem(sys.modules, "formualizer", None)
    report = compared(all_cases(seed=1, count=1, iterations=2), *ENGINES[3:])
    assert report.missing == (
        "LibreOffice (needs soffice)",
        "IronCalc (needs ironcalc)",
        "formualizer (needs formualizer)",
        "JavaScript (needs chromium)",
    )
    assert [(p.first, p.second) for p in report.pairs] == [("sympy, 50 digits", "NumPy")]


def test_a_program_that_fails_counts_as_missing(monkeypatch):
    monkeypatch.setattr(engines, "_program", lambda name: sys.executable)
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)
    with pytest.raises(MissingEngineError, match=r"that works; this one failed: \d"):
        engines.compute_with_libreoffice(all_cases(seed=1, count=1, iterations=2))


def test_the_file_is_strict_json(tmp_path):
    report = compared(all_cases(seed=1, count=2, iterations=3), spoiled(lambda x: np.nan))
    write_record(tmp_path / "proof.json", report)

    def refuse(constant):
        raise AssertionError(constant)

    record = json.loads((tmp_path / "proof.json").read_text(), parse_constant=refuse)
    assert record["cases"] == 3
    assert None in [p["disagreement"] for p in record["pairs"]]


def test_the_command_prints_every_pair_and_writes_the_file(tmp_path):
    command = [sys.executable, "-m", "backprop", "prove", "--cases", "1", "--iterations", "2"]
    done = subprocess.run([*command, "-o", str(tmp_path / "p.json")], capture_output=True, text=True, check=True)
    record = json.loads((tmp_path / "p.json").read_text())
    assert len(re.findall(r"e-\d\d  agree\n|0.0e\+00  agree\n", done.stdout)) == len(record["pairs"])
    assert done.stdout.startswith("the class sheet's run and 1 random ones (seed 0) of 2 iterations: ")


def test_the_command_fails_where_a_pair_disagrees(monkeypatch, capsys):
    from backprop.__main__ import main

    # The default of `engines`.
    monkeypatch.setattr(compare, "__defaults__", ((*OWN, spoiled(lambda x: -x)),))
    assert main(["prove", "--cases", "2", "--iterations", "3"]) == 1
    assert "DISAGREE at dE_dw3, iteration 2, case 1" in capsys.readouterr().out
