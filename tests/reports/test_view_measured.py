"""What the page says of several seeds and of the cost of training, from the figures alone."""

from dataclasses import replace
from types import SimpleNamespace

import records
from sections import section_text

from mnist.bench import Benchmarks
from mnist.study import make_study
from reports.drawings.mnist import study_drawing
from reports.views.mnist import view_speed, view_studies


def speed(measured):
    return section_text("speed", speed=view_speed(measured))


def seeds(studies):
    return section_text("study", SimpleNamespace(study=study_drawing(studies)), studies=view_studies(studies))


def test_nothing_measured_says_nothing():
    assert view_speed(Benchmarks()) is None
    assert speed(Benchmarks()) == ""


def test_the_race_is_told_with_its_ratio_and_its_machine():
    told = speed(records.measured())
    assert "took 12.8 minutes and the recipe “fast” 61 seconds: 12.5 times as long." in told
    assert told.count("Measured on A processor, 2 cores") == 1


def test_a_recipe_that_did_not_get_there_is_named_and_no_ratio_given():
    race = records.measured().race
    slow, fast = race.races
    told = speed(Benchmarks(race=replace(race, races=(replace(slow, accuracy=0.9935), fast))))
    assert "Measured to 99.4 %, which course did not reach" in told
    assert "times as long" not in told


def test_the_page_shows_both_tables(hostile_page):
    html = hostile_page.read_text(encoding="utf-8")
    assert 'id="speed"' in html
    assert "765.0" in html and "3,000" in html


def test_seeds_are_shown_with_n_and_spread():
    told = seeds(records.studies())
    # Mean and interval of 99.41, 99.46, 99.38, 99.41 by hand: mean 99.415, s = 0.0332, t(3) = 3.182.
    assert "fast 11 4 99.415 % 0.033 % 99.362 to 99.468 % 99.38 % 3 of 4" in told
    assert "accurate 20 4 99.515 % 0.025 % 99.475 to 99.555 % 99.49 % 4 of 4" in told


def test_a_single_seed_has_no_spread():
    run = records.history()
    assert "accurate, changed 15 1 99.580 % – – 99.58 % 1 of 1" in seeds([make_study([run])])


def test_a_recipe_with_other_values_is_marked():
    study = records.studies()[0]
    (view,) = view_studies([replace(study, recipe=replace(study.recipe, shift=3))])
    assert view.changed
    assert not any(view.changed for view in view_studies(records.studies()))


def test_the_picture_tells_every_recipe_in_words():
    drawing = study_drawing(records.studies())
    assert "accurate: 4 seeds from 99.49" in drawing.description
    assert "fast: 4 seeds from 99.38" in drawing.description
    assert len(drawing.figure.axes[0].collections) == 2  # a row of dots a recipe


def test_the_page_shows_studies_where_there_are_some(hostile_page, built):
    assert 'id="study"' in hostile_page.read_text()
    assert "study.png" not in (built / "handin" / "README.md").read_text()
    assert 'id="study"' not in (built / "report.html").read_text()
