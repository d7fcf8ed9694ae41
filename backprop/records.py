"""Records: frozen dataclasses kept as JSON files, every value checked against its annotation when read."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from backprop.errors import BackpropError
from backprop.files import write_file

Record = TypeVar("Record")


def write_record(path: Path, record: Any) -> None:
    """Write a dataclass as JSON. Raises OutputError where it can't be written."""
    write_file(path, to_json(record).encode())


def to_json(record: Any) -> str:
    """Serialise a dataclass as JSON text. Raises ValueError for a number that JSON has no word for."""
    return json.dumps(dataclasses.asdict(record), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def read_record(kind: type[Record], path: Path, remedy: str, upgrade: Callable[[Any], Any] | None = None) -> Record:
    """Read a dataclass back from JSON; keys that it does not know are ignored, since a newer version may have them.

    `upgrade` turns the content of a file from an earlier version into today's. Raises BackpropError, ending with the
    remedy, where the file is missing, damaged, or holds something else.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
        return msgspec.convert(upgrade(content) if upgrade else content, kind)
    except FileNotFoundError:
        raise BackpropError(f"{path} does not exist: {remedy}") from None
    except OSError as cause:
        raise BackpropError(f"{path} can't be read ({cause.strerror or cause}): {remedy}") from cause
    except (ValueError, RecursionError) as cause:
        raise BackpropError(f"{path} is damaged ({cause}): {remedy}") from cause
