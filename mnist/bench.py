"""How long a training epoch takes: the assignment's way and ours, side by side."""

import itertools
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import Compose, Normalize, ToTensor

from mnist.data import Dataset
from mnist.model import DEVIATION, MEAN, Network
from mnist.provenance import precision_here
from mnist.recipe import DEFAULT_RECIPE, RECIPES, Recipe
from mnist.training import Training

ROUNDS, WARM_UP = 5, 10
STEPS_PER_ROUND = 30


def seconds_per_epoch(data: Path, dataset: Dataset) -> dict[str, float]:
    """Measure the training part of an epoch: name of the recipe → seconds.

    Both take turns in short rounds, so that whatever else the machine does slows both. The median round of each is
    scaled from its steps to those of an epoch. `course` runs as its author ran it: DataLoader, torchvision's
    transforms image by image, float32. The files must lie in the data folder already.
    """
    course = RECIPES["course"]
    contestants = {"course": _course_steps(data, course), DEFAULT_RECIPE: _own_steps(dataset, RECIPES[DEFAULT_RECIPE])}
    for steps in contestants.values():
        _time(steps, WARM_UP)
    rounds = [{name: _time(steps, STEPS_PER_ROUND) for name, steps in contestants.items()} for _ in range(ROUNDS)]
    epoch = {name: math.ceil(len(dataset.train_labels) / RECIPES[name].batch_size) for name in contestants}
    return {
        name: sorted(taken[name] for taken in rounds)[ROUNDS // 2] * epoch[name] / STEPS_PER_ROUND
        for name in contestants
    }


def _time(steps: Iterator[object], count: int) -> float:
    start = time.perf_counter()
    for _ in itertools.islice(steps, count):
        pass
    return time.perf_counter() - start


def _own_steps(dataset: Dataset, recipe: Recipe) -> Iterator[object]:
    training = Training(recipe, 0, precision_here(recipe.precision, "cpu"), dataset)
    return itertools.chain.from_iterable(training.steps(epoch) for epoch in itertools.count(1))


def _course_steps(data: Path, recipe: Recipe) -> Iterator[object]:
    images = MNIST(str(data), train=True, transform=Compose([ToTensor(), Normalize((MEAN,), (DEVIATION,))]))
    network = Network().train()
    optimizer = torch.optim.SGD(network.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum)
    while True:
        for batch, labels in DataLoader(images, batch_size=recipe.batch_size, shuffle=True):
            optimizer.zero_grad()
            cross_entropy(network(batch), labels).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            yield None


def describe(seconds: dict[str, float]) -> str:
    """Tell what was measured, one line a figure."""
    course, own = seconds["course"], seconds[DEFAULT_RECIPE]
    return "\n".join(
        [
            f"training epoch, course (the assignment's recipe, DataLoader, float32)  {course:6.1f} s",
            f"training epoch, {f'{DEFAULT_RECIPE} (threads: {torch.get_num_threads()})':52}{own:8.1f} s",
            f"share of the course's epoch  {own / course:46.2f}    (aim: below 0.50)",
        ]
    )
