import math

from reports.prose import prose
from reports.views.learning_rates import Comparison, LearningCurve

SPACE = "\N{NO-BREAK SPACE}"


def curve(rate, errors, halved_at=None):
    overflow = next((i for i, error in enumerate(errors) if not math.isfinite(error)), None)
    return LearningCurve(rate, tuple(errors), halved_at, overflow)


def reading(*curves):
    comparison = Comparison(curves, len(curves[0].errors), tuple(c.learning_rate for c in curves))
    return prose("learning_rates.reading", comparison).replace(SPACE, " ")


def test_runs_that_follow_one_path_are_said_to():
    text = reading(curve(0.1, [1, 0.9, 0.8], 12), curve(1.0, [1, 0.5, 0.2], 1))
    assert "η = 0.1 has 80.0 % of the initial error left, η = 1 has 20.0 %" in text
    assert "every larger η ends with a smaller error" in text
    assert "needs 12 iterations and η = 1 needs 1" in text
    assert "nearly the same each time, between 1 and 1.2" in text
    assert "None of these runs diverges" in text


def test_a_run_that_overflows_is_named_and_compared_no_further():
    text = reading(curve(0.1, [1, 0.9, 0.8]), curve(1.0, [1, 0.5, 0.2]), curve(9.0, [1, math.nan, math.nan]))
    assert "η = 9 overflows: from iteration 1 on" in text
    assert "η = 9 has" not in text
    assert "None of these runs diverges" not in text


def test_a_run_that_diverges_is_named():
    text = reading(curve(0.1, [1, 0.9, 0.8]), curve(9.0, [1, 2.0, 3.0]))
    assert "η = 9 diverges" in text
    assert "smallest final error belongs to η = 0.1" in text
    assert "None of these runs diverges" not in text


def test_a_run_that_wavers_is_named_with_how_often():
    text = reading(curve(0.1, [1, 0.9, 0.8, 0.7]), curve(9.0, [1, 0.5, 0.6, 0.4]))
    assert "η = 9 does not fall steadily: the error rises in 1 iteration." in text


def test_an_error_that_is_used_up_is_told_from_one_that_falls():
    text = reading(curve(0.1, [1, 0.9, 0.8, 0.7], 12), curve(1.0, [1, 1e-9, 0.0, 0.0], 1))
    assert "the error falls in every iteration" in text
    assert "From iteration 2 on nothing but rounding is left of the error at η = 1." in text


def test_a_run_that_is_stuck_above_its_start_is_measured_by_it():
    text = reading(curve(0.1, [1, 0.9, 0.8, 0.7]), curve(9.0, [1, 3, 3, 3]))
    assert "is stuck from iteration 1 on, with the error at 3 times its first value" in text


def test_a_run_that_is_stuck_is_named_with_what_is_left():
    text = reading(curve(0.1, [1 - i / 20 for i in range(10)]), curve(9.0, [1] + [0.9] * 9))
    assert "η = 9 is stuck from iteration 1 on, with 90.0 % of the error left" in text


def test_a_run_that_never_moves_is_not_called_stuck():
    text = reading(curve(0.1, [1 - i / 20 for i in range(10)]), curve(9.0, [1.0] * 10))
    assert "η = 9 hardly moves" in text
    assert "stuck" not in text


def test_final_errors_are_held_against_the_slowest_run():
    text = reading(curve(0.1, [1, 0.9, 0.8]), curve(1.0, [1, 0.5, 0.2]))
    assert "η = 1 ends at 0.2, which is 0.25 times the 0.8 at which η = 0.1 ends." in text


def test_ups_and_downs_of_rounding_are_no_wavering():
    noisy = curve(9.0, [1, 1e-10, 1e-30, 3e-30, 1e-30])
    assert noisy.decreases
    assert noisy.rises == 0


def test_different_paths_are_not_called_one():
    text = reading(curve(0.1, [1, 0.9, 0.8], 20), curve(1.0, [1, 0.5, 0.2], 1))
    assert "larger steps do not simply follow the same path" in text


def test_nothing_to_compare_is_no_failure():
    assert reading(curve(0.1, [math.nan, math.nan]), curve(1.0, [math.nan, math.nan]))


def test_a_picture_of_the_curves_is_described_run_by_run():
    curves = (curve(0.1, [1, 0.9, 0.8]), curve(9.0, [1, math.nan, math.nan]))
    text = prose("drawings.comparison", Comparison(curves, 3, ()), "linear").replace(SPACE, " ")
    assert text == (
        "Total error over 3 iterations, linear scale. η = 0.1 starts at 1 and ends at 0.8, 80 % of it; "
        "η = 9 starts at 1 and overflows at iteration 1."
    )
    assert prose("drawings.curve", curves[0]).endswith("starts at 1 and ends at 0.8, 80\N{NO-BREAK SPACE}% of it.")
