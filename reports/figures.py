"""All pictures of the page and of the hand-in folder."""

from dataclasses import dataclass

from reports.drawings.backprop import (
    LiveComparison,
    comparison_drawing,
    curve_drawing,
    live_comparison,
    network_drawing,
)
from reports.drawings.mnist import accuracy_drawing, confusion_drawing, loss_drawing, schedule_drawing, study_drawing
from reports.drawings.theme import Drawing
from reports.view import Page


@dataclass(frozen=True)
class Figures:
    """What the page shows between its words."""

    network: Drawing
    errors_linear: Drawing
    errors_logarithmic: Drawing
    live_errors: LiveComparison
    loss: Drawing
    accuracy: Drawing
    schedule: Drawing
    study: Drawing | None
    """None where no study was made."""


def draw(page: Page) -> Figures:
    """Draw the page's figures."""
    linear, logarithmic = (comparison_drawing(page.backprop.comparison, logarithmic=log) for log in (False, True))
    return Figures(
        network=network_drawing(page.backprop),
        errors_linear=linear,
        errors_logarithmic=logarithmic,
        live_errors=live_comparison(page.backprop, (linear, logarithmic)),
        loss=loss_drawing(page.mnist.history),
        accuracy=accuracy_drawing(page.mnist.history),
        schedule=schedule_drawing(page.mnist.schedule),
        study=study_drawing([view.study for view in page.studies]) if page.studies else None,
    )


def draw_for_handin(page: Page) -> tuple[Drawing, ...]:
    """Draw what the hand-in folder shows beyond the page: one error graph for each η, and the confusion matrix."""
    comparison = page.backprop.comparison
    return (*(curve_drawing(comparison, curve) for curve in comparison.curves), confusion_drawing(page.mnist))
