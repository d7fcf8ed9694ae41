"""The picture of the learning rate over a whole run."""

from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from reports.drawings.theme import ACCENT, MUTED, Drawing, canvas, plot_area, themed
from reports.formats import significant
from reports.views.schedule import ScheduleView


def schedule_drawing(schedule: ScheduleView) -> Drawing:
    """Draw the learning rate of every step, and a dot for what the run recorded after each epoch."""
    with themed():
        axes = plot_area(canvas(700, 340), 116, 96)
        highest = max(row.highest for row in schedule.rows)
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
    averaging = (
        f" The weights are averaged from epoch {significant(schedule.averaged_from, 2)} on."
        if schedule.averaged_from is not None
        else ""
    )
    title = "Learning rate over the training"
    return Drawing("schedule", title, f"{schedule.words}{averaging}", axes.figure)  # type: ignore[arg-type]
