"""Result of the cross-check, as data and as a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from backprop.files import write_atomically

AGREEMENT = 1e-11
"""Two numbers agree if |a - b| ≤ max(1e-11·|b|, 1e-12)."""


@dataclass(frozen=True)
class Pair:
    """Two engines, and the largest |a - b| / max(|b|, 0.1) over all their numbers; up to 1e-11 they agree."""

    first: str
    second: str
    disagreement: float | None
    """None where one of them has no finite number."""
    where: str
    """The number that they differ most in."""

    @property
    def agrees(self) -> bool:
        """Whether all numbers agree."""
        return self.disagreement is not None and self.disagreement <= AGREEMENT


@dataclass(frozen=True)
class CrossCheck:
    """How many numbers were compared, and how far each pair of engines disagrees."""

    seed: int
    cases: int
    iterations: int
    numbers: int
    """How many numbers each engine computed."""
    pairs: tuple[Pair, ...]
    missing: tuple[str, ...]
    """Engines that could not run, with what they need."""


def write_report(path: Path, report: CrossCheck) -> None:
    """Write the report as JSON. Raises BackpropError where it can't be written."""
    write_atomically(path, json.dumps(asdict(report), ensure_ascii=False, indent=1, allow_nan=False).encode())
