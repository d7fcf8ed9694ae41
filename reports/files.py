"""Folders that are either the old ones or the new ones, never half of either."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reports.errors import ReportError


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a whole folder beside its place, then exchange the two. Raises ReportError where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            fill(workplace / "new", files)
            if path.exists():
                path.rename(workplace / "old")
            (workplace / "new").rename(path)
        finally:
            # Where the last rename failed, the old folder goes back to its place.
            if (workplace / "old").exists() and not path.exists():
                (workplace / "old").rename(path)
            shutil.rmtree(workplace, ignore_errors=True)
    except OSError as error:
        remedy = "free some space there or choose another folder with --output"
        raise ReportError(f"{path} can't be written ({error.strerror or error}): {remedy}") from error


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder of one's own. Raises OSError where that is not possible."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
