"""The test images that the network misclassifies: counts, and the images behind them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mnist.records import Evaluation, Prediction

MOST_IMAGES = 150
"""How many misclassified digits the page shows; a good network has far fewer, and the page stays below 1 MB."""
_HEAT_LEVELS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class ConfusionCell:
    """How often a digit was classified as another, or rightly."""

    true: int
    predicted: int
    count: int
    heat: int
    """0 for none, then rising with the count, for the colour; -1 on the diagonal."""
    group: str
    """The name of the group with the images behind the count; empty where there is none."""


@dataclass(frozen=True)
class MistakeGroup:
    """The images of one digit that got the same wrong prediction."""

    name: str
    true: int
    predicted: int
    count: int
    """All of them."""
    images: tuple[Prediction, ...]
    """Those that the page shows, by falling probability of the prediction."""


def group_mistakes(evaluation: Evaluation) -> tuple[MistakeGroup, ...]:
    """Group the images by (true digit, prediction), in the order in which the confusion matrix is read.

    Where there are more than MOST_IMAGES, every group keeps its surest ones, and none is left without an image.
    """
    groups: dict[tuple[int, int], list[Prediction]] = defaultdict(list)
    for wrong in sorted(evaluation.misclassified, key=_surest_first):
        groups[wrong.true, wrong.predicted].append(wrong)
    shown = _count_shown(groups)
    return tuple(
        MistakeGroup(f"confusion-{pair[0]}-{pair[1]}", *pair, len(groups[pair]), tuple(groups[pair][: shown[pair]]))
        for pair in sorted(groups)
    )


def confusion_cells(evaluation: Evaluation, groups: Iterable[MistakeGroup]) -> tuple[tuple[ConfusionCell, ...], ...]:
    """Arrange the confusion matrix; the cell of a mistake names the group of its images."""
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


def _surest_first(wrong: Prediction) -> tuple[float, int]:
    return -wrong.probabilities[wrong.predicted], wrong.index


def _count_shown(groups: Mapping[tuple[int, int], list[Prediction]]) -> Mapping[tuple[int, int], int]:
    """Choose the surest of each group, then the second of each, until there are enough; count them by group."""
    ranked = sorted((rank, *_surest_first(w), w.true, w.predicted) for g in groups.values() for rank, w in enumerate(g))
    shown: dict[tuple[int, int], int] = defaultdict(int)
    for *_, true, predicted in ranked[:MOST_IMAGES]:
        shown[true, predicted] += 1
    return shown
