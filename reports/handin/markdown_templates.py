"""Rendering the templates that are Markdown: the hand-in folder's README and the notebook's text."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports.filters import FILTERS
from reports.formats import paragraphs
from reports.handin.markdown import Verbatim, escaped, fenced
from reports.render import TEMPLATES


def markdown_environment() -> Environment:
    """Make an environment in which every value is escaped for Markdown, so that none can be forgotten."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES / "handin", TEMPLATES / "prose"]),
        # HTML's escaping is not Markdown's: `finalize` escapes instead.
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False),
        undefined=StrictUndefined,
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {**FILTERS, "verbatim": Verbatim, "fenced": fenced, "paragraphs": _paragraphs}
    return environment


def render_prose(name: str, **facts: Any) -> str:
    """Render sentences that the page has too."""
    return _paragraphs(markdown_environment().get_template(name).render(facts))


def _paragraphs(text: str) -> str:
    return "\n\n".join(paragraphs(text))
