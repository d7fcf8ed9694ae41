"""Text that stays text in Markdown."""

import re
from typing import Any

# Also what would make a link of an address by itself: "://" and "www.".
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&@!]|:(?=//)|(?<=www)\.", re.IGNORECASE)


class Verbatim(str):
    """Markdown that is meant as such."""

    __slots__ = ()


def escaped(value: Any) -> str:
    """Put a backslash before whatever Markdown or HTML in it would take for markup; Verbatim stays as it is."""
    text = str(value)
    return text if isinstance(value, Verbatim) else _SPECIAL.sub(lambda match: "\\" + match.group(), text)
