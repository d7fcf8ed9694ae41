"""What the page says about what training was measured to cost."""

from dataclasses import dataclass

from mnist.bench import Benchmarks, EpochCosts, Races
from reports.formats import counted, fixed


@dataclass(frozen=True)
class SpeedView:
    """What `make bench` measured, spelled for reading."""

    epochs: EpochCosts | None
    race: Races | None
    reading: tuple[str, ...]
    """Sentences computed from the figures."""


def view_speed(measured: Benchmarks) -> SpeedView | None:
    """Spell what was measured; None where nothing was."""
    if measured.epochs is None and measured.race is None:
        return None
    reading = [*(_raced(measured.race) if measured.race else []), *(_machines(measured))]
    return SpeedView(measured.epochs, measured.race, tuple(reading))


def _raced(race: Races) -> list[str]:
    first, last = race.races[0], race.races[-1]
    missed = [each.name for each in race.races if not each.reached]
    told = (
        f"From the start of training to the first epoch that ends at 99.4\N{NO-BREAK SPACE}% or more, the "
        f"assignment’s own recipe took {_minutes(first.seconds)} and the recipe “{last.name}” "
        f"{_minutes(last.seconds)}: {race.ratio:.1f} times as long."
    )
    if missed:
        told = f"Measured to 99.4\N{NO-BREAK SPACE}%, which {' and '.join(missed)} did not reach in all its epochs."
    return [told, "One run each, one after the other; how much seeds differ is told above, where a study was made."]


def _minutes(seconds: float) -> str:
    return counted(round(seconds), "second") if seconds < 120 else f"{fixed(seconds / 60, 1)} minutes"


def _machines(measured: Benchmarks) -> list[str]:
    found = {each.hardware.description for each in (measured.epochs, measured.race) if each}
    return [f"Measured on {name}." for name in sorted(found)]
