"""Comparison of the engines in pairs, over the class sheet's run and random ones."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType

import numpy as np

from backprop.crosscheck.engines import ENGINES, Case, Engine
from backprop.crosscheck.report import CrossCheck, Pair
from backprop.crosscheck.spreadsheets import MissingEngineError
from backprop.network import Preset
from backprop.networks.presets import PRESETS
from backprop.simulate import Floats


def all_cases(seed: int, count: int, iterations: int, preset: Preset = PRESETS["class"]) -> list[Case]:
    """Return a network's own run, and then `count` random ones.

    η, inputs, targets, weights and biases are drawn anew for each; of the class's network, with and without biases in
    turn.
    """
    numbers, mazur = random.Random(seed), PRESETS["mazur"]
    with_biases = replace(mazur, network=replace(mazur.network, trains_biases=True))
    drawn = (preset, with_biases) if preset is PRESETS["class"] else (preset, preset)
    return [Case(preset, preset.learning_rate, iterations)] + [
        _random_case(numbers, drawn[number % 2], iterations) for number in range(count)
    ]


def _random_case(numbers: random.Random, preset: Preset, iterations: int) -> Case:
    values = {name: round(numbers.uniform(-2, 2), 4) for name in preset.values}
    values |= {name: round(numbers.uniform(0, 1), 4) for name in preset.network.targets}
    drawn = replace(preset, values=MappingProxyType(values))
    return Case(drawn, round(10 ** numbers.uniform(-2, 0.5), 4), iterations)


def compare(
    cases: Sequence[Case], seed: int, announce: Callable[[str], None], engines: Sequence[Engine] = ENGINES
) -> CrossCheck:
    """Compute the cases with every engine that is installed and compare them in pairs."""
    results: dict[str, list[Floats]] = {}
    missing = []
    for engine in engines:
        announce(engine.name)
        try:
            results[engine.name] = engine.compute(cases)
        except MissingEngineError as need:
            missing.append(f"{engine.name} (needs {need})")
    pairs = tuple(_pair(cases, results, *names) for names in combinations(results, 2))
    numbers = sum(case.iterations * len(case.derivation.columns) for case in cases)
    return CrossCheck(seed, len(cases), cases[0].iterations, numbers, pairs, tuple(missing), cases[0].preset.name)


def _pair(cases: Sequence[Case], results: dict[str, list[Floats]], first: str, second: str) -> Pair:
    worst, where = 0.0, "nowhere"
    for number, (case, a, b) in enumerate(zip(cases, results[first], results[second], strict=True)):
        with np.errstate(invalid="ignore"):
            gaps = np.abs(a - b) / np.maximum(np.abs(b), 0.1)
        gaps[~np.isfinite(gaps)] = np.inf  # without a number there is no agreement
        iteration, column = np.unravel_index(int(gaps.argmax()), gaps.shape)
        if gaps[iteration, column] > worst:
            worst = float(gaps[iteration, column])
            where = f"{case.derivation.columns[int(column)]}, iteration {iteration}, case {number}"
    return Pair(first, second, worst if math.isfinite(worst) else None, where)
