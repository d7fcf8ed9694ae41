"""Each engine by itself: the right shape, independence of the others, and what happens when a program does not work."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from agreement import agrees, read_reference
from programs import require, require_package

from backprop.crosscheck import engines
from backprop.crosscheck.comparison import all_cases
from backprop.crosscheck.engines import ENGINES, Case
from backprop.crosscheck.spreadsheets import MissingEngineError
from backprop.networks.presets import PRESETS
from backprop.simulate import simulate

PROGRAMS = {"LibreOffice": "soffice", "JavaScript": "chromium"}


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request):
    if request.param.name in PROGRAMS:
        require(PROGRAMS[request.param.name])
    if request.param.name == "torch autograd":
        import torch  # noqa: F401  `make quick` has none
    if request.param.name in ("IronCalc", "formualizer"):
        require_package(request.param.name.lower())
    return request.param


def test_every_engine_computes_the_reference_file(engine):
    columns, expected = read_reference("targets_0.01_0.99_eta0.5.csv")
    case = Case(PRESETS["class-0.01-0.99"], 0.5, 8)
    assert case.derivation.columns == columns
    (values,) = engine.compute([case])
    assert values.dtype == np.float64
    assert agrees(values, expected[:8]).all()


def test_every_engine_trains_biases_and_keeps_the_order_of_the_cases(engine):
    cases = all_cases(seed=4, count=2, iterations=3)[::-1]
    results = engine.compute(cases)
    assert [values.shape for values in results] == [(3, len(case.derivation.columns)) for case in cases]
    for case, values in zip(cases, results, strict=True):
        b1 = case.preset.values.get("b1")
        assert b1 is None or values[0, case.derivation.columns.index("b1")] == b1


def test_an_overflow_breaks_no_engine(engine):
    """Excel shows #NUM! from row 2 on; an engine may have the limit of the formula there, or no number."""
    case = Case(PRESETS["class"], 1e8, 3)
    (values,) = engine.compute([case])
    trace = simulate(case.derivation, case.preset, 1e8, 3)
    assert trace.overflow == 1
    assert agrees(values[0], trace.values[0]).all()


@pytest.mark.parametrize("program", ["node", "chromium"])
def test_both_javascript_engines_give_the_same(program, monkeypatch):
    if program == "node" and shutil.which(program) is None:
        pytest.skip("node is not installed; Chromium takes its place")
    path, cases = require(program), all_cases(seed=5, count=1, iterations=3)
    monkeypatch.setattr(shutil, "which", lambda name: path if name == program else None)
    for a, b in zip(engines.compute_with_javascript(cases), engines.compute_with_numpy(cases), strict=True):
        assert agrees(a, b).all()


def stub(tmp_path, monkeypatch, text):
    """Put a program that prints a text, and does nothing else, in place of every other."""
    program = tmp_path / "stub"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(engines, "_program", lambda name: str(program))
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_an_office_that_writes_nothing_and_says_nothing_counts_as_missing(tmp_path, monkeypatch):
    stub(tmp_path, monkeypatch, "")
    with pytest.raises(MissingEngineError, match="this one wrote nothing"):
        engines.compute_with_libreoffice(all_cases(seed=1, count=1, iterations=2))


@pytest.mark.parametrize("text", ["", "<html></html>", "<pre></pre>"])
def test_a_browser_that_runs_no_script_counts_as_missing(text, tmp_path, monkeypatch):
    stub(tmp_path, monkeypatch, text)
    with pytest.raises(MissingEngineError, match="this one ran no script"):
        engines.compute_with_javascript(all_cases(seed=1, count=1, iterations=2))


def test_torch_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(MissingEngineError, match="torch"):
        engines.compute_with_torch(all_cases(seed=1, count=1, iterations=2))


def test_torch_differentiates_and_does_not_read_our_gradients(monkeypatch):
    """Its numbers stay the same when the derivation's are wrong."""
    pytest.importorskip("torch")
    case = Case(PRESETS["class"], 1.0, 2)
    (right,) = engines.compute_with_torch([case])
    derivation = case.derivation
    wrong = replace(derivation, gradients=tuple(replace(g, expression=-g.expression) for g in derivation.gradients))
    monkeypatch.setattr(engines, "derive", lambda network: wrong)
    assert np.array_equal(engines.compute_with_torch([case])[0], right)
    assert not np.array_equal(engines.compute_with_numpy([case])[0], right)
