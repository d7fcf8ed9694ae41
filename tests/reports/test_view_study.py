from dataclasses import replace

import records

from reports.drawings.study import study_drawing
from reports.views.study import view_studies


def test_figures_are_spelled_with_n_and_spread():
    accurate, fast = view_studies(records.studies())
    assert (accurate.recipe, accurate.seeds, accurate.at_goal) == ("accurate", 4, "4 of 4")
    assert (fast.lowest.replace("\N{NO-BREAK SPACE}", " "), fast.at_goal) == ("99.38 %", "3 of 4")
    # Mean and interval of 99.41, 99.46, 99.38, 99.41 by hand: mean 99.415, s = 0.0332, t(3) = 3.182.
    assert fast.mean.startswith("99.415")
    assert fast.deviation.startswith("0.033")
    assert fast.interval.startswith("99.362 to 99.468")


def test_a_recipe_with_other_values_is_marked():
    study = records.studies()[0]
    (view,) = view_studies([replace(study, recipe=replace(study.recipe, shift=3))])
    assert view.recipe == "accurate, changed"


def test_the_picture_tells_every_recipe_in_words():
    drawing = study_drawing(records.studies())
    assert "accurate: 4 seeds from 99.49" in drawing.description
    assert "fast: 4 seeds from 99.38" in drawing.description
    assert len(drawing.figure.axes[0].collections) == 2  # a row of dots a recipe


def test_the_page_shows_studies_where_there_are_some(hostile_page, built):
    assert 'id="study"' in hostile_page.read_text()
    assert "study.png" not in (built / "handin" / "README.md").read_text()
    assert 'id="study"' not in (built / "report.html").read_text()
