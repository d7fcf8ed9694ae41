"""What a training run was and how it went: the records in history.json. Needs no torch: reports read them."""

from dataclasses import dataclass
from pathlib import Path

from mnist.files import read_record, write_record
from mnist.recipe import Recipe

TEST_IMAGES, HELD_OUT_IMAGES = "test", "held-out"


@dataclass(frozen=True)
class EpochRecord:
    """One pass over the training images, or over those that are still hard.

    Losses are mean cross-entropies in nats, accuracies are fractions.
    """

    epoch: int
    """Counted from 1."""
    images: int
    """How many it trained on."""
    learning_rate: float
    """Of the epoch's last step."""
    train_loss: float
    """Mean over the epoch while it trained, so of changing weights and on shifted images, smoothed labels included."""
    train_accuracy: float
    test_loss: float
    """After the epoch, of the weights that the checkpoint gives away: the averaged ones once averaging has begun."""
    test_accuracy: float
    seconds: float
    """Wall-clock time of training and measuring."""
    averaged: bool
    """Whether the measured weights are averaged ones."""


@dataclass(frozen=True)
class Versions:
    """The software that computed."""

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
    """That trained together."""
    threads: int
    """Of each process."""
    device: str
    """`cpu`, `cuda` or `mps`."""
    platform: str
    precision: str
    """`float32` or `bfloat16`: what the recipe's `auto` became on this machine."""


@dataclass(frozen=True)
class History:
    """A whole run: what was asked, where it ran, and one record per epoch done."""

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
        """Tell whether every epoch of the recipe is done."""
        return len(self.epochs) >= self.recipe.epochs


def read_history(path: Path) -> History:
    """Read history.json. Raises MnistError that names `make train` where it is missing, damaged or cut off."""
    return read_record(History, path, "run `make train`, which writes it")


def write_history(path: Path, history: History) -> None:
    """Write history.json atomically. Raises MnistError where it can't be written."""
    write_record(path, history)
