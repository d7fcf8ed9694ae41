"""A training run on disk: begin, go on, keep, or move aside, and files that are right after every epoch."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mnist import checkpoint
from mnist.checkpoint import Checkpoint
from mnist.data import Dataset
from mnist.errors import MnistError
from mnist.files import check_writable
from mnist.history import HELD_OUT_IMAGES, TEST_IMAGES, Hardware, History, write_history
from mnist.idx import MD5_SUMS
from mnist.progress import Reporter
from mnist.provenance import versions
from mnist.recipe import Recipe
from mnist.team import ALONE, Team
from mnist.training import Training

# The checkpoint comes last: while it is there, the run counts as not yet moved.
FILES = ("evaluation.json", "weights.json", "history.json", "model.pt")


@dataclass(frozen=True)
class Settings:
    """What the user asked for."""

    recipe_name: str
    recipe: Recipe
    seed: int
    held_out: bool = False

    @property
    def measured_on(self) -> str:
        """Name the images that the epochs are measured on."""
        return HELD_OUT_IMAGES if self.held_out else TEST_IMAGES


@dataclass(frozen=True)
class Handling:
    """What to do with a run that is already there."""

    keep_finished: bool = False
    restart: bool = False


def run_folder(output: Path, held_out: bool) -> Path:
    """Give runs on held-out images a folder of their own: they are no result and never take a result's place."""
    return output / "held-out" if held_out else output


def existing_run(folder: Path) -> Checkpoint | None:
    """Read the run that is there, if any. Raises MnistError where its checkpoint is damaged."""
    return checkpoint.load(folder / "model.pt") if (folder / "model.pt").exists() else None


def differences(history: History, settings: Settings) -> list[str]:
    """Name the settings of a run that are not the asked ones, as `name there (asked for: here)`."""
    pairs = [("recipe", history.recipe_name, settings.recipe_name), ("seed", history.seed, settings.seed)]
    if history.recipe_name == settings.recipe_name:
        names = [field.name for field in dataclasses.fields(Recipe)]
        pairs = pairs[1:] + [(name, getattr(history.recipe, name), getattr(settings.recipe, name)) for name in names]
    pairs.append(("measured on", history.measured_on, settings.measured_on))
    return [f"{name} {there} (asked for: {asked})" for name, there, asked in pairs if there != asked]


def choose(folder: Path, settings: Settings, handling: Handling, reporter: Reporter) -> Checkpoint | None:
    """Decide what the run that is there, if any, is good for: give it to be kept or continued, else None.

    Raises MnistError where an unfinished run has other settings, or a checkpoint is damaged and --restart not given.
    """
    try:
        found = existing_run(folder)
    except MnistError:
        if not handling.restart:
            raise
        found = None
    if found and not handling.restart:
        others = ", ".join(differences(found.history, settings))
        if found.history.finished and handling.keep_finished:
            reporter.say(f"Keeping the finished run in {folder}" + (f" with {others}" if others else ""))
            return found
        if not found.history.finished:
            if others:
                remedy = "ask for the same to go on with it, or add --restart to move it aside and begin anew"
                raise MnistError(f"{folder} holds an unfinished run with {others}: {remedy}")
            return found
    return None


def keep(folder: Path, found: Checkpoint) -> History:
    """Leave a finished run alone, but for a history.json that may be missing or older than the checkpoint."""
    write_history(folder / "history.json", found.history)
    return found.history


def _move_aside(folder: Path, reporter: Reporter) -> None:
    present = [folder / name for name in FILES if (folder / name).exists()]
    if not present:
        return
    earlier = folder / "earlier"
    taken = [int(path.name) for path in earlier.glob("*") if path.name.isdecimal()]
    place = earlier / str(max(taken, default=0) + 1)
    try:
        place.mkdir(parents=True)
        for path in present:
            path.replace(place / path.name)
    except OSError as cause:
        remedy = "move it away by hand or choose another folder with --output"
        raise MnistError(f"the run in {folder} can't be moved to {place} ({cause.strerror}): {remedy}") from cause
    reporter.say(f"Moved the run that was there to {place}")


@dataclass(frozen=True)
class Job:
    """What is left to train, as the leader tells it to the other processes."""

    history: History
    states: dict[str, Any] | None
    """Of the checkpoint to go on from; None for a run that begins."""


def begin(settings: Settings, found: Checkpoint | None, machine: Hardware) -> Job:
    """Turn what was asked and what was found into what is to do."""
    if found:
        return Job(found.history, found.states)
    history = History(
        recipe_name=settings.recipe_name,
        recipe=settings.recipe,
        seed=settings.seed,
        measured_on=settings.measured_on,
        versions=versions(),
        hardware=machine,
        data=dict(MD5_SUMS),
        epochs=(),
    )
    return Job(history, None)


def train(
    job: Job, dataset: Dataset, folder: Path, reporter: Reporter, team: Team = ALONE, device: str = "cpu"
) -> History:
    """Train what is left of the run, or a new one, writing checkpoint and history after every epoch.

    Before a new run begins, whatever run is in the folder is moved to `earlier`/N in it. Only the team's leader
    touches the folder.

    Raises MnistError where the loss is no number any more, a file can't be written, or another training is at work in
    the folder; the last good files stay.
    """
    training = Training(job.history.recipe, job.history.seed, job.history.hardware.precision, dataset, team, device)
    if not team.leads:
        return _train_epochs(job, training, reporter, lambda history, training: None)
    check_writable(folder)
    try:
        with FileLock(folder / ".training.lock", timeout=0):
            if job.states:
                write_history(folder / "history.json", job.history)
            else:
                _move_aside(folder, reporter)
            return _train_epochs(job, training, reporter, partial(_write, folder))
    except Timeout:
        raise MnistError(f"another training is at work in {folder}: wait for it, or choose another --output") from None


def _train_epochs(
    job: Job, training: Training, reporter: Reporter, write: Callable[[History, Training], None]
) -> History:
    history, images = job.history, len(training.dataset.train_labels)
    if job.states:
        training.load_states(job.states)
    with reporter.run(history, images) as bars:
        for epoch in range(len(history.epochs) + 1, history.recipe.epochs + 1):
            with bars.epoch(epoch) as bar:
                record = training.run_epoch(epoch, bar.show)
            history = dataclasses.replace(history, epochs=(*history.epochs, record))
            write(history, training)
            reporter.epoch_done(record, history)
    return history


def _write(folder: Path, history: History, training: Training) -> None:
    checkpoint.save(folder / "model.pt", Checkpoint(history, training.states()))
    write_history(folder / "history.json", history)
