"""From view and figures to the report's one HTML file."""

import re

from jinja2 import Environment

from backprop.part1 import EXPONENTIAL
from mnist.constants import REQUIRED_ACCURACY
from reports.figures import Figures
from reports.html import join_scripts, new_environment, render_document
from reports.view import Page
from reports.views.digit import heat, ink_image

STYLES = ("style.css", "explorer.css", "learning_rates.css", "digit.css")
_FUNCTION = re.compile(r"^(?=function )", re.MULTILINE)


def render(page: Page, figures: Figures) -> str:
    """Render the page."""
    return render_document(
        page_environment(),
        "page.html",
        STYLES,
        join_scripts("main.js", {"derivation.js": _make_module(page.backprop.explorer.program)}),
        title=page.title,
        author=page.author,
        page=page,
        backprop=page.backprop,
        mnist=page.mnist,
        figures=figures,
        least_accuracy=REQUIRED_ACCURACY,
    )


def _make_module(derivation: str) -> str:
    """Turn the functions that the derivation prints into a module."""
    return f'import {{ {EXPONENTIAL} }} from "./numbers.js";\n' + _FUNCTION.sub("export ", derivation)


def page_environment() -> Environment:
    """Make the environment of the report's templates."""
    environment = new_environment()
    environment.filters |= {"ink": ink_image, "heat": heat}
    return environment
