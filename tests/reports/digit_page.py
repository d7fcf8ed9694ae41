"""A network that has learnt a little, MNIST's images, and hands and eyes for the page's field to draw in."""

import base64
import dataclasses
from pathlib import Path

import numpy as np
import records
import torch
from playwright.sync_api import expect
from torch.nn import functional

from mnist import evaluation
from mnist.data import Dataset, load
from mnist.model import ConvNet, new_network, normalise
from mnist.records import Prediction
from reports.inputs import Inputs

IMAGES = 100
# A 3, as parts of a field of any place and size.
THREE = [(0.1, 0.1), (0.8, 0.0), (0.4, 0.4), (0.9, 0.6), (0.8, 0.9), (0.1, 0.95)]


@dataclasses.dataclass(frozen=True)
class Learnt:
    """A network, some images, and what torch computes of them."""

    network: ConvNet
    images: torch.Tensor
    logits: torch.Tensor
    samples: tuple[Prediction, ...]
    misclassified: tuple[Prediction, ...]


@dataclasses.dataclass(frozen=True)
class Digits:
    """What torch found, and the page that is to find the same."""

    learnt: Learnt
    inputs: Inputs
    path: Path


def learn():
    """Train for a few steps, and run the first hundred test images through the network."""
    whole = load(Path(__file__).parents[2] / "data")
    dataset = Dataset(
        whole.train_images[:1280], whole.train_labels[:1280], whole.test_images[:IMAGES], whole.test_labels[:IMAGES]
    )
    network = _trained(dataset)
    with torch.inference_mode():
        logits = network(normalise(dataset.test_images))
    answers = (
        chosen(dataset, logits.softmax(1)) for chosen in (evaluation.choose_samples, evaluation.find_misclassified)
    )
    return Learnt(network, dataset.test_images, logits, *answers)


def _trained(dataset):
    """Train, so that weights and running statistics are like those of a trained network."""
    torch.set_num_threads(1)
    network = new_network(seed=3).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for images, labels in zip(dataset.train_images.split(64), dataset.train_labels.split(64), strict=True):
        optimizer.zero_grad()
        functional.cross_entropy(network(normalise(images)), labels).backward()
        optimizer.step()
    return network.eval()


def inputs_of(learnt):
    """Make the records of that network, as far as the section reads them."""
    answers = {"samples": learnt.samples, "misclassified": learnt.misclassified}
    return records.inputs(
        evaluation=dataclasses.replace(records.evaluation(), **answers),
        weights=evaluation.export_weights(learnt.network, records.weights().checkpoint_sha256),
    )


def pixels_of(answer):
    """Unpack an image of a record: (28, 28)."""
    return np.frombuffer(base64.b64decode(answer.pixels), np.uint8).reshape(28, 28).copy()


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
