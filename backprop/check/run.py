"""A run of the derivation at random points, which a sheet's formulas are put into to see whether they agree."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np

from backprop.check.functions import Floats, Number
from backprop.derivation import Derivation, derive
from backprop.network import LEARNING_RATE, Kind, Network
from backprop.notation import Shifted
from backprop.simulate import Step, compile_numpy_step

POINTS = 6


@lru_cache(maxsize=64)
def compile_run(network: Network) -> tuple[Derivation, Step]:
    """Derive a network once, and compile one iteration of it."""
    derivation = derive(network)
    return derivation, compile_numpy_step(derivation)


@dataclass(frozen=True)
class Convention:
    """What the errors are multiplied with: E = error · (t - a)², E_total = total · (E1 + E2)."""

    error: float = 0.5
    total: float = 1.0

    def factor(self, kind: Kind) -> float:
        """Return by what a quantity of a kind differs from the class's."""
        gradient = 2 * self.error * self.total
        return {Kind.ERROR: 2 * self.error, Kind.TOTAL_ERROR: gradient, Kind.GRADIENT: gradient}.get(kind, 1.0)


@dataclass
class RightRun:
    """Iterations of the derivation at random points: rows above and below follow from each other."""

    network: Network
    convention: Convention = field(default_factory=Convention)
    constants: Mapping[str, float] = field(default_factory=dict)
    """Inputs, targets, biases that are not trained, and η, where they are not random."""
    seed: int = 7
    _rows: dict[int, dict[str, Floats]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.derivation, self._step = compile_run(self.network)
        numbers = random.Random(self.seed)
        names = (LEARNING_RATE, *self.derivation.constants)
        self._constants = {name: _draw(numbers, 0.2, 0.9) for name in names}
        self._constants |= {name: np.full(POINTS, value) for name, value in self.constants.items()}
        self._numbers = numbers
        self._extend(-2, 5)

    def value(self, quantity: str, row: int = 0) -> Floats:
        """Return a quantity so many rows below the one at hand: its number at each point. Raises KeyError."""
        if quantity in self._constants:
            return self._constants[quantity]
        if row not in self._rows:
            self._extend(row, 1)  # far rows are just other rows
        return self._rows[row][quantity]

    def has(self, quantity: str) -> bool:
        """Return whether the network has a quantity."""
        return quantity in self._constants or quantity in self._rows[0]

    def values(self, symbol: Any) -> Floats | None:
        """Return the numbers of a symbol, plain or of another row; None for one that the run does not have."""
        try:
            return self.value(symbol.quantity, symbol.rows) if isinstance(symbol, Shifted) else self.value(symbol.name)
        except KeyError:
            return None

    def _extend(self, first: int, count: int) -> None:
        network, eta = self.network, self._constants[LEARNING_RATE] * self.convention.factor(Kind.GRADIENT)
        constants = [self._constants[name] for name in self.derivation.constants]
        parameters: Sequence[Floats] = [_draw_signed(self._numbers) for _ in network.parameters]
        for row in range(first, first + count):
            numbers, following = self._step(eta, constants, parameters)
            named = zip(self.derivation.columns, numbers, strict=True)
            self._rows[row] = {n: v * self.convention.factor(network.kind(n)) for n, v in named}
            self._rows[row] |= dict(zip(network.parameters, parameters, strict=True))
            parameters = following


def _draw(numbers: random.Random, low: float, high: float) -> Floats:
    return np.array([numbers.uniform(low, high) for _ in range(POINTS)])


def _draw_signed(numbers: random.Random) -> Floats:
    return np.array([numbers.choice((-1, 1)) * numbers.uniform(0.2, 0.9) for _ in range(POINTS)])


def agree(found: Number, right: Number) -> bool:
    """Return whether two formulas give the same at all points, up to rounding."""
    scale = np.maximum(np.abs(found), np.abs(right))
    with np.errstate(invalid="ignore"):
        differences = np.abs(np.subtract(found, right))
    return bool(np.all(np.isfinite(scale) & (differences <= 1e-9 * scale + 1e-13)))


def is_rounded(typed: float, right: float) -> bool:
    """Return whether a typed number is the right one, to the rounding of its last digit.

    A 0 is no rounded gradient: a number counts as rounded if it says something about the right one.
    """
    half_a_unit = 0.5 * 10.0 ** int(Decimal(repr(typed)).normalize().as_tuple().exponent)
    return abs(typed - right) <= max(min(1.001 * half_a_unit, 0.05 * abs(right)), 1e-9 * abs(right), 1e-15)
