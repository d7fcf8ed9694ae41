"""From view and figures to one HTML file that asks nobody for anything."""

import base64
import hashlib
from collections.abc import Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from mnist.asked import LEAST_ACCURACY
from reports.figures import Figures
from reports.filters import NUMBER_FILTERS, ink_image
from reports.prose import TEMPLATES, prose, sentences
from reports.view import Page
from reports.views.digit import heat
from reports.views.formulas import names_as_symbols

STYLES = ("style.css", "explorer.css", "learning_rates.css", "digit.css")
SCRIPTS = (
    "live.js",
    "elements.js",
    "numbers.js",
    "number_field.js",
    "run.js",
    "chart_scale.js",
    "explorer_drawing.js",
    "explorer_curve.js",
    "explorer_formulas.js",
    "explorer_row.js",
    "explorer.js",
    "learning_rates.js",
    "network.js",
    "digit_image.js",
    "digit.js",
    "mistakes.js",
)
"""The page's own files in the order in which they are put together."""


def render(page: Page, figures: Figures) -> str:
    """Render the page: text is escaped, what a template forgets to define is an error."""
    # Inside <style> and <script> nothing is escaped; the files are the project's own, and have no "</".
    style = _together("styles", STYLES)
    # The mathematics comes printed from the derivation; functions are known to the whole script, wherever they stand.
    script = _together("scripts", SCRIPTS) + page.backprop.explorer.program
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            backprop=page.backprop,
            mnist=page.mnist,
            figures=figures,
            least_accuracy=LEAST_ACCURACY,
            style=Markup(style),
            script=Markup(script),
            policy=content_security_policy(style, script),
        )
    )


def content_security_policy(style: str, script: str) -> str:
    """Allow the page's own style and script, and pictures that it carries itself, and nothing else: no request."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _together(folder: str, names: Sequence[str]) -> str:
    return "".join((TEMPLATES / folder / name).read_text(encoding="utf-8") for name in names)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {**NUMBER_FILTERS, "ink": ink_image, "heat": heat, "names": names_as_symbols}
    environment.globals |= {"prose": prose, "sentences": sentences}
    return environment
