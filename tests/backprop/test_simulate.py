import json
import math

import numpy as np
import pytest
from agreement import REFERENCE, agrees, read_reference

from backprop.derivation import as_taught, derive
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES
from backprop.networks.presets import PRESETS
from backprop.simulate import simulate, simulate_errors

CLASS, OTHER, MAZUR = PRESETS["class"], PRESETS["class-0.01-0.99"], PRESETS["mazur"]
DERIVATION = derive(CLASS.network)
REFERENCES = [
    *((f"class_eta{eta:g}.csv", CLASS, DERIVATION, eta) for eta in SHEET_LEARNING_RATES),
    ("class_as_taught_eta1.csv", CLASS, as_taught(DERIVATION), 1.0),
    ("targets_0.01_0.99_eta0.5.csv", OTHER, DERIVATION, 0.5),
]


@pytest.mark.parametrize(("name", "preset", "derivation", "eta"), REFERENCES, ids=[r[0] for r in REFERENCES])
def test_every_number_is_the_reference_files(name, preset, derivation, eta):
    columns, expected = read_reference(name)
    trace = simulate(derivation, preset, eta, len(expected))
    assert trace.columns == columns
    assert agrees(trace.values, expected).all()
    errors = simulate_errors(derivation, preset, [eta], len(expected))[0]
    assert agrees(errors, expected[:, columns.index("E_total")]).all()


@pytest.mark.parametrize("variant", ["simultaneous", "sequential"])
def test_mazurs_example(variant):
    record = json.loads((REFERENCE / "mazur.json").read_text())
    trace = simulate(derive(MAZUR.network), MAZUR, 0.5, 10_001, sequential=variant == "sequential")
    first = dict(zip(trace.columns, trace.values[0], strict=True))
    late = {f"dE_dw{n}" for n in range(1, 5)} if variant == "sequential" else set()  # these see the new w5…w8
    assert all(agrees(first[name], float(value)) for name, value in record["step0"].items() if name not in late)
    for step, error in record[variant]["E_total_by_step"].items():
        assert agrees(trace.column("E_total")[int(step)], float(error)), step
    outputs = [trace.column(name)[10_000] for name in ("a_o1", "a_o2")]
    assert agrees(outputs, [float(x) for x in record[variant]["outputs_at_10000"]]).all()
    weights = [trace.column(f"w{n}")[1] for n in range(1, 9)]
    assert agrees(weights, [float(x) for x in record[variant]["weights_after_1"]]).all()


def test_the_numbers_that_the_text_of_2015_prints():
    sequential = simulate(derive(MAZUR.network), MAZUR, 0.5, 10_001, sequential=True)
    assert round(sequential.column("E_total")[1], 9) == 0.291027924
    assert [round(sequential.column(a)[10_000], 9) for a in ("a_o1", "a_o2")] == [0.015912196, 0.984065734]
    simultaneous = simulate(derive(MAZUR.network), MAZUR, 0.5, 10_000)
    assert round(simultaneous.column("E_total")[9_999], 10) == 0.0000351085


def naive_run(eta, iterations):
    """The class sheet's row once more, by hand, with a sigmoid that breaks as EXP does."""
    t1 = t2 = 0.5
    i1, i2 = 0.05, 0.1
    w = [0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55]
    for iteration in range(iterations):
        try:
            a1, a2 = (1 / (1 + math.exp(-(w[k] * i1 + w[k + 1] * i2))) for k in (0, 2))
            y1, y2 = (1 / (1 + math.exp(-(w[k] * a1 + w[k + 1] * a2))) for k in (4, 6))
        except OverflowError:
            return iteration
        d1, d2 = (y1 - t1) * y1 * (1 - y1), (y2 - t2) * y2 * (1 - y2)
        g1, g2 = (d1 * w[4] + d2 * w[6]) * a1 * (1 - a1), (d1 * w[5] + d2 * w[7]) * a2 * (1 - a2)
        gradient = [g1 * i1, g1 * i2, g2 * i1, g2 * i2, d1 * a1, d1 * a2, d2 * a1, d2 * a2]
        w = [weight - eta * slope for weight, slope in zip(w, gradient, strict=True)]
    return None


@pytest.mark.parametrize("eta", [5e-324, 1e-3, 50.0, 1e6, 1e7, 1e8, 1e300, 1.7e308])
def test_any_positive_learning_rate_runs_until_the_class_formula_overflows(eta):
    trace = simulate(DERIVATION, CLASS, eta, 68)
    assert trace.overflow == naive_run(eta, 68)
    assert np.isfinite(trace.complete).all()
    errors = simulate_errors(DERIVATION, CLASS, [eta], 68)[0]
    assert agrees(errors, trace.column("E_total")).all()
    if trace.overflow is not None:
        broken = trace.values[trace.overflow :]
        assert np.isnan(broken[:, trace.columns.index("E_total")]).all()
        assert (broken[:, trace.columns.index("i1")] == 0.05).all()
        assert np.isfinite(broken[0, trace.columns.index("w1")])
        assert np.isnan(broken[1:, trace.columns.index("w1")]).all()


def test_many_learning_rates_at_once_equal_one_by_one():
    together = simulate_errors(DERIVATION, OTHER, SHEET_LEARNING_RATES, 200)
    for eta, errors in zip(SHEET_LEARNING_RATES, together, strict=True):
        assert agrees(errors, simulate(DERIVATION, OTHER, eta, 200).column("E_total")).all()


@pytest.mark.parametrize("eta", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_what_is_no_learning_rate_is_refused(eta):
    with pytest.raises(BackpropError, match="finite number above 0"):
        simulate(DERIVATION, CLASS, eta, 5)
    with pytest.raises(BackpropError, match="finite number above 0"):
        simulate_errors(DERIVATION, CLASS, [1.0, eta], 5)


@pytest.mark.parametrize("iterations", [0, -3, 10**12])
def test_a_number_of_iterations_that_makes_no_run_is_refused(iterations):
    with pytest.raises(BackpropError, match="iterations make no run"):
        simulate(DERIVATION, CLASS, 1.0, iterations)
