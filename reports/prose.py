"""Sentences that page, hand-in, notebook and pictures share: rendered from templates/prose as plain text."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports.filters import FILTERS

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
# A no-break space is no place to collapse: \s would match it.
_BLANK, _EMPTY_LINE = re.compile(r"[ \n]+"), re.compile(r"\n[ \n]*\n")


def sentences(name: str, *facts: Any) -> tuple[str, ...]:
    """Render a macro, FILE.MACRO, of templates/prose: one text for each of its paragraphs, none for empty ones.

    The result is plain text: whatever shows it escapes it as it does any other value.
    """
    file, _, macro = name.partition(".")
    text = getattr(_environment().get_template(f"{file}.txt").module, macro)(*facts)
    paragraphs = (_BLANK.sub(" ", paragraph).strip(" ") for paragraph in _EMPTY_LINE.split(text))
    return tuple(paragraph for paragraph in paragraphs if paragraph)


def prose(name: str, *facts: Any) -> str:
    """Render a macro of templates/prose in one line."""
    return " ".join(sentences(name, *facts))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "prose"),
        autoescape=select_autoescape(enabled_extensions=(), default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment
