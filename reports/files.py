"""Files and folders that are either the old ones or the new ones, never half of either."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reports.errors import ReportError


def write_file(path: Path, content: bytes) -> None:
    """Write beside the file, then rename. Raises ReportError where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a whole folder beside its place, then exchange the two. Raises ReportError where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            _fill(workplace / "new", files)
            if path.exists():
                path.rename(workplace / "old")
            (workplace / "new").rename(path)
        finally:
            # Where the last rename failed, the old folder goes back to its place.
            if (workplace / "old").exists() and not path.exists():
                (workplace / "old").rename(path)
            shutil.rmtree(workplace, ignore_errors=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _unwritable(path: Path, error: OSError) -> ReportError:
    remedy = "free some space there or choose another folder with --output"
    return ReportError(f"{path} can't be written ({error.strerror or error}): {remedy}")
