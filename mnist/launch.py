"""Starting a training on what this machine has: its device, one process a core, or the processes of torchrun."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from mnist import run, team
from mnist.data import Dataset, hold_out, load
from mnist.errors import MnistError
from mnist.history import HELD_OUT_IMAGES, Hardware, History
from mnist.memory import keep_freed_memory
from mnist.progress import Reporter
from mnist.provenance import hardware
from mnist.recipe import Recipe
from mnist.run import Handling, Settings
from mnist.team import Team


@dataclass(frozen=True)
class Place:
    """Where to train; what is None is chosen to suit the machine."""

    data: Path
    device: str = "auto"
    processes: int | None = None
    threads: int | None = None


def launch(settings: Settings, handling: Handling, place: Place, folder: Path, reporter: Reporter) -> History | None:
    """Train, or keep the run that is there; returns its history, or None in a process that only helped.

    Raises MnistError as `run.choose` and `run.train` do, and where the device or the number of processes can't be.
    """
    if not team.leads_here():
        follow(place)
        return None
    found = run.choose(folder, settings, handling, reporter)
    if found and found.history.finished:
        if team.is_member():
            with _gathered(place, None) as members:
                members.share(None)
        return run.keep(folder, found)
    machine = _machine(place, found.history.recipe if found else settings.recipe)
    job = run.begin(settings, found, machine)
    dataset = _dataset(place.data, job.history)  # before the others start: one process downloads
    with _gathered(place, machine) as members:
        members.share(job)
        return run.train(job, dataset, folder, reporter, members, machine.device)


def follow(place: Place) -> None:
    """Help the leader with the job that it names, if any."""
    with _gathered(place, None) as members:
        job = members.share(None)
        if job is not None:
            dataset = _dataset(place.data, job.history)
            run.train(job, dataset, Path(), Reporter(silent=True), members, choose_device(place.device))


@contextmanager
def _gathered(place: Place, machine: Hardware | None) -> Iterator[Team]:
    """Bring the processes together: those that are there already, or else new ones on this machine."""
    device = choose_device(place.device)
    threads = place.threads or (machine.threads if machine else None)
    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    command = ["join", f"--data={place.data}", f"--device={device}", f"--threads={threads}"]
    count = 0 if team.is_member() or machine is None else machine.processes - 1
    with team.helpers(count, threads or 1, command), team.joined(device) as members:
        yield members


def _dataset(data: Path, job: History) -> Dataset:
    dataset = load(data)
    return hold_out(dataset, job.seed) if job.measured_on == HELD_OUT_IMAGES else dataset


def _machine(place: Place, recipe: Recipe) -> Hardware:
    device = choose_device(place.device)
    processes = team.size_here() if team.is_member() else choose_processes(recipe, device, place.processes)
    threads = place.threads or (torch.get_num_threads() if team.is_member() else max(1, cores() // processes))
    return hardware(processes, threads, device, recipe.precision)


def choose_device(asked: str) -> str:
    """Name the device that `auto` stands for. Raises MnistError where the asked one does not exist."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[asked]:
        raise MnistError(f"there is no {asked} device here: leave --device out, or take --device cpu")
    return asked


def choose_processes(recipe: Recipe, device: str, asked: int | None) -> int:
    """Take a process for each core, as far as the groups of a batch can be shared evenly; one on a GPU.

    Raises MnistError where the asked number doesn't divide the groups.
    """
    possible = [count for count in range(1, recipe.groups + 1) if recipe.groups % count == 0]
    if asked is None:
        most = cores() if device == "cpu" and os.name == "posix" else 1
        return max(count for count in possible if count <= most)
    if asked not in possible:
        these = ", ".join(map(str, possible))
        raise MnistError(
            f"{asked} processes can't share the {recipe.groups} groups of a batch evenly: take one of {these}"
        )
    return asked


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
