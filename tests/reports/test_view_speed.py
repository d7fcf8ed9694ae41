"""What the page says of speed, from the figures alone."""

from dataclasses import replace

import records

from mnist.bench import Benchmarks
from reports.views.speed import view_speed


def test_nothing_measured_says_nothing():
    assert view_speed(Benchmarks()) is None


def test_the_race_is_told_with_its_ratio_and_its_machine():
    view = view_speed(records.measured())
    told = " ".join(view.reading)
    assert "took 12.8 minutes and the recipe “fast” 61 seconds: 12.5 times as long." in told
    assert told.count("Measured on A processor, 2 cores") == 1


def test_a_recipe_that_did_not_get_there_is_named_and_no_ratio_given():
    race = records.measured().race
    slow, fast = race.races
    told = " ".join(view_speed(Benchmarks(race=replace(race, races=(replace(slow, accuracy=0.9935), fast)))).reading)
    assert "which course did not reach" in told
    assert "times as long" not in told


def test_the_page_shows_both_tables(hostile_page):
    html = hostile_page.read_text(encoding="utf-8")
    assert 'id="speed"' in html
    assert "765.0" in html and "3,000" in html
