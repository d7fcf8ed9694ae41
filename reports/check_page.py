"""The page of a check: one HTML file with every finding in its sheet, its formula and its numbers."""

from collections.abc import Sequence

from backprop import __version__
from backprop.check.findings import FileReport
from backprop.check.output import show
from reports.html import join_scripts, new_environment, render_document
from reports.views.check import view_check


def render_check(reports: Sequence[FileReport], *, strict: bool = False) -> str:
    """Render the page; foreign names and formulas stay text."""
    environment, page = new_environment(), view_check(reports, strict=strict)
    environment.filters["shown"] = show
    styles, script = ("style.css", "check.css"), join_scripts("check.js")
    return render_document(
        environment, "check.html", styles, script, title=page.title, author="", page=page, version=__version__
    )
