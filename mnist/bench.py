"""What training costs: the assignment's way, as its author ran it, and ours, side by side on this machine."""

import itertools
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import Compose, Normalize, ToTensor

from mnist.asked import LEAST_ACCURACY
from mnist.costs import EpochCost, EpochCosts, Race, Races
from mnist.data import Dataset
from mnist.errors import MnistError
from mnist.history import History, read_history
from mnist.model import DEVIATION, MEAN, Network, multiply_adds
from mnist.plan import TRAINING_IMAGES
from mnist.recipe import FULL_SIZE, RECIPES, Recipe
from mnist.study import result_of
from mnist.training import measure

CONTENDER = "fast"
"""The recipe that is held against the course's."""
STEPS, WARM_UP = 100, 20
"""Steps of the course's epoch that are timed, and those before them that are not."""
_MATRIX, _PRODUCTS = 2048, 8
_FORWARD_AND_BACKWARD = 3
"""A backward pass has two products where the forward pass has one."""


def epoch_costs(data: Path, recipe_name: str = CONTENDER) -> EpochCosts:
    """Time an epoch of `course`, and one epoch of each image size of another recipe.

    `course` runs as its author ran it: DataLoader, torchvision's transforms image by image, float32, all threads.
    The other recipe runs as `python -m mnist train` does, in a process of its own. The course's steps are timed before
    and after, so that a change in what else the machine does shows in both. The files must lie in the data folder.
    """
    course = RECIPES["course"]
    steps = _course_steps(data, course, Network().train())
    before = _time(steps)
    edges, history = _our_epochs(data, recipe_name)
    seconds = (before + _time(steps)) / 2 * math.ceil(TRAINING_IMAGES / course.batch_size)
    costs = [_cost("course", seconds, TRAINING_IMAGES, FULL_SIZE, "float32")]
    for edge, record in zip(edges, history.epochs, strict=True):
        name = f"{recipe_name}, {edge} × {edge} pixels"
        costs.append(_cost(name, record.seconds, record.images, edge, history.hardware.precision))
    return EpochCosts(history.versions, history.hardware, tuple(costs))


def _cost(name: str, seconds: float, images: int, edge: int, precision: str) -> EpochCost:
    operations = 2.0 * _FORWARD_AND_BACKWARD * multiply_adds(edge) * images
    return EpochCost(name, seconds, images, edge, precision, operations, matrix_peak(getattr(torch, precision)))


def _time(steps: Iterator[object]) -> float:
    """Give the seconds of a step."""
    for _ in itertools.islice(steps, WARM_UP):
        pass
    start = time.perf_counter()
    for _ in itertools.islice(steps, STEPS):
        pass
    return (time.perf_counter() - start) / STEPS


def _our_epochs(data: Path, name: str) -> tuple[list[int], History]:
    """Train one whole epoch of each image size; gives the sizes and the run."""
    recipe = RECIPES[name]
    edges = [recipe.small_size, FULL_SIZE] if recipe.small_share else [FULL_SIZE]
    share = "0.5" if recipe.small_share else "0"
    changes = [f"--epochs={len(edges)}", f"--small-share={share}", "--averaging-start=1", "--hard-share=1"]
    with tempfile.TemporaryDirectory() as folder:
        return edges, _trained(["--recipe", name, *changes, f"--data={data}", f"--output={folder}"], Path(folder))


def _trained(arguments: list[str], folder: Path) -> History:
    done = subprocess.run([sys.executable, "-m", "mnist", "train", *arguments], stdout=subprocess.DEVNULL)
    if done.returncode:
        raise MnistError("the training that was to be timed failed: see above")
    return read_history(folder / "history.json")


def _course_steps(data: Path, recipe: Recipe, network: Network) -> Iterator[None]:
    """Train as the assignment's author did, a step at a time, without end."""
    images = MNIST(str(data), train=True, transform=Compose([ToTensor(), Normalize((MEAN,), (DEVIATION,))]))
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


def matrix_peak(dtype: torch.dtype) -> float:
    """Measure the operations a second of large matrix products, which nothing on this machine exceeds."""
    left, right = (torch.randn(_MATRIX, _MATRIX, dtype=dtype) for _ in range(2))
    best = math.inf
    for _ in range(_PRODUCTS):
        start = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * _MATRIX**3 / best


def races(data: Path, dataset: Dataset, say: Callable[[str], None]) -> Races:
    """Run `fast` and `course`, one after the other, until an epoch ends at 99.4 % or more."""
    with tempfile.TemporaryDirectory() as folder:
        say(f"running {CONTENDER} …")
        history = _trained(["--recipe", CONTENDER, f"--data={data}", f"--output={folder}"], Path(folder))
    found = result_of(history)
    epochs = found.epochs_to_goal or len(history.epochs)
    seconds = found.seconds_to_goal or found.seconds
    ours = Race(CONTENDER, seconds, epochs, history.epochs[epochs - 1].test_accuracy)
    return Races(history.versions, history.hardware, (_course_race(data, dataset, say), ours))


def _course_race(data: Path, dataset: Dataset, say: Callable[[str], None]) -> Race:
    recipe = RECIPES["course"]
    torch.manual_seed(0)
    network = Network()
    steps, accuracy = _course_steps(data, recipe, network), 0.0
    start, epoch = time.perf_counter(), 0
    for epoch in range(1, recipe.epochs + 1):
        for _ in itertools.islice(steps, math.ceil(TRAINING_IMAGES / recipe.batch_size)):
            pass
        accuracy = measure(network, dataset.test_images, dataset.test_labels).accuracy
        say(f"course, epoch {epoch}: {accuracy:.2%} after {time.perf_counter() - start:.0f} s")
        if accuracy >= LEAST_ACCURACY:
            break
    return Race("course", time.perf_counter() - start, epoch, accuracy)
