"""Result of the cross-check, as data and as text."""

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
    network: str = "class"
    """Whose own run comes first; the random ones are of the same network."""

    @property
    def tolerance(self) -> float:
        """The largest relative disagreement of two numbers that agree."""
        return AGREEMENT


def format_report(report: CrossCheck) -> str:
    """Return what was compared, the largest disagreement of each pair, and what is missing, a line each."""
    own = "the class sheet's run" if report.network == "class" else f"the run of {report.network}"
    runs = f"{own} and {report.cases - 1} random ones (seed {report.seed})"
    lines = [
        f"{runs} of {report.iterations} iterations: {report.numbers} numbers",
        f"largest |a - b| / max(|b|, 0.1); numbers agree up to {AGREEMENT:g}",
    ]
    for pair in report.pairs:
        verdict = "agree" if pair.agrees else f"DISAGREE at {pair.where}"
        largest = "no number" if pair.disagreement is None else f"{pair.disagreement:.1e}"
        lines.append(f"  {pair.first:<18}{pair.second:<18}{largest:>9}  {verdict}")
    lines += [f"  not compared: {engine}" for engine in report.missing]
    return "\n".join(lines) + "\n"
