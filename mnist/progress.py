"""What a training run shows: two bars on a terminal, plain lines in a file. Needs no torch."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from mnist.history import TEST_IMAGES, EpochRecord, History
from mnist.plan import Plan


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands: means over what it has seen so far."""

    images: int
    loss: float
    accuracy: float
    learning_rate: float


class RunBars:
    """One bar for the run, with the time left, and one for the epoch."""

    def __init__(self, plan: Plan, done: int, *, hidden: bool) -> None:
        self._plan, self._hidden = plan, hidden
        epochs = range(1, plan.recipe.epochs + 1)
        costs = [plan.image_size(epoch) ** 2 * plan.images_in(epoch) for epoch in epochs]
        self._shares = [cost / sum(costs) for cost in costs]
        self._before = sum(self._shares[:done])
        text = "{desc} {percentage:3.0f}% {bar} {elapsed} gone, {remaining} left"
        self._run = tqdm(total=1.0, initial=self._before, desc="run  ", bar_format=text, disable=self._hidden)

    @contextmanager
    def epoch(self, epoch: int) -> Iterator["EpochBar"]:
        """Show an epoch, counted from 1, for as long as it lasts."""
        title = f"epoch {epoch}/{self._plan.recipe.epochs}"
        share, images = self._shares[epoch - 1], self._plan.images_in(epoch)
        with tqdm(total=images, desc=title, unit=" images", leave=False, disable=self._hidden) as bar:
            yield EpochBar(bar, self._run, self._before, share / images)
        self._before += share

    def close(self) -> None:
        """Take the run's bar away."""
        self._run.leave = False
        self._run.close()


@dataclass(frozen=True)
class EpochBar:
    """The bar of one epoch, with loss, accuracy and learning rate; it moves the run's bar too."""

    bar: "tqdm[Any]"
    run: "tqdm[Any]"
    before: float
    """Share of the run that is done before this epoch."""
    per_image: float
    """Share of the run that an image of this epoch stands for."""

    def show(self, progress: Progress) -> None:
        """Move on to where the epoch stands."""
        text = f"loss {progress.loss:.4f}, accuracy {progress.accuracy:.2%}, rate {progress.learning_rate:.3g}"
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(progress.images - self.bar.n)
        self.run.update(self.before + progress.images * self.per_image - self.run.n)


class Reporter:
    """Tells people how a run goes, on standard error; says nothing in processes that help another one."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent

    def say(self, text: str) -> None:
        """Print a line."""
        if not self.silent:
            tqdm.write(text, file=sys.stderr)
            sys.stderr.flush()

    @contextmanager
    def run(self, history: History, images: int) -> Iterator[RunBars]:
        """Say what starts, and show the bars for as long as it lasts."""
        done, recipe, hardware = len(history.epochs), history.recipe, history.hardware
        verb = f"Going on after epoch {done} with" if done else "Training"
        run = f"recipe {history.recipe_name}, seed {history.seed}, {recipe.epochs} epochs, {images:,} images"
        machine = f"{hardware.precision}, processes: {hardware.processes}, threads: {hardware.threads}"
        self.say(f"{verb} {run} ({machine})")
        bars = RunBars(Plan(recipe, images), done, hidden=self.silent or not sys.stderr.isatty())
        try:
            yield bars
        finally:
            bars.close()

    def epoch_done(self, record: EpochRecord, history: History) -> None:
        """Print an epoch's figures."""
        measured = "test" if history.measured_on == TEST_IMAGES else "held-out"
        self.say(
            f"epoch {record.epoch:2}/{history.recipe.epochs}"
            f"  training loss {record.train_loss:.4f}, {record.train_accuracy:.2%}"
            f"  {measured} loss {record.test_loss:.4f}, {record.test_accuracy:.2%}  {record.seconds:.1f} s"
        )
