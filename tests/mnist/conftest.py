"""The images, a part of them, and a short training run."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from shared import shared_folder

from mnist import run
from mnist.data import Dataset, load
from mnist.machine import hardware
from mnist.progress import Reporter
from mnist.recipe import RECIPES, Recipe
from mnist.run import RunSettings

THIS_MACHINE = hardware(processes=1, threads=1, device="cpu", precision="float32")
TINY = dataclasses.replace(RECIPES["accurate"], epochs=3, precision="float32")


@pytest.fixture(scope="session", autouse=True)
def one_thread_for_fixtures() -> None:
    """Runs that tests share are made before the first test's own fixtures, and other threads give other bits."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Batches this small gain nothing from a second thread; a test may ask for more, and the next has one again."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The project's own data folder, so that the images are downloaded once and not once per test run."""
    folder = Path(__file__).parents[2] / "data"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):  # several test processes may begin together
        load(folder)
    return folder


@pytest.fixture(scope="session")
def dataset(data_folder: Path) -> Dataset:
    return load(data_folder)


@pytest.fixture(scope="session")
def part(dataset: Dataset) -> Dataset:
    """So few images that an epoch takes a moment; 650 is no multiple of the batch size."""
    return Dataset(
        dataset.train_images[:650], dataset.train_labels[:650], dataset.test_images[:300], dataset.test_labels[:300]
    )


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    return TINY


@pytest.fixture(scope="session")
def finished_run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, trained on few images and measured on all 10,000; not to be changed."""
    few = dataclasses.replace(
        dataset, train_images=dataset.train_images[:1920], train_labels=dataset.train_labels[:1920]
    )

    def fill(folder: Path) -> None:
        settings = RunSettings("accurate", dataclasses.replace(TINY, epochs=1), seed=1)
        run.train(run.begin(settings, None, THIS_MACHINE), few, folder, Reporter())

    return shared_folder(tmp_path_factory, "finished", fill)
