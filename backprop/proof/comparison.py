"""Random cases through every engine, and the largest disagreement of each pair."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

import numpy as np

from backprop.errors import BackpropError
from backprop.files import write_atomically
from backprop.network import PRESETS, Preset
from backprop.proof.engines import ENGINES, Case, Engine, MissingEngineError
from backprop.simulate import Floats

AGREEMENT = 1e-11
"""Two numbers agree if |a - b| ≤ max(1e-11·|b|, 1e-12)."""


@dataclass(frozen=True)
class Pair:
    """Two engines, and the largest |a - b| / max(|b|, 0.1) over all their numbers; up to 1e-11 they agree."""

    first: str
    second: str
    disagreement: float
    where: str
    """The number that they differ most in."""

    @property
    def agrees(self) -> bool:
        """Tell whether all numbers agree."""
        return self.disagreement <= AGREEMENT


@dataclass(frozen=True)
class ProofReport:
    """What was compared, and how it came out."""

    seed: int
    cases: int
    iterations: int
    numbers: int
    """How many numbers each engine computed."""
    pairs: tuple[Pair, ...]
    missing: tuple[str, ...]
    """Engines that could not run, with what they need."""


def random_cases(seed: int, count: int, iterations: int) -> list[Case]:
    """Draw η, inputs, targets, weights and biases anew for each case, with and without biases in turn."""
    numbers = random.Random(seed)
    return [_random_case(numbers, with_biases=bool(number % 2), iterations=iterations) for number in range(count)]


def _random_case(numbers: random.Random, *, with_biases: bool, iterations: int) -> Case:
    preset = PRESETS["mazur" if with_biases else "class"]
    trained = replace(preset.network, trains_biases=with_biases)
    values = {name: round(numbers.uniform(-2, 2), 4) for name in preset.values}
    values |= {name: round(numbers.uniform(0, 1), 4) for name in trained.targets}
    drawn: Preset = replace(preset, network=trained, values=MappingProxyType(values))
    return Case(drawn, round(10 ** numbers.uniform(-2, 0.5), 4), iterations)


def compare(
    cases: Sequence[Case], seed: int, report: Callable[[str], None], engines: Sequence[Engine] = ENGINES
) -> ProofReport:
    """Compute the cases with every engine that is installed and compare them in pairs."""
    results: dict[str, list[Floats]] = {}
    missing = []
    for engine in engines:
        report(engine.name)
        try:
            results[engine.name] = engine.compute(cases)
        except MissingEngineError as need:
            missing.append(f"{engine.name} (needs {need})")
    pairs = tuple(_pair(cases, results, *names) for names in combinations(results, 2))
    numbers = sum(case.iterations * len(case.derivation.columns) for case in cases)
    return ProofReport(seed, len(cases), cases[0].iterations, numbers, pairs, tuple(missing))


def _pair(cases: Sequence[Case], results: dict[str, list[Floats]], first: str, second: str) -> Pair:
    worst, where = 0.0, "nowhere"
    for number, (case, a, b) in enumerate(zip(cases, results[first], results[second], strict=True)):
        gaps = np.abs(a - b) / np.maximum(np.abs(b), 0.1)
        gaps[~np.isfinite(gaps)] = np.inf
        iteration, column = np.unravel_index(int(gaps.argmax()), gaps.shape)
        if gaps[iteration, column] > worst:
            worst = float(gaps[iteration, column])
            where = f"{case.derivation.columns[int(column)]}, iteration {iteration}, case {number}"
    return Pair(first, second, worst, where)


def write_report(path: Path, report: ProofReport) -> None:
    """Write the report as JSON. Raises BackpropError where it can't be written."""
    write_atomically(path, json.dumps(asdict(report), ensure_ascii=False, indent=1, allow_nan=True).encode())


def read_report(path: Path) -> ProofReport:
    """Read what `write_report` wrote. Raises BackpropError where it is missing or damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pairs = tuple(Pair(**pair) for pair in record.pop("pairs"))
        return ProofReport(**record | {"pairs": pairs, "missing": tuple(record["missing"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackpropError(f"{path} is missing or damaged: `make prove` writes it") from error
