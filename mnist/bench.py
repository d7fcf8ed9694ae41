"""Benchmarks: the assignment's recipe as its author ran it, and ours, side by side on this machine.

Reports read the records, so torch is imported only by what measures.
"""

import itertools
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist.constants import IMAGE_SIZE, PIXEL_MEAN, PIXEL_STD, REQUIRED_ACCURACY, TRAINING_IMAGES
from mnist.errors import MnistError
from mnist.recipe import RECIPES, Recipe
from mnist.records import Hardware, History, Versions, read_history, read_record
from mnist.study import summarise_run

if TYPE_CHECKING:
    from mnist.data import Dataset
    from mnist.model import ConvNet

EPOCHS_FILE, RACE_FILE = "bench-epochs.json", "bench-race.json"
REMEDY = "run `make bench`, which writes it anew, or move it away"
COMPARED_RECIPE = "fast"
"""The recipe that is compared with the assignment's."""
STEPS, WARM_UP = 100, 20
"""Steps of the assignment's epoch that are timed, and those before them that are not."""
_MATRIX, _PRODUCTS = 2048, 8
_FORWARD_AND_BACKWARD = 3
"""A backward pass has two products where the forward pass has one."""


@dataclass(frozen=True)
class EpochCost:
    """Time and operations of one training epoch."""

    name: str
    seconds: float
    images: int
    """Number of training images."""
    image_size: int
    """Height and width of an image in pixels."""
    precision: str
    operations: float
    """Floating-point operations of the epoch, in convolutions alone, forward and backward."""
    peak: float
    """Operations a second of large matrix products in this precision, which nothing on the machine exceeds."""

    @property
    def rate(self) -> float:
        """Return the throughput in images a second."""
        return self.images / self.seconds

    @property
    def share(self) -> float:
        """Return the utilisation: operations a second as a fraction of the machine's peak."""
        return self.operations / self.seconds / self.peak


@dataclass(frozen=True)
class EpochCosts:
    """Epochs measured in one call, the assignment's first."""

    versions: Versions
    hardware: Hardware
    costs: tuple[EpochCost, ...]


@dataclass(frozen=True)
class Race:
    """Time of a recipe to the required accuracy: to the end of the first epoch at 99.4 % or more."""

    name: str
    seconds: float
    epochs: int
    accuracy: float
    """After that epoch, or after the last one where none reached it."""

    @property
    def reached(self) -> bool:
        """Return whether it reached the required accuracy."""
        return self.accuracy >= REQUIRED_ACCURACY


@dataclass(frozen=True)
class Races:
    """Trainings to the required accuracy in one call, one after the other: the assignment's first, then ours."""

    versions: Versions
    hardware: Hardware
    races: tuple[Race, ...]

    @property
    def ratio(self) -> float:
        """Return the first one's time divided by the last one's."""
        return self.races[0].seconds / self.races[-1].seconds


@dataclass(frozen=True)
class Benchmarks:
    """The benchmarks in a folder; None for one that has not run."""

    epochs: EpochCosts | None = None
    race: Races | None = None


def read_benchmarks(output: Path) -> Benchmarks:
    """Read the benchmarks in a folder. Raises MnistError where one is damaged."""
    epochs, race = output / EPOCHS_FILE, output / RACE_FILE
    found = Benchmarks(
        read_record(EpochCosts, epochs, REMEDY) if epochs.exists() else None,
        read_record(Races, race, REMEDY) if race.exists() else None,
    )
    costs, races = found.epochs.costs if found.epochs else None, found.race.races if found.race else None
    if costs is not None and not (
        costs and all(_is_positive(cost.seconds) and _is_positive(cost.peak) for cost in costs)
    ):
        raise MnistError(f"{epochs} is damaged (impossible numbers): {REMEDY}")
    if races is not None and not (len(races) == 2 and all(_is_positive(each.seconds) for each in races)):
        raise MnistError(f"{race} is damaged (impossible numbers): {REMEDY}")
    return found


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def measure_epochs(data: Path, recipe_name: str = COMPARED_RECIPE) -> EpochCosts:
    """Time an epoch of `course`, and one epoch of each image size of another recipe.

    `course` runs as its author ran it: DataLoader, torchvision's transforms image by image, float32, all threads.
    The other recipe runs as `python -m mnist train` does, in a process of its own. The course's steps are timed before
    and after, so that other load on the machine affects both. The files must lie in the data folder.
    """
    from mnist.model import ConvNet

    course = RECIPES["course"]
    steps = _course_steps(data, course, ConvNet().train())
    before = _time(steps)
    sizes, history = _train_epochs(data, recipe_name)
    seconds = (before + _time(steps)) / 2 * math.ceil(TRAINING_IMAGES / course.batch_size)
    costs = [_cost("course", seconds, TRAINING_IMAGES, IMAGE_SIZE, "float32")]
    for size, record in zip(sizes, history.epochs, strict=True):
        name = f"{recipe_name}, {size} × {size} pixels"
        costs.append(_cost(name, record.seconds, record.images, size, history.hardware.precision))
    return EpochCosts(history.versions, history.hardware, tuple(costs))


def _cost(name: str, seconds: float, images: int, image_size: int, precision: str) -> EpochCost:
    from mnist.model import count_multiply_adds

    operations = 2.0 * _FORWARD_AND_BACKWARD * count_multiply_adds(image_size) * images
    return EpochCost(name, seconds, images, image_size, precision, operations, _measure_peak(precision))


def _measure_peak(precision: str) -> float:
    """Measure the operations a second of large matrix products, which nothing on this machine exceeds."""
    import torch

    left, right = (torch.randn(_MATRIX, _MATRIX, dtype=getattr(torch, precision)) for _ in range(2))
    best = math.inf
    for _ in range(_PRODUCTS):
        start = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * _MATRIX**3 / best


def _time(steps: Iterator[object]) -> float:
    """Measure the seconds of a step."""
    for _ in itertools.islice(steps, WARM_UP):
        pass
    start = time.perf_counter()
    for _ in itertools.islice(steps, STEPS):
        pass
    return (time.perf_counter() - start) / STEPS


def _train_epochs(data: Path, name: str) -> tuple[list[int], History]:
    """Train one full epoch of each image size; returns the sizes and the run."""
    recipe = RECIPES[name]
    sizes = [recipe.crop_size, IMAGE_SIZE] if recipe.crop_epoch_fraction else [IMAGE_SIZE]
    crops = "0.5" if recipe.crop_epoch_fraction else "0"
    changes = [f"--crop-epoch-fraction={crops}", "--averaging-start=1", "--hard-example-fraction=1"]
    return sizes, _train(data, ["--recipe", name, f"--epochs={len(sizes)}", *changes])


def _train(data: Path, arguments: list[str]) -> History:
    with tempfile.TemporaryDirectory() as folder:
        command = ["train", *arguments, f"--data={data}", f"--output={folder}"]
        done = subprocess.run([sys.executable, "-m", "mnist", *command], stdout=subprocess.DEVNULL)
        if done.returncode:
            raise MnistError("the training that was to be timed failed: see above")
        return read_history(Path(folder, "history.json"))


def _course_steps(data: Path, recipe: Recipe, network: "ConvNet") -> Iterator[None]:
    """Train as the assignment's author did, a step at a time, without end."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader
    from torchvision.datasets import MNIST
    from torchvision.transforms import Compose, Normalize, ToTensor

    images = MNIST(str(data), train=True, transform=Compose([ToTensor(), Normalize((PIXEL_MEAN,), (PIXEL_STD,))]))
    optimizer = torch.optim.SGD(network.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, recipe.decay_epochs, recipe.decay_factor)
    while True:
        network.train()
        for batch, labels in DataLoader(images, batch_size=recipe.batch_size, shuffle=True):
            optimizer.zero_grad()
            cross_entropy(network(batch), labels).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            yield None
        schedule.step()


def race(data: Path, dataset: "Dataset", say: Callable[[str], None]) -> Races:
    """Train `fast` and `course`, one after the other, until an epoch ends at 99.4 % or more."""
    say(f"running {COMPARED_RECIPE} …")
    history = _train(data, ["--recipe", COMPARED_RECIPE])
    found = summarise_run(history)
    epochs = found.epochs_to_goal or len(history.epochs)
    seconds = found.seconds_to_goal or found.seconds
    ours = Race(COMPARED_RECIPE, seconds, epochs, history.epochs[epochs - 1].test_accuracy)
    return Races(history.versions, history.hardware, (_race_course(data, dataset, say), ours))


def _race_course(data: Path, dataset: "Dataset", say: Callable[[str], None]) -> Race:
    import torch

    from mnist.model import ConvNet
    from mnist.training import measure

    recipe = RECIPES["course"]
    torch.manual_seed(0)
    network = ConvNet()
    steps, accuracy = _course_steps(data, recipe, network), 0.0
    start, epoch = time.perf_counter(), 0
    for epoch in range(1, recipe.epochs + 1):
        for _ in itertools.islice(steps, math.ceil(TRAINING_IMAGES / recipe.batch_size)):
            pass
        accuracy = measure(network, dataset.test_images, dataset.test_labels).accuracy
        say(f"course, epoch {epoch}: {accuracy:.2%} after {time.perf_counter() - start:.0f} s")
        if accuracy >= REQUIRED_ACCURACY:
            break
    return Race("course", time.perf_counter() - start, epoch, accuracy)


def describe_epochs(found: EpochCosts) -> str:
    """Format the epochs' costs, one line each."""
    lines = [
        f"{cost.name:<28}{cost.seconds:7.1f} s  {cost.rate:8,.0f} images/s  {cost.precision:<8}"
        f"  {cost.share:5.0%} of {cost.peak / 1e9:.0f} GFLOP/s"
        f"  {cost.seconds / found.costs[0].seconds:5.2f} of the course's epoch"
        for cost in found.costs
    ]
    title = "training epochs that see all images (ours with evaluation on the test images)"
    return "\n".join([found.hardware.description, title, *lines])


def describe_race(found: Races) -> str:
    """Format the times to the required accuracy."""
    title = "from the start of training to the first epoch that ends at 99.4 % or more"
    return "\n".join([found.hardware.description, title, *map(_line, found.races), *_verdict(found)])


def _line(race: Race) -> str:
    line = f"{race.name:<10}{race.seconds:8.1f} s  {race.epochs:2} epochs  {race.accuracy:.2%}"
    return line if race.reached else f"{line}  (99.4 % not reached)"


def _verdict(found: Races) -> Iterable[str]:
    first, last = found.races[0], found.races[-1]
    if first.reached and last.reached:
        yield f"{first.name} took {found.ratio:.1f} times as long as {last.name}"
