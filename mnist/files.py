"""Files that are either the old ones or the new ones, never half of either, and JSON that is checked when read."""

import dataclasses
import json
import os
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from mnist.errors import MnistError

Record = TypeVar("Record")


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the file, then rename, so that a reader or a power cut sees the old file or the new one.

    Raises MnistError where the folder or the file can't be written.
    """
    # A fixed name: what a killed process leaves behind is overwritten by the next one.
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as cause:
        remedy = "free some space there or choose another folder with --output"
        raise MnistError(f"{path} can't be written ({cause.strerror or cause}): {remedy}") from cause


def check_writable(folder: Path) -> None:
    """Make the folder and try to write in it, before hours of work depend on it. Raises MnistError where that fails."""
    probe = folder / ".writable"
    write_atomically(probe, b"")
    probe.unlink(missing_ok=True)


def write_record(path: Path, record: Any) -> None:
    """Write a dataclass as JSON, atomically. Raises MnistError where it can't be written."""
    write_atomically(path, to_json(record).encode())


def to_json(record: Any) -> str:
    """Spell a dataclass as JSON text."""
    return json.dumps(dataclasses.asdict(record), indent=1, allow_nan=False) + "\n"


def read_record(
    kind: type[Record], path: Path, remedy: str, update: Callable[[Any], Any] = lambda content: content
) -> Record:
    """Read a dataclass back from JSON, which `update` may change first.

    Raises MnistError, ending with the remedy, where the file is missing, damaged, or holds something else.
    """
    try:
        record: Record = from_plain(kind, update(json.loads(path.read_bytes())))
        return record
    except FileNotFoundError:
        raise MnistError(f"{path} does not exist: {remedy}") from None
    except OSError as cause:
        raise MnistError(f"{path} can't be read ({cause.strerror or cause}): {remedy}") from cause
    except (ValueError, RecursionError) as cause:
        raise MnistError(f"{path} is damaged ({cause}): {remedy}") from cause


def from_plain(kind: Any, value: Any, name: str = "the content") -> Any:
    """Build a value of an annotated type from JSON's own types, checking each on the way.

    Keys that the dataclass doesn't know are left out, so that older readers understand newer files.
    Raises ValueError that names the first field that doesn't fit.
    """
    if dataclasses.is_dataclass(kind):
        return _dataclass_from_plain(kind, value, name)
    if kind is float and type(value) in (int, float):
        return float(value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(from_plain(arguments[0], item, f"{name}[{i}]") for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): from_plain(arguments[1], item, f"{name}.{key}") for key, item in value.items()}
    if origin is types.UnionType and value is None and types.NoneType in arguments:
        return None
    if origin is types.UnionType:
        return from_plain(next(option for option in arguments if option is not types.NoneType), value, name)
    raise ValueError(f"{name} is not what it should be")


def _dataclass_from_plain(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    missing = [field for field in names if field not in value]
    if missing:
        raise ValueError(f"{name} has no {missing[0]}")
    return kind(**{field: from_plain(hints[field], value[field], field) for field in names})
