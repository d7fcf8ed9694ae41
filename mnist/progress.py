"""Progress of a training run on standard error: two bars on a terminal, else plain lines. Needs no torch."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from mnist.plan import TrainingPlan
from mnist.records import TEST_SET, EpochRecord, History


@dataclass(frozen=True)
class Progress:
    """Progress of an epoch: means over the images seen so far."""

    images: int
    loss: float
    accuracy: float
    learning_rate: float


class RunBars:
    """A bar for the run, with the time left, and one for the epoch."""

    def __init__(self, plan: TrainingPlan, done: int, *, hidden: bool) -> None:
        self._plan, self._hidden = plan, hidden
        epochs = range(1, plan.recipe.epochs + 1)
        costs = [plan.image_size(epoch) ** 2 * plan.images_in(epoch) for epoch in epochs]
        self._shares = [cost / sum(costs) for cost in costs]
        self._before = sum(self._shares[:done])
        text = "{desc} {percentage:3.0f}% {bar} {elapsed} gone, {remaining} left"
        self._run = tqdm(total=1.0, initial=self._before, desc="run  ", bar_format=text, disable=self._hidden)

    @contextmanager
    def epoch(self, epoch: int) -> Iterator["EpochBar"]:
        """Show the bar of an epoch, counted from 1, while it lasts."""
        title = f"epoch {epoch}/{self._plan.recipe.epochs}"
        share, images = self._shares[epoch - 1], self._plan.images_in(epoch)
        with tqdm(total=images, desc=title, unit=" images", leave=False, disable=self._hidden) as bar:
            yield EpochBar(bar, self._run, self._before, share / images)
        self._before += share

    def close(self) -> None:
        """Remove the run's bar."""
        self._run.leave = False
        self._run.close()


@dataclass(frozen=True)
class EpochBar:
    """The bar of one epoch, with loss, accuracy and learning rate; it advances the run's bar too."""

    bar: "tqdm[Any]"
    run: "tqdm[Any]"
    before: float
    """Fraction of the run that is done before this epoch."""
    per_image: float
    """Fraction of the run that one image of this epoch is."""

    def show(self, progress: Progress) -> None:
        """Advance to the progress of the epoch."""
        text = f"loss {progress.loss:.4f}, accuracy {progress.accuracy:.2%}, rate {progress.learning_rate:.3g}"
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(progress.images - self.bar.n)
        self.run.update(self.before + progress.images * self.per_image - self.run.n)


class Reporter:
    """Prints how a run goes, on standard error; silent in workers."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent

    def say(self, text: str) -> None:
        """Print a line."""
        if not self.silent:
            tqdm.write(text, file=sys.stderr)
            sys.stderr.flush()

    @contextmanager
    def run(self, history: History, images: int) -> Iterator[RunBars]:
        """Print what starts, and show the bars while it lasts."""
        done, recipe, hardware = len(history.epochs), history.recipe, history.hardware
        verb = f"Going on after epoch {done} with" if done else "Training"
        epochs = f"{recipe.epochs} epoch{'s' * (recipe.epochs > 1)}"
        run = f"recipe {history.recipe_name}, seed {history.seed}, {epochs}, {images:,} images"
        machine = f"{hardware.precision}, processes: {hardware.processes}, threads: {hardware.threads}"
        self.say(f"{verb} {run} ({machine})")
        bars = RunBars(TrainingPlan(recipe, images), done, hidden=self.silent or not sys.stderr.isatty())
        try:
            yield bars
        finally:
            bars.close()

    def epoch_done(self, record: EpochRecord, history: History) -> None:
        """Print an epoch's figures."""
        measured = "test" if history.measured_on == TEST_SET else "held-out"
        self.say(
            f"epoch {record.epoch:2}/{history.recipe.epochs}"
            f"  training loss {record.train_loss:.4f}, {record.train_accuracy:.2%}"
            f"  {measured} loss {record.test_loss:.4f}, {record.test_accuracy:.2%}  {record.seconds:.1f} s"
        )
