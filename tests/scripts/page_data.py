"""Write page_data.d.ts: what Python hands to the page's scripts, as TypeScript declares it.

Run it with `python tests/scripts/page_data.py` after a change to one of these dataclasses.
"""

import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from backprop.network import TOTAL_ERROR
from backprop.part1 import SLOPES, STEP
from reports.drawings.backprop import LiveComparison
from reports.views.digit import DigitData
from reports.views.explorer import ExplorerSettings

DECLARATIONS = Path(__file__).with_name("page_data.d.ts")
_BLOCKS = (ExplorerSettings, LiveComparison, DigitData)
"""What the page's JSON blocks hold."""
_NAMES = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
_PRINTED = f"""type Values = Record<string, number>;
type Row = Values & {{ {TOTAL_ERROR}: number; next: Values }};

declare module "*/derivation.js" {{
  export function {STEP}(values: Values): Row;
  export function {SLOPES}(values: Values): Values;
}}
"""


def declarations() -> str:
    """Declare every dataclass that JSON carries to the page, and the functions that are printed for it."""
    found = dict.fromkeys(kind for block in _BLOCKS for kind in _dataclasses(block))
    header = "// Written by page_data.py from the dataclasses in reports/ and mnist/: change those.\n"
    return "\n".join((header, *map(_interface, found), _PRINTED))


def _dataclasses(kind: Any) -> Iterator[Any]:
    """Find a dataclass, and those of its fields."""
    if is_dataclass(kind):
        yield kind
        kind = tuple[tuple(get_type_hints(kind).values())]
    for part in get_args(kind):
        yield from _dataclasses(part)


def _interface(kind: Any) -> str:
    hints = get_type_hints(kind)
    lines = (f"  {field.name}: {_typescript(hints[field.name])};" for field in fields(kind))
    return "\n".join((f"interface {kind.__name__} {{", *lines, "}\n"))


def _typescript(kind: Any) -> str:
    """Return the TypeScript type of a field. Raises KeyError for one that JSON does not carry."""
    if is_dataclass(kind):
        return str(kind.__name__)
    parts = [part if part is ... else _typescript(part) for part in get_args(kind)]
    if get_origin(kind) is dict:
        return f"Record<{', '.join(parts)}>"
    if get_origin(kind) is tuple:
        return f"{parts[0]}[]" if parts[-1] is ... else f"[{', '.join(parts)}]"
    if get_origin(kind) in (types.UnionType, Union):
        return " | ".join(parts)
    return _NAMES[kind]


if __name__ == "__main__":
    DECLARATIONS.write_text(declarations(), encoding="utf-8")
