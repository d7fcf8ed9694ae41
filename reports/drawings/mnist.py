"""The pictures of Part 2: the training curves and, for the hand-in folder, the confusion matrix."""

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from mnist.constants import REQUIRED_ACCURACY
from mnist.records import History
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
from reports.views.mnist import MnistView

_TRAINING = SERIES[3]
_WRONG_SHARES = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.006, 0.003, 0.001, 0.0003, 0.0001)
"""Where the accuracy axis may have a tick: 0.01 is 99 %."""
_LEAST_WRONG = 5e-5


def loss_drawing(history: History) -> Drawing:
    """Draw training and test loss, epoch by epoch."""
    training = [record.train_loss for record in history.epochs]
    test = [record.test_loss for record in history.epochs]
    with themed():
        axes = _epoch_axes(history, "loss, logarithmic")
        _scale_losses(axes, training + test)
        _plot_both(axes, history, training, test)
    description = f"Training loss: {_in_words(training)}. Test loss: {_in_words(test)}."
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

    The axis is logarithmic in the share of wrong answers, so that 99 % and 99.4 % lie visibly apart.
    """
    training = [record.train_accuracy for record in history.epochs]
    test = [record.test_accuracy for record in history.epochs]
    wrong_training, wrong_test = ([max(1 - share, _LEAST_WRONG) for share in shares] for shares in (training, test))
    with themed():
        axes = _epoch_axes(history, "right answers")
        _scale_accuracy(axes, [*wrong_training, *wrong_test])
        axes.axhline(1 - REQUIRED_ACCURACY, color=GOAL, linewidth=1.4, linestyle=(0, (5, 3)))
        asked = f"{percent(REQUIRED_ACCURACY, 1)} asked"
        place = (axes.get_xlim()[0], 1 - REQUIRED_ACCURACY)
        axes.annotate(asked, place, (4, 4), textcoords="offset points", color=GOAL, va="bottom")
        _plot_both(axes, history, wrong_training, wrong_test)
    description = (
        f"Training accuracy: {_in_percent(training)}. Test accuracy: {_in_percent(test)}. "
        f"A dashed line marks {percent(REQUIRED_ACCURACY, 1)}."
    )
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


def _in_words(losses: list[float]) -> str:
    return f"{losses[0]:.4f} after epoch 1, {losses[-1]:.4f} after epoch {len(losses)}"


def _in_percent(shares: list[float]) -> str:
    return f"{percent(shares[0])} after epoch 1, {percent(shares[-1])} after epoch {len(shares)}"


def confusion_drawing(view: MnistView) -> Drawing:
    """Draw the confusion matrix with its counts; the colour shows the wrong answers only."""
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
        axes.set_xlabel("the network’s answer")
        axes.set_ylabel("true digit")
        for row, line in enumerate(counts):
            for column, count in enumerate(line):
                colour, weight = (INK, "bold") if row == column else (INK if count else MUTED, "normal")
                text = str(count) if count else "·"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontweight=weight, fontsize=11)
    title = "Confusion matrix of the test images"
    return Drawing("confusion", title, f"Rows are true digits, columns answers. {view.confusions}", figure)
