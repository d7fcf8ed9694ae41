"""The pictures of Part 2: training curves, learning rate, seeds and, for the hand-in folder, the confusion matrix."""

from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from mnist.constants import REQUIRED_ACCURACY
from mnist.records import History
from mnist.study import Study
from reports.drawings.theme import (
    ACCENT,
    GOAL,
    INK,
    MUTED,
    PAPER,
    SERIES,
    Drawing,
    canvas,
    label_ends,
    plot_area,
    themed,
    without_minor_ticks,
)
from reports.formats import percent, significant
from reports.prose import prose
from reports.views.mnist import MnistView
from reports.views.schedule import ScheduleView

_TRAINING = SERIES[3]
_WRONG_SHARES = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.006, 0.003, 0.001, 0.0003, 0.0001)
"""Where the accuracy axis may have a tick: 0.01 is 99 %."""
_LEAST_WRONG = 5e-5
_STUDY_ROW, _DOT = 90, 0.13
"""Height of a recipe's row in SVG units, and distance of dots that would lie on each other, as a share of it."""


def loss_drawing(history: History) -> Drawing:
    """Draw training and test loss, epoch by epoch."""
    training = [record.train_loss for record in history.epochs]
    test = [record.test_loss for record in history.epochs]
    with themed():
        axes = _epoch_axes(history, "loss, logarithmic")
        _scale_losses(axes, training + test)
        _plot_both(axes, history, training, test)
    description = prose("mnist.loss_drawing", history.epochs)
    return Drawing("loss", "Loss, epoch by epoch", description, axes.figure)  # type: ignore[arg-type]


def _scale_losses(axes: Axes, losses: list[float]) -> None:
    shown = [loss for loss in losses if loss > 0] or [1.0]
    low, high = min(shown) * 0.8, max(shown) * 1.25
    ticks = [m * 10.0**e for e in range(-6, 3) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
    without_minor_ticks(axes)


def accuracy_drawing(history: History) -> Drawing:
    """Draw training and test accuracy with the line that the assignment asks for.

    The axis is logarithmic in the share of misclassified images, so that 99 % and 99.4 % lie visibly apart.
    """
    training = [record.train_accuracy for record in history.epochs]
    test = [record.test_accuracy for record in history.epochs]
    wrong_training, wrong_test = ([max(1 - share, _LEAST_WRONG) for share in shares] for shares in (training, test))
    with themed():
        axes = _epoch_axes(history, "accuracy")
        _scale_accuracy(axes, [*wrong_training, *wrong_test])
        axes.axhline(1 - REQUIRED_ACCURACY, color=GOAL, linewidth=1.4, linestyle=(0, (5, 3)))
        asked = f"{percent(REQUIRED_ACCURACY, 1)} asked"
        place = (axes.get_xlim()[0], 1 - REQUIRED_ACCURACY)
        axes.annotate(asked, place, (4, 4), textcoords="offset points", color=GOAL, va="bottom")
        _plot_both(axes, history, wrong_training, wrong_test)
    description = prose("mnist.accuracy_drawing", history.epochs, REQUIRED_ACCURACY)
    return Drawing("accuracy", "Accuracy, epoch by epoch", description, axes.figure)  # type: ignore[arg-type]


def _scale_accuracy(axes: Axes, wrong: list[float]) -> None:
    high, low = max(*wrong, 0.012) * 1.3, min(*wrong, 1 - REQUIRED_ACCURACY) * 0.7
    axes.set_yscale("log")
    axes.set_ylim(high, low)
    axes.yaxis.set_major_locator(FixedLocator([share for share in _WRONG_SHARES if low <= share <= high]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{significant(100 * (1 - value), 4)} %"))
    without_minor_ticks(axes)


def _epoch_axes(history: History, label: str) -> Axes:
    axes = plot_area(canvas(700, 380), 116, 96)
    last = max(len(history.epochs), 2)
    axes.set_xlim(0.5 if len(history.epochs) == 1 else 1, 1.5 if len(history.epochs) == 1 else last)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return axes


def _plot_both(
    axes: Axes, history: History, training: list[float], test: list[float], *more: tuple[float, float, str, str]
) -> None:
    epochs = [record.epoch for record in history.epochs]
    marker = "o" if len(epochs) < 4 else None
    axes.plot(epochs, training, color=_TRAINING, linewidth=1.6, marker=marker, clip_on=False)
    axes.plot(epochs, test, color=ACCENT, linewidth=2.2, marker=marker, clip_on=False)
    # Curves of one epoch end in the middle; labels stand at the edge all the same.
    edge = axes.get_xlim()[1]
    label_ends(axes, [(edge, training[-1], "training", _TRAINING), (edge, test[-1], "test", ACCENT), *more])


def confusion_drawing(view: MnistView) -> Drawing:
    """Draw the confusion matrix with its counts; the colour shows the mistakes only."""
    counts = view.evaluation.confusion
    heat = [[max(cell.heat, 0) for cell in row] for row in view.confusion]
    with themed():
        figure = canvas(560, 540)
        axes = plot_area(figure, 62, 24, 30, 62)
        axes.imshow(heat, cmap=LinearSegmentedColormap.from_list("heat", [PAPER, "#f2a48a"]), vmin=0, vmax=5)
        axes.grid(False)
        axes.set_xticks(range(len(counts)))
        axes.set_yticks(range(len(counts)))
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("predicted digit")
        axes.set_ylabel("true digit")
        for row, line in enumerate(counts):
            for column, count in enumerate(line):
                colour, weight = (INK, "bold") if row == column else (INK if count else MUTED, "normal")
                text = str(count) if count else "·"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontweight=weight, fontsize=11)
    title = "Confusion matrix of the test images"
    return Drawing("confusion", title, prose("mnist.confusion_drawing", view), figure)


def schedule_drawing(schedule: ScheduleView) -> Drawing:
    """Draw the learning rate of every step, and a dot for what the run recorded after each epoch."""
    with themed():
        axes = plot_area(canvas(700, 340), 116, 96)
        highest = schedule.highest
        axes.set_xlim(0, schedule.epochs)
        axes.set_ylim(0, highest * 1.12)
        axes.set_xlabel("epoch")
        axes.set_ylabel("learning rate η")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(FixedLocator([0, highest / 2, highest]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
        if schedule.averaged_from is not None:
            axes.axvline(schedule.averaged_from, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
            place = (schedule.averaged_from, highest * 1.12)
            label = ("averaged from here", place, (-6, -4))
            axes.annotate(*label, textcoords="offset points", color=MUTED, fontsize=10.5, ha="right", va="top")
        axes.plot(*zip(*schedule.curve, strict=True), color=ACCENT, linewidth=2, clip_on=False)
        dots = [(row.epoch, row.recorded) for row in schedule.rows if row.recorded is not None]
        axes.plot(*zip(*dots, strict=True), linestyle="", marker="o", markersize=4.5, color=ACCENT, clip_on=False)
    title = "Learning rate over the training"
    return Drawing("schedule", title, prose("mnist.schedule_drawing", schedule), axes.figure)  # type: ignore[arg-type]


def study_drawing(studies: Sequence[Study]) -> Drawing:
    """Draw the last epoch's accuracy of every seed, a row a recipe, with mean and 95 % interval."""
    with themed():
        figure = canvas(700, 80 + _STUDY_ROW * len(studies))
        axes = plot_area(figure, 116, 40, bottom=56, top=24)
        axes.set_ylim(len(studies) - 0.3, -0.5)
        axes.set_yticks(range(len(studies)), [study.recipe_name for study in studies])
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("test accuracy after the last epoch")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{significant(100 * value, 4)} %"))
        axes.axvline(REQUIRED_ACCURACY, color=GOAL, linewidth=1.4, linestyle=(0, (5, 3)))
        axes.text(REQUIRED_ACCURACY, -0.5, "asked ", color=GOAL, ha="right", va="bottom")
        for row, study in enumerate(studies):
            accuracies = [result.accuracy for result in study.results]
            axes.scatter(accuracies, _stack(accuracies, row), s=44, color=ACCENT, linewidths=0, clip_on=False)
            if study.summary.interval:
                axes.plot(study.summary.interval, [row + 0.3] * 2, color=INK, linewidth=1.6)
            axes.plot([study.summary.mean], [row + 0.3], marker="d", color=INK, markersize=7)
            axes.text(study.summary.mean, row + 0.4, "mean", color=MUTED, fontsize=10, ha="center", va="top")
    description = prose("mnist.study_drawing", studies)
    return Drawing("study", "Several seeds of each recipe", description, figure)


def _stack(values: Sequence[float], row: int) -> list[float]:
    """Pile dots of the same accuracy up."""
    seen: Counter[float] = Counter()
    places = []
    for value in values:
        places.append(row - _DOT * seen[value])
        seen[value] += 1
    return places
