"""What an evaluation found: the records in evaluation.json and weights.json. Needs no torch: reports read them."""

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist.files import read_record, write_record

REMEDY = "run `make report`, or `python -m mnist evaluate`, which writes it"


@dataclass(frozen=True)
class LayerFacts:
    """One layer as torchsummary numbers them, computed from the module itself. Sizes in pixels, square throughout."""

    name: str
    """As in the checkpoint, for instance `conv1`."""
    kind: str
    """The torch class, for instance `Conv2d`."""
    kernel: int | None
    """Edge of the window; None for a layer that works on single values (ReLU, batch normalisation)."""
    stride: int | None
    padding: int | None
    channels: int
    """Of the output."""
    size: int
    """Edge of the output."""
    receptive_field: int
    """Edge of the input region that one output value depends on, padding included."""
    jump: int
    """Distance in input pixels between two neighbouring output values."""
    parameters: int
    """Trainable numbers: weights and biases."""
    multiply_adds: int
    """Multiplications of a weight with a value for one image; convolutions only."""


@dataclass(frozen=True)
class Answer:
    """One test image and what the network says of it."""

    index: int
    """Place in the test set, counted from 0."""
    true: int
    predicted: int
    probabilities: tuple[float, ...]
    """Ten, for the digits 0 to 9; they sum to 1."""
    pixels: str
    """28 × 28 bytes, row by row, 0 (paper) to 255 (ink), in base64."""

    def rows(self) -> list[bytes]:
        """Unpack the image: 28 rows of 28 bytes."""
        content = base64.b64decode(self.pixels)
        return [content[start : start + 28] for start in range(0, 784, 28)]


@dataclass(frozen=True)
class Evaluation:
    """How the checkpoint's weights do on the 10,000 test images, and what the network is."""

    checkpoint_sha256: str
    """Of model.pt, so that a page can tell whether both belong together."""
    epoch: int
    """The last one that these weights have seen."""
    images: int
    correct: int
    accuracy: float
    """A fraction: correct / images."""
    loss: float
    """Mean cross-entropy in nats."""
    parameters: int
    summary: str
    """The network as torchsummary prints it; ends with a newline."""
    confusion: tuple[tuple[int, ...], ...]
    """10 × 10 counts: row = true digit, column = the network's answer."""
    misclassified: tuple[Answer, ...]
    """Every test image that the network names wrongly."""
    samples: tuple[Answer, ...]
    """The first test images of each digit, 0 to 9, chosen by their place alone, never by how well the network does."""
    layers: tuple[LayerFacts, ...]
    data: dict[str, str]
    """MD5 sums of the four uncompressed MNIST files."""


@dataclass(frozen=True)
class WeightTensor:
    """One tensor of the network."""

    shape: tuple[int, ...]
    data: str
    """Little-endian float32 in C order, in base64."""

    def numbers(self) -> NDArray[np.float32]:
        """Unpack the numbers in their shape. Raises ValueError where they don't fill it."""
        return np.frombuffer(base64.b64decode(self.data, validate=True), "<f4").reshape(self.shape)


@dataclass(frozen=True)
class Weights:
    """All that is needed to run the network elsewhere, for instance in a page.

    An input value is (byte / 255 - mean) / deviation. Convolutions are cross-correlations, as everywhere in this field;
    batch normalisation is (x - running_mean) / sqrt(running_var + epsilon) · weight + bias.
    """

    checkpoint_sha256: str
    mean: float
    deviation: float
    epsilon: float
    tensors: dict[str, WeightTensor]
    """`conv1.weight`: (out, in, height, width), `conv1.bias`, `norm1.weight`, `norm1.bias`, `norm1.running_mean`,
    `norm1.running_var`, … `norm5.running_var`."""


def read_evaluation(path: Path) -> Evaluation:
    """Read evaluation.json. Raises MnistError that names the make target where it is missing or damaged."""
    return read_record(Evaluation, path, REMEDY)


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write evaluation.json atomically. Raises MnistError where it can't be written."""
    write_record(path, evaluation)


def read_weights(path: Path) -> Weights:
    """Read weights.json. Raises MnistError that names the make target where it is missing or damaged."""
    return read_record(Weights, path, REMEDY)


def write_weights(path: Path, weights: Weights) -> None:
    """Write weights.json atomically. Raises MnistError where it can't be written."""
    write_record(path, weights)
