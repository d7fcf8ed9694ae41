"""What training and evaluation write, as JSON: history.json, evaluation.json and weights.json. Needs no torch."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backprop import records
from mnist.constants import IMAGE_SIZE, PIXELS
from mnist.recipe import Recipe

TEST_SET, HELD_OUT_SET = "test", "held-out"
TRAIN, EVALUATE = (
    "run `make train`, which writes it",
    "run `make report`, or `python -m mnist evaluate`, which writes it",
)
OLD_NAMES: Mapping[str, str] = {
    "norm_size": "ghost_batch_size",
    "small_size": "crop_size",
    "small_share": "crop_epoch_fraction",
    "hard_share": "hard_example_fraction",
    "easy_share": "easy_example_fraction",
    "whole_first": "full_epochs_at_start",
    "whole_last": "full_epochs_at_end",
    "muon_rate": "muon_learning_rate",
    "deviation": "std",
    "edge": "image_size",
    "difficulty": "example_losses",
}
"""Names of version 0.1.0 in records and checkpoints → today's."""
Record = TypeVar("Record")


def update_names(value: Any) -> Any:
    """Replace old names among the keys of a record, at any depth; names of today stay."""
    if isinstance(value, dict):
        return {OLD_NAMES.get(key, key): update_names(item) for key, item in value.items()}
    return [update_names(item) for item in value] if isinstance(value, list | tuple) else value


def read_record(kind: type[Record], path: Path, remedy: str) -> Record:
    """Read a record of this or an earlier version. Raises BackpropError where it is missing or damaged."""
    return records.read_record(kind, path, remedy, update_names)


@dataclass(frozen=True)
class EpochRecord:
    """One pass over the training images, or over the hard examples and some of the others.

    Losses are mean cross-entropies in nats, accuracies are fractions.
    """

    epoch: int
    """Counted from 1."""
    images: int
    """Number of training images seen."""
    learning_rate: float
    """Of the epoch's last step."""
    train_loss: float
    """Mean over the epoch while the weights change, on augmented images, label smoothing included."""
    train_accuracy: float
    test_loss: float
    """After the epoch, of the weights that the checkpoint exports: the averaged ones once averaging has begun."""
    test_accuracy: float
    seconds: float
    """Wall-clock time of training and evaluation."""
    averaged: bool
    """Whether the evaluated weights are averaged ones."""


@dataclass(frozen=True)
class Versions:
    """Versions of the software that computed."""

    python: str
    torch: str
    torchvision: str
    numpy: str


@dataclass(frozen=True)
class Hardware:
    """The machine that computed, and how it was used."""

    cpu: str
    cores: int
    processes: int
    """Of the process group."""
    threads: int
    """Of each process."""
    device: str
    """`cpu`, `cuda` or `mps`."""
    platform: str
    precision: str
    """`float32` or `bfloat16`: what the recipe's `auto` became on this machine."""

    @property
    def description(self) -> str:
        """Describe the machine in one line."""
        used = f"processes: {self.processes}, threads each: {self.threads}"
        return f"{self.cpu}, {self.cores} cores, {used}, {self.precision}"


@dataclass(frozen=True)
class History:
    """A training run: its settings, versions and hardware, and one record per finished epoch."""

    recipe_name: str
    recipe: Recipe
    seed: int
    measured_on: str
    """`test`: the 10,000 test images, after training on all 60,000. `held-out`: 5,000 of the training images,
    after training on the other 55,000, to choose hyperparameters; its test_loss and test_accuracy are no result."""
    versions: Versions
    hardware: Hardware
    data: dict[str, str]
    """MD5 sums of the four uncompressed MNIST files."""
    epochs: tuple[EpochRecord, ...]

    @property
    def finished(self) -> bool:
        """Return whether every epoch of the recipe is done."""
        return len(self.epochs) >= self.recipe.epochs


def read_history(path: Path) -> History:
    """Read history.json. Raises BackpropError that names `make train` where it is missing, damaged or cut off."""
    return read_record(History, path, TRAIN)


@dataclass(frozen=True)
class LayerFacts:
    """One layer as torchsummary numbers them, computed from the module itself. Sizes in pixels, square throughout."""

    name: str
    """As in the checkpoint, for instance `conv1`."""
    kind: str
    """The torch class, for instance `Conv2d`."""
    kernel: int | None
    """Kernel size; None for an element-wise layer (ReLU, batch normalisation)."""
    stride: int | None
    padding: int | None
    channels: int
    """Of the output."""
    size: int
    """Height and width of the output."""
    receptive_field: int
    """Height and width of the input region that one output value depends on, padding included."""
    jump: int
    """Distance in input pixels between two neighbouring output values."""
    parameters: int
    """Trainable: weights and biases."""
    multiply_adds: int
    """Multiplications of a weight with a value for one image; convolutions only."""


@dataclass(frozen=True)
class Prediction:
    """One test image and the network's prediction."""

    index: int
    """In the test set, counted from 0."""
    true: int
    predicted: int
    probabilities: tuple[float, ...]
    """Of the digits 0 to 9; they sum to 1."""
    pixels: str
    """28 × 28 bytes, row by row, 0 (background) to 255 (ink), in base64."""

    def rows(self) -> list[bytes]:
        """Decode the image: 28 rows of 28 bytes."""
        content = base64.b64decode(self.pixels)
        return [content[start : start + IMAGE_SIZE] for start in range(0, PIXELS, IMAGE_SIZE)]


@dataclass(frozen=True)
class Evaluation:
    """The checkpoint's network on the 10,000 test images, and its architecture."""

    checkpoint_sha256: str
    """Of model.pt, so that a reader can tell whether both belong together."""
    epoch: int
    """The last one that these weights were trained for."""
    images: int
    correct: int
    """Number of correct predictions."""
    accuracy: float
    """A fraction: correct / images."""
    loss: float
    """Mean cross-entropy in nats."""
    parameters: int
    summary: str
    """The network as torchsummary prints it; ends with a newline."""
    confusion: tuple[tuple[int, ...], ...]
    """10 × 10 counts: row = true digit, column = predicted digit."""
    misclassified: tuple[Prediction, ...]
    """Every misclassified test image."""
    samples: tuple[Prediction, ...]
    """The first test images of each digit, 0 to 9, chosen by index alone, never by prediction."""
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
        """Decode the tensor. Raises ValueError where the bytes don't fill its shape."""
        return np.frombuffer(base64.b64decode(self.data, validate=True), "<f4").reshape(self.shape)


@dataclass(frozen=True)
class Weights:
    """All that is needed to run the network elsewhere, for instance in a page.

    An input value is (byte / 255 - mean) / std. Convolutions are cross-correlations, as everywhere in this field;
    batch normalisation is (x - running_mean) / sqrt(running_var + epsilon) · weight + bias.
    """

    checkpoint_sha256: str
    mean: float
    std: float
    epsilon: float
    tensors: dict[str, WeightTensor]
    """`conv1.weight`: (out, in, height, width), `conv1.bias`, `norm1.weight`, `norm1.bias`, `norm1.running_mean`,
    `norm1.running_var`, … `norm5.running_var`."""


def read_evaluation(path: Path) -> Evaluation:
    """Read evaluation.json. Raises BackpropError that names the make target where it is missing or damaged."""
    return read_record(Evaluation, path, EVALUATE)


def read_weights(path: Path) -> Weights:
    """Read weights.json. Raises BackpropError that names the make target where it is missing or damaged."""
    return read_record(Weights, path, EVALUATE)
