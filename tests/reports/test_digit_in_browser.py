"""“Draw a digit” as the reader has it, held against torch on MNIST's own images, in Chromium."""

import base64
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import records
import torch
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import expect
from torch.nn import functional

from backprop.network import PRESETS
from mnist import evaluation
from mnist.data import Dataset, load
from mnist.model import new_network, normalise
from reports.figures import draw
from reports.inputs import Inputs
from reports.render import render
from reports.view import Heading, view_page

IMAGES = 100
# A 3, as parts of a field of any place and size.
THREE = [(0.1, 0.1), (0.8, 0.0), (0.4, 0.4), (0.9, 0.6), (0.8, 0.9), (0.1, 0.95)]


@pytest.fixture(scope="module")
def dataset():
    """Load the images to learn from, and the first hundred to be tested on."""
    torch.set_num_threads(1)
    whole = load(Path(__file__).parents[2] / "data")
    return Dataset(
        whole.train_images[:1280], whole.train_labels[:1280], whole.test_images[:IMAGES], whole.test_labels[:IMAGES]
    )


@pytest.fixture(scope="module")
def network(dataset):
    """Train for a few steps, so that weights and running statistics are like those of a trained network."""
    network = new_network(seed=3).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for images, labels in zip(dataset.train_images.split(64), dataset.train_labels.split(64), strict=True):
        optimizer.zero_grad()
        functional.cross_entropy(network(normalise(images)), labels).backward()
        optimizer.step()
    return network.eval()


@pytest.fixture(scope="module")
def logits(network, dataset):
    with torch.inference_mode():
        return network(normalise(dataset.test_images))


@pytest.fixture(scope="module")
def record(network, dataset, logits):
    """Make the evaluation of that network, as far as this section reads it."""
    probabilities = logits.softmax(1)
    return dataclasses.replace(
        records.evaluation(),
        samples=evaluation.samples(dataset, probabilities),
        misclassified=evaluation.misclassified(dataset, probabilities),
    )


@pytest.fixture(scope="module")
def path(network, record, tmp_path_factory):
    weights = evaluation.export_weights(network, record.checkpoint_sha256)
    inputs = Inputs(records.history(), record, weights, Path("backprop.xlsx"), None)
    view = view_page(Heading(), PRESETS["class"], 1.0, inputs)
    path = tmp_path_factory.mktemp("digit") / "report.html"
    path.write_text(render(view, draw(view)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(browser, path):
    """Open the page once, at the section; it notes requests, messages and violations until the last test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.noted = []
    page.on("request", lambda request: page.noted.append(request.url))
    page.on("console", lambda message: page.noted.append(message.text))
    page.on("pageerror", lambda error: page.noted.append(str(error)))
    page.add_init_script(
        "window.violations = []; document.addEventListener('securitypolicyviolation', event => violations.push(event))"
    )
    page.goto(path.as_uri())
    page.locator("#digit-paper").scroll_into_view_if_needed()
    yield page
    page.close()


@pytest.fixture
def page(opened):
    """Give the page with an empty field."""
    opened.locator("#digit-clear").click()
    settle(opened)
    return opened


def settle(page):
    """Wait for the answer to the last change."""
    page.evaluate("new Promise(requestAnimationFrame)")  # a resize is noticed with the next frame
    expect(page.locator("#digit-shares")).to_have_attribute("aria-busy", "false")


def draw_stroke(page, points, place=(0.2, 0.2), size=0.6):
    """Draw with the mouse, in a part of the field."""
    box = page.locator("#digit-paper").bounding_box()
    at = [
        (box["x"] + (place[0] + x * size) * box["width"], box["y"] + (place[1] + y * size) * box["height"])
        for x, y in points
    ]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=5)
    page.mouse.up()
    settle(page)


def shares(page):
    """Read the ten probabilities in full precision."""
    return [
        float(value) for value in page.locator("#digit-shares data").evaluate_all("all => all.map(one => one.value)")
    ]


def network_input(page):
    """Read the bytes of the image that the page shows as the network's input: (28, 28)."""
    return opacities(page, "#digit-seen")[0]


def opacities(page, selector):
    """Read how opaque the pixels of canvases are: (canvases, 28, 28)."""
    # From a copy: Chromium would complain of the page if we read its own canvases again and again.
    found = page.locator(selector).evaluate_all(
        """all => all.map(canvas => {
        const copy = new OffscreenCanvas(28, 28).getContext("2d", {willReadFrequently: true});
        copy.drawImage(canvas, 0, 0);
        return [...copy.getImageData(0, 0, 28, 28).data].filter((_, place) => place % 4 === 3);
    })"""
    )
    return np.array(found).reshape(-1, 28, 28)


def centre_of_mass(image):
    """Return row and column, where a pixel's own place is its index."""
    image = np.asarray(image, float)
    rows, columns = np.indices(image.shape)
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


def extent(image):
    """Return height and width of the box around the ink."""
    rows, columns = np.nonzero(image)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def test_logits_are_torchs_on_a_hundred_test_digits(page, dataset, logits):
    found = page.evaluate(
        """images => {
        const network = digitNetwork.read(JSON.parse(document.getElementById("digit-data").textContent));
        return images.map(image => digitNetwork.run(network, Uint8Array.from(image)).logits);
    }""",
        dataset.test_images.flatten(1).tolist(),
    )
    assert len(logits.argmax(1).unique()) >= 5  # the network tells images apart
    np.testing.assert_allclose(found, logits.numpy(), rtol=0, atol=1e-4)


def test_strides_and_padding_are_torchs(page):
    """The assignment's network strides only where it pools; the page's functions take any facts."""
    generator = torch.Generator().manual_seed(5)
    weight, bias = torch.randn(3, 1, 3, 3, generator=generator), torch.randn(3, generator=generator)
    image = torch.randint(0, 256, (28, 28), generator=generator)
    facts = {"name": "a", "kind": "Conv2d", "kernel": 3, "stride": 2, "padding": 1, "channels": 3, "size": 14}
    pool = {"name": "b", "kind": "MaxPool2d", "kernel": 3, "stride": 2, "padding": 1, "channels": 3, "size": 7}
    tensors = {
        name: {"data": base64.b64encode(tensor.numpy().astype("<f4").tobytes()).decode()}
        for name, tensor in (("a.weight", weight), ("a.bias", bias))
    }
    found = page.evaluate(
        "([data, image]) => digitNetwork.run(digitNetwork.read(data), Uint8Array.from(image)).logits",
        [
            {"mean": 0.5, "deviation": 0.25, "epsilon": 1e-5, "layers": [facts, pool], "tensors": tensors},
            image.flatten().tolist(),
        ],
    )
    convolved = functional.conv2d((image[None, None] / 255 - 0.5) / 0.25, weight, bias, stride=2, padding=1)
    expected = functional.max_pool2d(convolved, 3, stride=2, padding=1)
    np.testing.assert_allclose(found, expected.flatten().numpy(), atol=1e-5)


def test_a_layer_of_an_unknown_kind_is_named(page):
    message = page.evaluate(
        """() => {
        try { digitNetwork.read({layers: [{kind: "toString"}], tensors: {}}); } catch (error) { return error.message; }
    }"""
    )
    assert "toString" in message


def test_mnists_own_images_are_centred_as_we_centre(dataset):
    for image in dataset.test_images.numpy():
        assert [round(place) for place in centre_of_mass(image)] == [14, 14]
        assert max(extent(image)) == 20


@pytest.mark.parametrize(("place", "size"), [((0.55, 0.55), 0.4), ((0, 0), 1), ((0.0, 0.7), 0.25), ((0.3, 0.3), 0.3)])
def test_a_drawing_is_scaled_and_centred_like_mnists(page, place, size):
    draw_stroke(page, THREE, place, size)
    image = network_input(page)
    assert max(extent(image)) in (19, 20)
    assert all(abs(centre - 14) <= 0.5 for centre in centre_of_mass(image))


def test_the_same_digit_elsewhere_and_smaller_gives_nearly_the_same_image(page):
    images = []
    for place, size in (((0.05, 0.05), 0.9), ((0.5, 0.1), 0.45)):
        page.locator("#digit-clear").click()
        draw_stroke(page, THREE, place, size)
        images.append(network_input(page).astype(float))
    # Two images of the same digit in MNIST differ by some 50 grey levels on average where either has ink.
    ink = (images[0] > 0) | (images[1] > 0)
    assert np.abs(images[0] - images[1])[ink].mean() < 8


def drawn(page, strokes):
    """Call the page's own function: (28, 28)."""
    return np.array(page.evaluate("strokes => [...digitImage.fromStrokes(strokes)]", strokes)).reshape(28, 28)


def test_ink_fades_with_the_distance_from_the_stroke(page):
    """A diagonal is a line whose distances NumPy can tell by the textbook's formula."""
    image = drawn(page, [[[0.2, 0.2], [0.8, 0.8]]]) / 255
    rows, columns = np.indices((28, 28))
    # The middle of the field of 28 × 28 is a corner of pixel 14; the box lies so that its centre of mass is in it.
    away = np.abs(rows - columns) / np.sqrt(2)
    middle = np.abs(rows + columns - 28) < 8
    expected = np.clip((1.9 - away) / (1.9 - 0.6), 0, 1)
    np.testing.assert_allclose(image[middle], expected[middle], atol=0.5 / 255)


def test_a_dot_stays_a_dot_and_nothing_stays_nothing(page):
    assert drawn(page, []).sum() == 0
    for dot in ([[[0.5, 0.5]]], [[[0.5, 0.5], [0.502, 0.501]]]):
        assert max(extent(drawn(page, dot))) <= 5


def test_a_lopsided_drawing_stays_inside_the_field(page):
    scribble = [[[0.1 + 0.001 * (step % 7), 0.1 + 0.001 * (step % 5)] for step in range(200)], [[0.1, 0.1], [0.9, 0.9]]]
    image = drawn(page, scribble)
    assert max(extent(image)) == 20


def test_nothing_drawn_is_no_digit(page):
    assert page.locator("#digit-answer").text_content() == "Draw something"
    assert page.locator("#digit-shares data").all_text_contents() == ["–"] * 10
    assert page.locator("#digit-shares .best").count() == 0
    assert network_input(page).sum() == 0


def test_drawing_gives_probabilities_and_says_so_after_a_pause(page, network):
    page.evaluate(
        """() => {
        window.told = 0;
        new MutationObserver(() => window.told++).observe(document.getElementById("digit-status"), {childList: true});
    }"""
    )
    draw_stroke(page, [(0.1, 0.1), (0.8, 0.0)])
    draw_stroke(page, THREE)
    found = shares(page)
    assert sum(found) == pytest.approx(1, abs=1e-9)
    with torch.inference_mode():
        seen = torch.tensor(network_input(page), dtype=torch.uint8)[None]
        expected = network(normalise(seen)).softmax(1)[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    best = int(expected.argmax())
    name = f"an {best}" if best == 8 else f"a {best}"
    assert page.locator("#digit-answer").text_content().startswith(f"It looks like {name}: ")
    assert page.locator("#digit-shares .best .digit-name").all_text_contents() == [str(best)]
    assert page.locator("#digit-shares .digit-mark").all_text_contents() == [
        "answer" if d == best else "" for d in range(10)
    ]
    expect(page.locator("#digit-status")).to_contain_text(f"The network reads {name}, {100 * found[best]:.1f}")
    assert page.evaluate("told") <= 3  # the cleared field, and two strokes; not each of 30 moves of the pen
    labels = page.locator(".digit-map").evaluate_all("maps => maps.map(map => map.getAttribute('aria-label'))")
    assert all(label.startswith(f"Map {number}: ") for number, label in enumerate(labels, 1))


def test_undo_takes_back_one_stroke(page):
    draw_stroke(page, THREE)
    once = network_input(page)
    draw_stroke(page, [(0, 0), (1, 1)])
    assert (network_input(page) != once).any()
    page.locator("#digit-undo").click()
    settle(page)
    assert (network_input(page) == once).all()
    page.locator("#digit-undo").click()
    settle(page)
    assert page.locator("#digit-answer").text_content() == "Draw something"


def test_keyboard_picks_test_images_and_gets_torchs_probabilities(page, record):
    answers = (*record.samples, *record.misclassified)
    page.locator("#digit-clear").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for answer in answers[:4]:
        settle(page)
        np.testing.assert_allclose(shares(page), answer.probabilities, atol=1e-4)
        assert network_input(page).ravel().tolist() == list(base64.b64decode(answer.pixels))
        assert f" {answer.true}, test image {answer.index}" in page.locator("#digit-source").text_content()
        page.keyboard.press("ArrowRight")


def test_drawing_after_a_pick_begins_anew(page):
    page.locator("#digit-picks input").first.check()
    settle(page)
    draw_stroke(page, [(0.5, 0), (0.5, 1)])
    assert page.locator("#digit-picks input:checked").count() == 0
    assert extent(network_input(page))[1] <= 5


def test_maps_show_the_first_layer_after_relu(page, network, record):
    page.locator("#digit-picks input").nth(2).check()
    settle(page)
    pixels = torch.tensor(list(base64.b64decode(record.samples[2].pixels)), dtype=torch.uint8).view(1, 28, 28)
    with torch.inference_mode():
        expected = network.relu1(network.conv1(normalise(pixels)))[0]
    expected = (255 * expected / expected.max()).numpy()
    np.testing.assert_allclose(opacities(page, ".digit-map"), expected, atol=0.51)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_section_at_work(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.locator("#digit-picks input").first.check()
    settle(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    results = page.evaluate("axe.run('section[aria-labelledby=digit]', {resultTypes: ['violations']})")
    page.emulate_media(color_scheme="light")
    assert [(rule["id"], node["html"][:200]) for rule in results["violations"] for node in rule["nodes"]] == []


def test_paper_shows_torchs_numbers_in_place_of_the_field(page, record):
    page.emulate_media(media="print")
    table = page.locator(".digit-table")
    assert table.is_visible()
    assert not page.locator("#digit-paper").is_visible()
    for row, sample in enumerate(record.samples):
        cells = table.locator("tbody tr").nth(row).locator("td").all_text_contents()
        assert cells == [str(sample.true), *(f"{100 * share:.1f}" for share in sample.probabilities)]
    page.emulate_media(media="screen")
    assert not table.is_visible()


def test_a_finger_draws_and_the_page_stays_where_it_is(browser, path):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.locator("#digit-paper").scroll_into_view_if_needed()
    settle(page)
    box, before = page.locator("#digit-paper").bounding_box(), page.evaluate("scrollY")
    touch = context.new_cdp_session(page)
    for kind, y in (
        ("touchStart", 0.2),
        ("touchMove", 0.4),
        ("touchMove", 0.6),
        ("touchMove", 0.8),
        ("touchEnd", None),
    ):
        at = [] if y is None else [{"x": box["x"] + box["width"] / 2, "y": box["y"] + y * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    settle(page)
    assert extent(network_input(page))[0] in (19, 20)
    assert sum(shares(page)) == pytest.approx(1, abs=1e-9)
    assert page.evaluate("scrollY") == before
    context.close()


def test_nothing_of_all_this_asked_for_anything(page, path):
    """The last test on this page: what the others did made no request, no complaint, no violation."""
    assert [line for line in page.noted if not line.startswith("data:")] == [path.as_uri()]
    assert page.evaluate("violations.length") == 0
