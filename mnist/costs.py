"""What training was measured to cost: the records that `bench` writes. Needs no torch: reports read them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mnist.asked import LEAST_ACCURACY
from mnist.errors import MnistError
from mnist.files import read_record, write_record
from mnist.history import Hardware, Versions
from mnist.study import machine

EPOCHS_FILE, RACE_FILE = "bench-epochs.json", "bench-race.json"
REMEDY = "run `make bench`, which writes it anew, or move it away"


@dataclass(frozen=True)
class EpochCost:
    """What one epoch of training costs."""

    name: str
    seconds: float
    images: int
    """That it trains on."""
    edge: int
    """Of an image, in pixels."""
    precision: str
    operations: float
    """Floating-point operations of the epoch, in convolutions alone, forward and backward."""
    peak: float
    """Operations a second of large matrix products in this precision, which nothing on the machine exceeds."""

    @property
    def rate(self) -> float:
        """Give the images a second."""
        return self.images / self.seconds

    @property
    def share(self) -> float:
        """Give the operations a second as a share of the machine's peak."""
        return self.operations / self.seconds / self.peak


@dataclass(frozen=True)
class EpochCosts:
    """Epochs measured in one call, the assignment's first."""

    versions: Versions
    hardware: Hardware
    costs: tuple[EpochCost, ...]


@dataclass(frozen=True)
class Race:
    """How long a recipe took to an epoch that ends at 99.4 % or more."""

    name: str
    seconds: float
    epochs: int
    accuracy: float
    """Of that epoch, or of the last one where none got there."""

    @property
    def reached(self) -> bool:
        """Tell whether it got there."""
        return self.accuracy >= LEAST_ACCURACY


@dataclass(frozen=True)
class Races:
    """Trainings to 99.4 % in one call, one after the other: the assignment's first, then ours."""

    versions: Versions
    hardware: Hardware
    races: tuple[Race, ...]

    @property
    def ratio(self) -> float:
        """Give how many times as long the first took as the last."""
        return self.races[0].seconds / self.races[-1].seconds


@dataclass(frozen=True)
class Measured:
    """What `bench` has left in a folder; None where it has not run."""

    epochs: EpochCosts | None = None
    race: Races | None = None


def read_measured(output: Path) -> Measured:
    """Read what is there. Raises MnistError where it is damaged."""
    epochs, race = output / EPOCHS_FILE, output / RACE_FILE
    found = Measured(
        read_record(EpochCosts, epochs, REMEDY) if epochs.exists() else None,
        read_record(Races, race, REMEDY) if race.exists() else None,
    )
    costs, races = found.epochs.costs if found.epochs else None, found.race.races if found.race else None
    if costs is not None and not (costs and all(_is_time(cost.seconds) and _is_time(cost.peak) for cost in costs)):
        raise MnistError(f"{epochs} is damaged (impossible numbers): {REMEDY}")
    if races is not None and not (len(races) == 2 and all(_is_time(each.seconds) for each in races)):
        raise MnistError(f"{race} is damaged (impossible numbers): {REMEDY}")
    return found


def _is_time(value: float) -> bool:
    return math.isfinite(value) and value > 0


def write_epochs(output: Path, found: EpochCosts) -> None:
    """Write the epochs' costs atomically. Raises MnistError where they can't be written."""
    write_record(output / EPOCHS_FILE, found)


def write_race(output: Path, found: Races) -> None:
    """Write the race atomically. Raises MnistError where it can't be written."""
    write_record(output / RACE_FILE, found)


def describe_epochs(found: EpochCosts) -> str:
    """Tell what epochs cost, one line each."""
    lines = [
        f"{cost.name:<28}{cost.seconds:7.1f} s  {cost.rate:8,.0f} images/s  {cost.precision:<8}"
        f"  {cost.share:5.0%} of {cost.peak / 1e9:.0f} GFLOP/s"
        f"  {cost.seconds / found.costs[0].seconds:5.2f} of the course's epoch"
        for cost in found.costs
    ]
    title = "training epochs that see all images (ours with measuring on the test images)"
    return "\n".join([machine(found.hardware), title, *lines])


def describe_race(found: Races) -> str:
    """Tell who got to 99.4 % when."""
    title = "from the start of training to the first epoch that ends at 99.4 % or more"
    return "\n".join([machine(found.hardware), title, *map(_line, found.races), *_verdict(found)])


def _line(race: Race) -> str:
    line = f"{race.name:<10}{race.seconds:8.1f} s  {race.epochs:2} epochs  {race.accuracy:.2%}"
    return line if race.reached else f"{line}  (99.4 % not reached)"


def _verdict(found: Races) -> Iterable[str]:
    first, last = found.races[0], found.races[-1]
    if first.reached and last.reached:
        yield f"{first.name} took {found.ratio:.1f} times as long as {last.name}"
