"""Several seeds of one recipe, and their statistics. Needs no torch."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist.constants import REQUIRED_ACCURACY
from mnist.errors import MnistError
from mnist.recipe import Recipe
from mnist.records import TEST_SET, Hardware, History, Versions, read_record

FOLDER = "study"


@dataclass(frozen=True)
class SeedResult:
    """The result of one seed."""

    seed: int
    accuracy: float
    """After the last epoch, a fraction of the evaluated images."""
    loss: float
    """Mean cross-entropy in nats, after the last epoch."""
    seconds: float
    """Of all epochs, evaluation included."""
    seconds_to_goal: float | None
    """From the start of training to the end of the first epoch at or above 99.4 %; None where none was."""
    epochs_to_goal: int | None


@dataclass(frozen=True)
class Summary:
    """Statistics over the seeds. Accuracies are fractions."""

    seeds: int
    at_goal: int
    """Seeds whose last epoch is at or above 99.4 %."""
    mean: float
    std: float | None
    """Standard deviation between seeds (n - 1 in the denominator); None for a single seed."""
    lowest: float
    highest: float
    interval: tuple[float, ...] | None
    """95 % confidence interval of the mean by Student's t distribution: two numbers; None for a single seed."""
    median_seconds: float
    reached_goal: int
    """Seeds that were at or above 99.4 % after any epoch."""
    median_seconds_to_goal: float | None
    """A seed that never got there counts as slower than all others; None where the middle one never did."""


@dataclass(frozen=True)
class Study:
    """A recipe, the seeds it was trained with, and where."""

    recipe_name: str
    recipe: Recipe
    measured_on: str
    """As in `History`: only on `test` images it is a result."""
    versions: Versions
    hardware: Hardware
    results: tuple[SeedResult, ...]
    summary: Summary


def summarise_run(history: History) -> SeedResult:
    """Return the result of a finished run."""
    last = history.epochs[-1]
    reached = next((record.epoch for record in history.epochs if record.test_accuracy >= REQUIRED_ACCURACY), None)
    return SeedResult(
        seed=history.seed,
        accuracy=last.test_accuracy,
        loss=last.test_loss,
        seconds=sum(record.seconds for record in history.epochs),
        seconds_to_goal=None if reached is None else sum(record.seconds for record in history.epochs[:reached]),
        epochs_to_goal=reached,
    )


def make_study(histories: Sequence[History]) -> Study:
    """Combine finished runs of one recipe, in the order of their seeds."""
    results = tuple(sorted(map(summarise_run, histories), key=lambda result: result.seed))
    first = histories[0]
    summary = summarise(results)
    return Study(first.recipe_name, first.recipe, first.measured_on, first.versions, first.hardware, results, summary)


def summarise(results: Sequence[SeedResult]) -> Summary:
    """Compute the statistics of several seeds."""
    accuracies = [result.accuracy for result in results]
    times = sorted(float("inf") if r.seconds_to_goal is None else r.seconds_to_goal for r in results)
    middle = statistics.median(times)
    return Summary(
        seeds=len(results),
        at_goal=sum(accuracy >= REQUIRED_ACCURACY for accuracy in accuracies),
        mean=statistics.fmean(accuracies),
        std=statistics.stdev(accuracies) if len(results) > 1 else None,
        lowest=min(accuracies),
        highest=max(accuracies),
        interval=_interval(accuracies) if len(results) > 1 else None,
        median_seconds=statistics.median(result.seconds for result in results),
        reached_goal=sum(result.seconds_to_goal is not None for result in results),
        median_seconds_to_goal=None if middle == float("inf") else middle,
    )


def _interval(values: Sequence[float]) -> tuple[float, float]:
    from scipy.stats import t  # half a second to import

    mean, error = statistics.fmean(values), statistics.stdev(values) / len(values) ** 0.5
    reach = float(t.ppf(0.975, len(values) - 1)) * error
    return mean - reach, mean + reach


def study_file(output: Path, recipe_name: str) -> Path:
    """Return the path of a recipe's study; its runs lie in the folder of the same name beside it."""
    return output / FOLDER / f"{recipe_name}.json"


def run_folder(output: Path, recipe_name: str, seed: int) -> Path:
    """Return the folder of a seed's run."""
    return output / FOLDER / recipe_name / f"seed-{seed}"


def read_studies(output: Path) -> tuple[Study, ...]:
    """Read all studies of OUTPUT, by name of the recipe. Raises MnistError where one is damaged or no result."""
    paths = sorted((output / FOLDER).glob("*.json"))
    studies = tuple(read_record(Study, path, "run `python -m mnist study`, which writes it anew") for path in paths)
    for path, study in zip(paths, studies, strict=True):
        if not study.results or study.summary.seeds != len(study.results):
            raise MnistError(f"{path} is damaged (its seeds don't add up): run `python -m mnist study`")
        if study.measured_on != TEST_SET:
            raise MnistError(f"{path} is of runs with --held-out, which is no result: move it away")
    return studies


def describe(study: Study) -> str:
    """Format a study as a table and sentences."""
    rows = [
        f"{r.seed:5}  {r.accuracy:8.2%}  {r.loss:7.4f}  {r.seconds:7.1f}  {_time(r.seconds_to_goal):>9}"
        f"  {r.epochs_to_goal or '–':>5}"
        for r in study.results
    ]
    return "\n".join(
        [
            f"recipe {study.recipe_name}, {study.recipe.epochs} epochs, measured on {study.measured_on} images",
            study.hardware.description,
            " seed  accuracy     loss  seconds  to 99.4 %  epoch",
            *rows,
            *sentences(study.summary),
        ]
    )


def sentences(summary: Summary) -> Iterable[str]:
    """Format the statistics as sentences, with n and spread."""
    n = summary.seeds
    yield f"last epoch, n = {n}: mean {summary.mean:.3%}, lowest {summary.lowest:.2%}, highest {summary.highest:.2%}"
    if summary.std is not None and summary.interval is not None:
        low, high = summary.interval
        yield f"standard deviation {summary.std:.3%}; 95 % interval of the mean {low:.3%} to {high:.3%}"
    yield f"at or above 99.4 % in the last epoch: {summary.at_goal} of {n}; in any epoch: {summary.reached_goal} of {n}"
    yield f"median seconds of a run {summary.median_seconds:.1f}, to 99.4 % {_time(summary.median_seconds_to_goal)}"


def _time(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f}"
