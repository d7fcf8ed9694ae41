"""The picture of several seeds: a dot each, so that spread and luck can be seen."""

from collections import Counter
from collections.abc import Sequence

from matplotlib.ticker import FuncFormatter, MaxNLocator

from mnist.constants import REQUIRED_ACCURACY
from mnist.study import Study
from reports.drawings.theme import ACCENT, GOAL, INK, MUTED, Drawing, canvas, plot_area, themed
from reports.formats import counted, percent, significant

_ROW, _DOT = 90, 0.13
"""Height of a recipe's row in SVG units, and distance of dots that would lie on each other, as a share of it."""


def study_drawing(studies: Sequence[Study]) -> Drawing:
    """Draw the last epoch's accuracy of every seed, a row a recipe, with mean and 95 % interval."""
    with themed():
        figure = canvas(700, 80 + _ROW * len(studies))
        axes = plot_area(figure, 116, 40, bottom=56, top=24)
        axes.set_ylim(len(studies) - 0.3, -0.5)
        axes.set_yticks(range(len(studies)), [study.recipe_name for study in studies])
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("right answers after the last epoch")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{significant(100 * value, 4)} %"))
        axes.axvline(REQUIRED_ACCURACY, color=GOAL, linewidth=1.4, linestyle=(0, (5, 3)))
        axes.text(REQUIRED_ACCURACY, -0.5, "asked ", color=GOAL, ha="right", va="bottom")
        for row, study in enumerate(studies):
            accuracies = [result.accuracy for result in study.results]
            axes.scatter(accuracies, _stacked(accuracies, row), s=44, color=ACCENT, linewidths=0, clip_on=False)
            if study.summary.interval:
                axes.plot(study.summary.interval, [row + 0.3] * 2, color=INK, linewidth=1.6)
            axes.plot([study.summary.mean], [row + 0.3], marker="d", color=INK, markersize=7)
            axes.text(study.summary.mean, row + 0.4, "mean", color=MUTED, fontsize=10, ha="center", va="top")
    description = " ".join(f"{study.recipe_name}: {_in_words(study)}" for study in studies)
    return Drawing("study", "Several seeds of each recipe", description, figure)


def _stacked(values: Sequence[float], row: int) -> list[float]:
    """Pile dots of the same accuracy up."""
    seen: Counter[float] = Counter()
    places = []
    for value in values:
        places.append(row - _DOT * seen[value])
        seen[value] += 1
    return places


def _in_words(study: Study) -> str:
    summary = study.summary
    return (
        f"{counted(summary.seeds, 'seed')} from {percent(summary.lowest)} to {percent(summary.highest)}, "
        f"mean {percent(summary.mean, 3)}."
    )
