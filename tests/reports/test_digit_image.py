"""Drawings made into images like MNIST's, in Chromium."""

import numpy as np
import pytest
from digit_page import THREE, centre_of_mass, draw_stroke, extent, network_input


def test_mnists_own_images_are_centred_as_we_centre(digits):
    for image in digits.learnt.images.numpy():
        assert [round(place) for place in centre_of_mass(image)] == [14, 14]
        assert max(extent(image)) == 20


@pytest.mark.parametrize(("place", "size"), [((0.55, 0.55), 0.4), ((0, 0), 1), ((0.0, 0.7), 0.25), ((0.3, 0.3), 0.3)])
def test_a_drawing_is_scaled_and_centred_like_mnists(field, place, size):
    draw_stroke(field, THREE, place, size)
    image = network_input(field)
    assert max(extent(image)) in (19, 20)
    assert all(abs(centre - 14) <= 0.5 for centre in centre_of_mass(image))


def test_the_same_digit_elsewhere_and_smaller_gives_nearly_the_same_image(field):
    images = []
    for place, size in (((0.05, 0.05), 0.9), ((0.5, 0.1), 0.45)):
        field.locator("#digit-clear").click()
        draw_stroke(field, THREE, place, size)
        images.append(network_input(field).astype(float))
    # Where either has ink, two of MNIST's test images of the same digit differ by 130 grey levels, in the median.
    ink = (images[0] > 0) | (images[1] > 0)
    assert np.abs(images[0] - images[1])[ink].mean() < 8


def drawn(page, strokes):
    """Call the page's own function: (28, 28)."""
    return np.array(page.evaluate("strokes => [...page.imageOfStrokes(strokes)]", strokes)).reshape(28, 28)


def test_ink_fades_with_the_distance_from_the_stroke(field):
    """A diagonal is a line whose distances NumPy can tell by the textbook's formula."""
    image = drawn(field, [[[0.2, 0.2], [0.8, 0.8]]]) / 255
    rows, columns = np.indices((28, 28))
    # The middle of the field of 28 × 28 is a corner of pixel 14; the box lies so that its centre of mass is in it.
    away = np.abs(rows - columns) / np.sqrt(2)
    middle = np.abs(rows + columns - 28) < 8
    expected = np.clip((1.9 - away) / (1.9 - 0.6), 0, 1)
    np.testing.assert_allclose(image[middle], expected[middle], atol=0.5 / 255)


def test_a_dot_stays_a_dot_and_nothing_stays_nothing(field):
    assert drawn(field, []).sum() == 0
    for dot in ([[[0.5, 0.5]]], [[[0.5, 0.5], [0.502, 0.501]]]):
        assert max(extent(drawn(field, dot))) <= 5


def test_a_lopsided_drawing_stays_inside_the_field(field):
    black_bar = [[0.1 + 0.15 * (step % 2), 0.1 + 0.008 * step] for step in range(100)]
    image = drawn(field, [black_bar, [[0.1, 0.5], [0.9, 0.5]]])
    assert extent(image) == (20, 20)
    assert image[:, 27].any()
    assert centre_of_mass(image)[1] < 13.5  # it would lie in pixel 14 if there were room
