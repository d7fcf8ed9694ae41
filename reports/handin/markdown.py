"""Text that stays text in Markdown."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

# Also what would make a link of an address by itself: "://" and "www.".
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&@!]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_NUMBER = re.compile(r"[-−–]?[\d.,⁰¹²³⁴-⁹⁻×%\s]*")


class Verbatim(str):
    """Markdown that is meant as such."""

    __slots__ = ()


def escaped(value: Any) -> str:
    """Put a backslash before whatever Markdown or HTML in it would take for markup; Verbatim stays as it is."""
    text = str(value)
    return text if isinstance(value, Verbatim) else _SPECIAL.sub(lambda match: "\\" + match.group(), text)


def fenced(text: str) -> Verbatim:
    """Set a text off as it is, between fences longer than any in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Verbatim(f"{fence}\n{text}\n{fence}")


def table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """Make a table whose cells stay text; columns of numbers are aligned to the right."""
    lines = [[" ".join(escaped(cell).split("\n")) for cell in line] for line in (header, *rows)]
    columns = zip(*lines[1:], strict=True) if len(lines) > 1 else [() for _ in header]
    alignment = ["---:" if column and all(map(_NUMBER.fullmatch, column)) else "---" for column in columns]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], alignment, *lines[1:]))
