import re

import numpy as np
import pytest
from agreement import agrees, read_reference
from presets import CLASS_LIKE

from backprop.network import SHEET_LEARNING_RATES, TOTAL_ERROR
from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.prose import TEMPLATES, prose, sentences
from reports.views.backprop import view_backprop
from reports.views.formulas import print_names, print_symbol

CLASS = PRESETS["class"]


@pytest.fixture(scope="module")
def view():
    return view_backprop(compute_part1(CLASS, 1.0))


@pytest.mark.parametrize("rate", SHEET_LEARNING_RATES)
def test_curves_agree_with_the_reference(view, rate):
    header, rows = read_reference(f"class_eta{rate:g}.csv")
    curve = next(curve for curve in view.comparison.curves if curve.learning_rate == rate)
    assert agrees(curve.errors, rows[:, header.index(TOTAL_ERROR)]).all()


def test_worked_numbers_agree_with_the_reference(view):
    header, rows = read_reference("class_eta1.csv")
    reference = dict(zip(header, rows[0], strict=True))
    worked = {line.formula.text.split(" = ")[0]: line.value for lines in view.worked.values() for line in lines}
    for name in header[8:]:
        if name[0] != "w":
            assert agrees(worked[name.replace("dE_d", "∂E_total/∂")], reference[name]), name
    following = dict(zip(header, rows[1], strict=True))
    for weight in CLASS.network.weights:
        assert agrees(worked[f"{weight}_new"], following[weight])


def test_the_parts_of_a_hidden_activation_add_up(view):
    worked = {line.formula.text.split(" = ")[0]: line.value for lines in view.worked.values() for line in lines}
    for a in ("a_h1", "a_h2"):
        assert agrees(worked[f"∂E1/∂{a}"] + worked[f"∂E2/∂{a}"], worked[f"∂E_total/∂{a}"])


def test_table_shows_the_first_rows_and_the_last_of_all_columns(view):
    header, rows = read_reference("class_eta1.csv")
    assert tuple(column.name for column in view.table.columns) == header
    assert view.table.iterations == (*range(10), 67)
    for column in view.table.columns:
        for iteration, value in zip(view.table.iterations, column.values, strict=True):
            assert agrees(value, rows[iteration, header.index(column.name)])


def test_sections_for_paper_hold_every_computed_column_once(view):
    tables = view.paper_tables
    names = [column.name for part in (tables.hidden, tables.output, tables.gradients) for column in part.columns]
    assert names == [column.name for column in view.table.columns][4:]


def test_slip_agrees_with_the_class_sheets_own_values(view):
    header, rows = read_reference("class_as_taught_eta1.csv")
    _, right = read_reference("class_eta1.csv")
    for line in view.slip.lines:
        column = header.index(line.name)
        assert agrees(line.taught_value, rows[0, column])
        assert agrees(line.derived_value, right[0, column])
    assert [line.name for line in view.slip.lines] == ["dE_dw3", "dE_dw4"]
    shift = np.abs(rows - right)[:, header.index(TOTAL_ERROR)]
    assert view.slip.largest_shift == pytest.approx(shift.max(), abs=1e-12)
    assert view.slip.lines[0].relative_error == pytest.approx(2.6e-4, rel=0.02)


def test_the_slip_is_called_visible_where_it_is():
    slip = view_backprop(compute_part1(CLASS, 1.0)).slip
    assert (slip.is_visible, slip.is_small) == (False, True)
    assert view_backprop(compute_part1(CLASS, 700.0)).slip.is_visible


def test_every_line_of_the_six_panels_is_explained(view):
    assert [panel.number for panel in view.panels] == [1, 2, 3, 4, 5, 6]
    assert all(step.meaning for panel in view.panels for step in panel.steps)


def test_every_text_has_its_place_and_every_named_line_its_text(view):
    places = {f"{panel.name}_{end}" for panel in view.panels for end in ("introduction", "conclusion")}
    places |= {f"{panel.name}_{step.name}" for panel in view.panels for step in panel.steps if step.name}
    assert set(re.findall(r"macro (\w+)", (TEMPLATES / "prose" / "panels.txt").read_text())) == places
    for place in places:
        assert prose(f"panels.{place}", CLASS.network) or place.endswith("conclusion")


@pytest.mark.parametrize(
    ("panel", "reason", "formula"),
    [
        (1, "σ rises smoothly", "a_h1 = σ(h1)"),
        (1, "One number to make small", "E_total = "),
        (1, "Squaring", "E1 = ½"),
        (2, "Write out what the total error is", "∂E_total/∂w5 = ∂(E1 + E2)/∂w5"),
        (2, "E2 is computed from the other output", "∂E_total/∂w5 = ∂E1/∂w5"),
        (2, "The square brings down a 2", "∂E1/∂a_o1 = "),
        (2, "The sigmoid’s slope", "∂a_o1/∂o1 = "),
        (2, "The net input is a sum", "∂o1/∂w5 = a_h1"),
        (4, "One path leads to E1", "∂E1/∂a_h1 = "),
        (4, "The other leads to E2", "∂E2/∂a_h1 = "),
        (4, "Where a value acts along two paths", "∂E_total/∂a_h1 = "),
    ],
)
def test_a_reason_stands_at_the_line_that_it_explains(view, panel, reason, formula):
    shown = view.panels[panel - 1]
    reasons = {step: prose(f"panels.{shown.name}_{step.name}", CLASS.network) for step in shown.steps if step.name}
    (step,) = [step for step, text in reasons.items() if text.startswith(reason)]
    assert step.formula.text.startswith(formula)


def test_proofs_hold(view):
    assert len(view.identities) == 9
    assert all(identity.holds for identity in view.identities)


def test_mazur_starts_from_the_published_error():
    view = view_backprop(compute_part1(PRESETS["mazur"], 0.5))
    assert view.comparison.curves[0].first == pytest.approx(0.298371109, abs=5e-10)


@pytest.mark.parametrize("preset", CLASS_LIKE)
@pytest.mark.parametrize("rate", [1e-9, 0.3, 30.0, 1e6, 1e300])
def test_any_learning_rate_makes_a_view(preset, rate):
    view = view_backprop(compute_part1(PRESETS[preset], rate))
    assert rate in [curve.learning_rate for curve in view.comparison.curves]
    assert sentences("learning_rates.reading", view.comparison)


def test_a_mark_stays_on_the_line_of_its_symbol():
    assert print_names("then w5, not x") == f'then <span class="whole">{print_symbol("w5")},</span> not x'
    assert print_names("w5 & o1") == f"{print_symbol('w5')} &amp; {print_symbol('o1')}"
