"""Rendering the templates that are Markdown: the hand-in folder's README and the notebook's text."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports.filters import NUMBER_FILTERS
from reports.handin.markdown import Verbatim, escaped, fenced
from reports.render import TEMPLATES


def markdown_environment() -> Environment:
    """Make an environment in which every value is escaped for Markdown, so that none can be forgotten."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "handin"),
        # HTML's escaping is not Markdown's: `finalize` escapes instead.
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False),
        undefined=StrictUndefined,
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {**NUMBER_FILTERS, "verbatim": Verbatim, "fenced": fenced}
    return environment
