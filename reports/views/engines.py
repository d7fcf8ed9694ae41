"""What the page says about the five engines that computed the same numbers."""

from dataclasses import dataclass

from backprop.crosscheck.report import AGREEMENT, CrossCheck, Pair
from reports.formats import counted, listing, significant


@dataclass(frozen=True)
class PairRow:
    """Two engines and how far they disagree at most."""

    first: str
    second: str
    disagreement: str
    where: str
    agrees: bool

    @property
    def word(self) -> str:
        """Say the verdict in words, so that colour is not needed to tell."""
        return "agree" if self.agrees else "disagree"


@dataclass(frozen=True)
class EnginesView:
    """The comparison of all pairs of engines."""

    summary: str
    rows: tuple[PairRow, ...]
    missing: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Tell the outcome in one sentence."""
        wrong = [f"{row.first} with {row.second}" for row in self.rows if not row.agrees]
        if wrong:
            return f"These do not agree: {listing(wrong)}."
        largest = f"they all agree to {significant(AGREEMENT, 1)}"
        return (
            f"In {counted(len(self.rows), 'pair')} of engines {largest}, relative to the number." if self.rows else ""
        )


def view_engines(report: CrossCheck | None) -> EnginesView | None:
    """Arrange what `make prove` found, if it has run."""
    if report is None:
        return None
    summary = (
        f"The class sheet’s run and {counted(report.cases - 1, 'random one')} (seed {report.seed}), "
        f"{counted(report.iterations, 'iteration')} each: {report.numbers:,} numbers an engine."
    )
    return EnginesView(summary, tuple(map(_row, report.pairs)), report.missing)


def _row(pair: Pair) -> PairRow:
    gap = "no number" if pair.disagreement is None else significant(pair.disagreement, 2)
    return PairRow(pair.first, pair.second, gap, pair.where, pair.agrees)
