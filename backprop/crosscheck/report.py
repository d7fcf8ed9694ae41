"""Result of the cross-check, as data and as a file."""

from dataclasses import dataclass

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
