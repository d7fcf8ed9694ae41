"""The record of an exported workbook: x.json beside x.xlsx states what the workbook was made from."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backprop.errors import BackpropError, OutputError
from backprop.files import write_file
from backprop.network import Network, Preset
from backprop.networks.presets import PRESETS
from backprop.records import read_record, write_record

_BEGINNING = b'{\n "preset"'
"""What every record begins with, by which a damaged one is known."""


@dataclass(frozen=True)
class WorkbookRecord:
    """Everything that decides a workbook's numbers, and the SHA-256 of the file that was written."""

    preset: str
    network: Network
    values: Mapping[str, float]
    """Targets, inputs, initial weights and biases by name."""
    learning_rate: float
    iterations: int
    as_taught: bool
    version: str
    """Of this project."""
    workbook_sha256: str

    def shipped_preset(self) -> Preset | None:
        """Return the shipped preset with this name, network and values; None where there is none."""
        preset = PRESETS.get(self.preset)
        same = preset is not None and (preset.network, preset.values) == (self.network, self.values)
        return preset if same else None


def record_path(workbook: Path) -> Path:
    """Return where a workbook's record stands: x.xlsx → x.json."""
    return workbook.with_suffix(".json")


def write_workbook(path: Path, content: bytes, record: WorkbookRecord) -> None:
    """Write a workbook and its record. Raises OutputError where one of them can't be written.

    The old record is removed first and the new one written last: a process killed in between leaves no record, which
    means that the workbook has to be made again, and never one of another workbook.
    """
    _remove_record(record_path(path))
    write_file(path, content)
    write_record(record_path(path), record)


def read_workbook_record(workbook: Path) -> WorkbookRecord:
    """Read the record of a workbook. Raises BackpropError where it is missing or damaged."""
    return read_record(WorkbookRecord, record_path(workbook), "run `make workbook`, which writes it")


def sha256(content: bytes) -> str:
    """Return the hash by which a record knows its workbook."""
    return hashlib.sha256(content).hexdigest()


def _remove_record(path: Path) -> None:
    """Remove a record, a damaged one too, but no file of another kind."""
    try:
        if _is_foreign(path.read_bytes()):
            raise BackpropError(f"{path} is no record of a workbook: move it, or name another workbook with --output")
        Path(os.path.realpath(path)).unlink()
    except FileNotFoundError:
        return
    except OSError as cause:
        raise OutputError(path, cause) from cause


def _is_foreign(content: bytes) -> bool:
    try:
        known = json.loads(content)
    except (ValueError, RecursionError):
        return not _BEGINNING.startswith(content[: len(_BEGINNING)])
    return not (isinstance(known, dict) and "workbook_sha256" in known)
