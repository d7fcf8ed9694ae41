"""A training run: start or join its processes, and begin, resume, keep or move aside what is on disk."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from backprop.cores import count_cores
from backprop.files import check_writable
from backprop.records import write_record
from mnist import checkpoint, distributed
from mnist.checkpoint import Checkpoint
from mnist.data import Dataset, hold_out, load
from mnist.distributed import SINGLE_PROCESS, ProcessGroup
from mnist.errors import MnistError
from mnist.idx import MD5_SUMS
from mnist.machine import choose_device, choose_processes, hardware, keep_freed_memory, versions
from mnist.progress import Reporter
from mnist.recipe import Recipe
from mnist.records import HELD_OUT_SET, TEST_SET, Hardware, History
from mnist.training import Training

# The checkpoint comes last: while it is there, the run counts as not yet moved.
FILES = ("evaluation.json", "weights.json", "history.json", "model.pt")


@dataclass(frozen=True)
class RunSettings:
    """What determines a run."""

    recipe_name: str
    recipe: Recipe
    seed: int
    held_out: bool = False

    @property
    def measured_on(self) -> str:
        """Return the name of the images that the epochs are evaluated on."""
        return HELD_OUT_SET if self.held_out else TEST_SET


@dataclass(frozen=True)
class ExistingRunPolicy:
    """What to do with a run that is already there."""

    keep_finished: bool = False
    restart: bool = False


@dataclass(frozen=True)
class Resources:
    """What to train with; None is chosen to suit the machine."""

    data: Path
    device: str = "auto"
    processes: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class RunState:
    """A run that has begun, as rank 0 sends it to the other processes."""

    history: History
    states: dict[str, Any] | None
    """Of the checkpoint to resume from; None for a new run."""


def launch(
    settings: RunSettings, policy: ExistingRunPolicy, resources: Resources, folder: Path, reporter: Reporter
) -> History | None:
    """Train, or keep the run that is there; returns its history, or None in a process of another rank than 0.

    Raises MnistError as `find_run` and `train` do, and where the device or the number of processes is impossible.
    """
    if not distributed.is_rank_0():
        work(resources)
        return None
    found = find_run(folder, settings, policy, reporter)
    if found and found.history.finished:
        if distributed.is_distributed():
            with _process_group(resources, None) as group:
                group.broadcast(None)
        return keep(folder, found)
    machine = _describe_machine(resources, found.history.recipe if found else settings.recipe)
    state = begin(settings, found, machine)
    dataset = _load_dataset(resources.data, state.history)  # before the workers start: one process downloads
    with _process_group(resources, machine) as group:
        group.broadcast(state)
        return train(state, dataset, folder, reporter, group, machine.device)


def work(resources: Resources) -> None:
    """Train with rank 0 the run that it broadcasts, if any."""
    with _process_group(resources, None) as group:
        state = group.broadcast(None)
        if state is not None:
            dataset = _load_dataset(resources.data, state.history)
            train(state, dataset, Path(), Reporter(silent=True), group, choose_device(resources.device))


@contextmanager
def _process_group(resources: Resources, machine: Hardware | None) -> Iterator[ProcessGroup]:
    """Join the processes that are there already, or start and join workers on this machine."""
    device = choose_device(resources.device)
    threads = resources.threads or (machine.threads if machine else None)
    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    command = ["join", f"--data={resources.data}", f"--device={device}", f"--threads={threads}"]
    count = 0 if distributed.is_distributed() or machine is None else machine.processes - 1
    with (
        distributed.start_workers(count, threads or 1, command),
        distributed.join_process_group(device) as group,
    ):
        yield group


def _load_dataset(data: Path, history: History) -> Dataset:
    dataset = load(data)
    return hold_out(dataset, history.seed) if history.measured_on == HELD_OUT_SET else dataset


def _describe_machine(resources: Resources, recipe: Recipe) -> Hardware:
    device = choose_device(resources.device)
    if distributed.is_distributed():
        processes, threads = distributed.world_size(), torch.get_num_threads()
    else:
        processes = choose_processes(recipe, device, resources.processes)
        threads = max(1, count_cores() // processes)
    return hardware(processes, resources.threads or threads, device, recipe.precision)


def run_folder(output: Path, held_out: bool) -> Path:
    """Return the folder of a run; those on held-out images are no result and never take a result's place."""
    return output / "held-out" if held_out else output


def list_differences(history: History, settings: RunSettings) -> list[str]:
    """List the settings of a run that are not the requested ones, as `name there (asked for: here)`."""
    pairs = [("recipe", history.recipe_name, settings.recipe_name), ("seed", history.seed, settings.seed)]
    if history.recipe_name == settings.recipe_name:
        names = [field.name for field in dataclasses.fields(Recipe)]
        pairs = pairs[1:] + [(name, getattr(history.recipe, name), getattr(settings.recipe, name)) for name in names]
    pairs.append(("measured on", history.measured_on, settings.measured_on))
    return [f"{name} {there} (asked for: {asked})" for name, there, asked in pairs if there != asked]


def find_run(folder: Path, settings: RunSettings, policy: ExistingRunPolicy, reporter: Reporter) -> Checkpoint | None:
    """Return the run in the folder that is to be kept or resumed, if any.

    Raises MnistError where an unfinished run has other settings, or a checkpoint is damaged and --restart not given.
    """
    path = folder / "model.pt"
    if policy.restart or not path.exists():
        return None
    found = checkpoint.load(path)
    others = ", ".join(list_differences(found.history, settings))
    if found.history.finished:
        if not policy.keep_finished:
            return None
        reporter.say(f"Keeping the finished run in {folder}" + (f" with {others}" if others else ""))
    elif others:
        remedy = "ask for the same to go on with it, or add --restart to move it aside and begin anew"
        raise MnistError(f"{folder} holds an unfinished run with {others}: {remedy}")
    return found


def keep(folder: Path, found: Checkpoint) -> History:
    """Keep a finished run, and rewrite a history.json that may be missing or older than the checkpoint."""
    write_record(folder / "history.json", found.history)
    return found.history


def _move_aside(folder: Path, reporter: Reporter) -> None:
    present = [folder / name for name in FILES if (folder / name).exists()]
    if not present:
        return
    earlier = folder / "earlier"
    number = max((int(path.name) for path in earlier.glob("*") if path.name.isdecimal()), default=0)
    # A process killed here has left the last folder without the checkpoint, which comes last.
    complete = number == 0 or (earlier / str(number) / FILES[-1]).exists()
    target = earlier / str(number + complete)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in present:
            path.replace(target / path.name)
    except OSError as cause:
        remedy = "move it away by hand or choose another folder with --output"
        raise MnistError(f"the run in {folder} can't be moved to {target} ({cause.strerror}): {remedy}") from cause
    reporter.say(f"Moved the run that was there to {target}")


def begin(settings: RunSettings, found: Checkpoint | None, machine: Hardware) -> RunState:
    """Return the state of the run that was found, or of a new one."""
    if found:
        return RunState(found.history, found.states)
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
    return RunState(history, None)


def train(
    state: RunState,
    dataset: Dataset,
    folder: Path,
    reporter: Reporter,
    group: ProcessGroup = SINGLE_PROCESS,
    device: str = "cpu",
) -> History:
    """Train the epochs that are left of a run, writing checkpoint and history after each.

    Before a new run begins, whatever run is in the folder is moved to `earlier`/N in it. Only rank 0 touches the
    folder.

    Raises MnistError where the loss is no longer finite, a file can't be written, or another training is at work in
    the folder; the last good files stay.
    """
    history = state.history
    training = Training(history.recipe, history.seed, history.hardware.precision, dataset, group, device)
    if not group.is_rank_0:
        return _train_epochs(state, training, reporter, lambda history, training: None)
    check_writable(folder)
    try:
        with FileLock(folder / ".training.lock", timeout=0):
            if state.states:
                write_record(folder / "history.json", history)
            else:
                _move_aside(folder, reporter)
            return _train_epochs(state, training, reporter, partial(_write, folder))
    except Timeout:
        raise MnistError(f"another training is at work in {folder}: wait for it, or choose another --output") from None


def _train_epochs(
    state: RunState, training: Training, reporter: Reporter, write: Callable[[History, Training], None]
) -> History:
    history, images = state.history, len(training.dataset.train_labels)
    if state.states:
        training.load_states(state.states)
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
    write_record(folder / "history.json", history)
