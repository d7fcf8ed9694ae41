import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import records
from PIL import Image

from reports.prose import prose
from reports.views.digit import ink_image
from reports.views.mistakes import MOST_IMAGES, confusion_cells, group_mistakes
from reports.views.mnist import view_mnist


def confusions(evaluation):
    return prose("mnist.confusions", view_mnist(records.history(), evaluation))


def test_groups_are_what_the_matrix_counts():
    evaluation = records.evaluation()
    groups = group_mistakes(evaluation)
    counts = {(group.true, group.predicted): group.count for group in groups}
    assert counts == records.MISTAKES
    assert list(counts) == sorted(counts)  # as the matrix is read
    cells = [cell for row in confusion_cells(evaluation, groups) for cell in row]
    assert sum(cell.count for cell in cells) == 10_000
    assert {cell.group for cell in cells if cell.group} == {group.name for group in groups}
    for cell in cells:
        assert bool(cell.group) is (cell.count > 0 and cell.true != cell.predicted)


def test_the_surest_come_first_within_a_group():
    for group in group_mistakes(records.evaluation()):
        sure = [image.probabilities[group.predicted] for image in group.images]
        assert sure == sorted(sure, reverse=True)
        assert len(sure) == group.count


def test_too_many_leave_every_group_its_surest():
    groups = group_mistakes(records.evaluation(1))
    assert sum(group.count for group in groups) == 202
    assert sum(len(group.images) for group in groups) == MOST_IMAGES
    shown = sorted(len(group.images) for group in groups)
    cut = [group for group in groups if len(group.images) < group.count]
    # Those that are cut short all show as many, give or take one: no group is preferred.
    assert max(shown) - min(len(group.images) for group in cut) <= 1


def test_images_are_the_pixels_of_the_test_set():
    evaluation = records.evaluation()
    wrong = next(w for w in evaluation.misclassified if w.index == 490)
    with Image.open(io.BytesIO(base64.b64decode(ink_image(wrong).partition(",")[2]))) as image:
        ink = np.asarray(image.getchannel("A"))
        assert not np.asarray(image.getchannel("L")).any()
    assert ink.tobytes() == base64.b64decode(wrong.pixels)


def test_the_most_frequent_are_named():
    assert confusions(records.evaluation()).startswith("Most frequent: 4 read as 9 (7 times)")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (
            {(5, 3): 4, (6, 0): 4, (6, 1): 4, (9, 4): 4, (1, 7): 2},
            "5 read as 3 (4 times), 6 read as 0 (4 times), 6 read",
        ),
        (
            {(1, 7): 9, (2, 7): 1, (3, 5): 1, (8, 3): 1},
            "1 read as 7 (9 times), 2 read as 7 (once), 3 read as 5",
        ),
        ({(3, 5): 2}, "The only mistake: 3 read as 5 (twice)."),
        ({(row, (row + 1) % 10): 1 for row in range(10)}, "10 different mistakes are made, none more often than once."),
    ],
)
def test_mistakes_as_frequent_as_one_that_is_named_are_named_too(counts, told):
    confusion = tuple(tuple(counts.get((row, column), 0) for column in range(10)) for row in range(10))
    said = confusions(replace(records.evaluation(), confusion=confusion))
    assert told in said
    if len(counts) < 10:
        assert said.count("read as") == sum(
            count >= sorted(counts.values(), reverse=True)[:3][-1] for count in counts.values()
        )


def test_no_mistakes_is_no_failure():
    right = tuple(tuple(1000 * (row == column) for column in range(10)) for row in range(10))
    evaluation = replace(records.evaluation(), confusion=right, correct=10_000, accuracy=1.0, misclassified=())
    assert confusions(evaluation) == "No test image is misclassified."
    assert group_mistakes(evaluation) == ()
