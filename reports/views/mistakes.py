"""What the page says about the images that the network names wrongly: counts, and the images behind them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mnist.records import Evaluation, Prediction
from reports.formats import counted, listing, percent, times
from reports.png import data_uri, ink_png

MOST_IMAGES = 150
"""How many misclassified digits the page shows; a good network has far fewer, and the page stays below 1 MB."""
MOST_NAMED = 8
"""Kinds of mistakes in a sentence."""
_HEAT_LEVELS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class ConfusionCell:
    """How often a digit got an answer."""

    true: int
    predicted: int
    count: int
    heat: int
    """0 for none, then rising with the count, for the colour; -1 for right answers."""
    group: str
    """The name of the group with the images behind the count; empty where there is none."""


@dataclass(frozen=True)
class Digit:
    """A misclassified digit, ready to show."""

    index: int
    sure: str
    truth: str
    image: str
    """A data URI."""


@dataclass(frozen=True)
class MistakeGroup:
    """The images of one digit that got the same wrong answer, the ones that the network was surest of first."""

    name: str
    true: int
    predicted: int
    count: int
    """All of them; `digits` holds those that the page shows."""
    digits: tuple[Digit, ...]

    @property
    def words(self) -> str:
        """Say how many images there are, and how many are shown where that differs."""
        shown = len(self.digits)
        return counted(self.count, "image") if shown == self.count else f"the {shown} surest of {self.count:,} images"


def group_mistakes(evaluation: Evaluation) -> tuple[MistakeGroup, ...]:
    """Group the images by (true digit, answer), in the order in which the confusion matrix is read.

    Where there are more than MOST_IMAGES, every group keeps its surest ones, and none is left without an image.
    """
    groups: dict[tuple[int, int], list[Prediction]] = defaultdict(list)
    for wrong in sorted(evaluation.misclassified, key=_surest_first):
        groups[wrong.true, wrong.predicted].append(wrong)
    kept = _kept(groups)
    return tuple(
        MistakeGroup(f"confusion-{pair[0]}-{pair[1]}", *pair, len(groups[pair]), kept[pair]) for pair in sorted(groups)
    )


def confusion_cells(evaluation: Evaluation, groups: Iterable[MistakeGroup]) -> tuple[tuple[ConfusionCell, ...], ...]:
    """Arrange the confusion matrix; a wrong answer's cell names the group of its images."""
    names = {(group.true, group.predicted): group.name for group in groups}
    return tuple(
        tuple(
            ConfusionCell(
                row,
                column,
                count,
                -1 if row == column else bisect_right(_HEAT_LEVELS, count),
                names.get((row, column), ""),
            )
            for column, count in enumerate(counts)
        )
        for row, counts in enumerate(evaluation.confusion)
    )


def most_frequent(evaluation: Evaluation) -> str:
    """Name the mistakes made most often."""
    pairs = [
        (count, row, column)
        for row, counts in enumerate(evaluation.confusion)
        for column, count in enumerate(counts)
        if row != column and count
    ]
    if not pairs:
        return "No image is named wrongly."
    ordered = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))
    # Whatever is as frequent as the third is named too.
    most = [pair for pair in ordered if pair[0] >= ordered[:3][-1][0]]
    if len(most) > MOST_NAMED:
        return f"{len(pairs)} different mistakes are made, none more often than {times(ordered[0][0])}."
    named = listing([f"{row} read as {column} ({times(count)})" for count, row, column in most])
    return f"{'Most frequent' if len(pairs) > 1 else 'The only mistake'}: {named}."


def _surest_first(wrong: Prediction) -> tuple[float, int]:
    return -wrong.probabilities[wrong.predicted], wrong.index


def _kept(groups: Mapping[tuple[int, int], list[Prediction]]) -> dict[tuple[int, int], tuple[Digit, ...]]:
    """Choose what is shown: the surest of each group, then the second of each, until there are enough."""
    ranked = sorted((rank, *_surest_first(w), w.true, w.predicted) for g in groups.values() for rank, w in enumerate(g))
    shown: dict[tuple[int, int], int] = defaultdict(int)
    for *_, true, predicted in ranked[:MOST_IMAGES]:
        shown[true, predicted] += 1
    return {pair: tuple(map(_digit, images[: shown[pair]])) for pair, images in groups.items()}


def _digit(wrong: Prediction) -> Digit:
    return Digit(
        wrong.index,
        percent(wrong.probabilities[wrong.predicted], 1),
        percent(wrong.probabilities[wrong.true], 1),
        data_uri(ink_png(wrong.rows())),
    )
