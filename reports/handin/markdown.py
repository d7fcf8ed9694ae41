"""Markdown in which text stays text: escaping, tables, and the templates of README and notebook."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports.filters import FILTERS
from reports.prose import TEMPLATES, prose, sentences

# Also what would make a link of an address by itself: "://" and "www.".
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&@!]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_NUMBER = re.compile(r"[-−–]?[\d.,⁰¹²³⁴-⁹⁻×%\s]*")


class Verbatim(str):
    """Markdown that is meant as such."""

    __slots__ = ()


def escaped(value: Any) -> str:
    """Escape with backslashes whatever Markdown or HTML would take for markup; Verbatim stays as it is."""
    text = str(value)
    return text if isinstance(value, Verbatim) else _SPECIAL.sub(lambda match: "\\" + match.group(), text)


def fenced(text: str) -> Verbatim:
    """Fence a text as it is, with fences longer than any in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Verbatim(f"{fence}\n{text}\n{fence}")


def table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """Format a table whose cells stay text; columns of numbers are aligned to the right."""
    lines = [[" ".join(escaped(cell).split("\n")) for cell in line] for line in (header, *rows)]
    columns = zip(*lines[1:], strict=True) if len(lines) > 1 else [() for _ in header]
    alignment = ["---:" if column and all(map(_NUMBER.fullmatch, column)) else "---" for column in columns]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], alignment, *lines[1:]))


def markdown_environment() -> Environment:
    """Return an environment that escapes every value for Markdown, so that none can be forgotten."""
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
    environment.filters |= {**FILTERS, "verbatim": Verbatim, "fenced": fenced}
    environment.globals |= {"prose": prose, "sentences": sentences}
    return environment
