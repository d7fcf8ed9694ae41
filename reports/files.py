"""Folders that are either the old ones or the new ones, never half of either, and that keep what a reader put there."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from backprop.files import write_atomically
from reports.errors import ReportError


def write_folder(path: Path, files: Mapping[str, bytes], record: Path) -> tuple[str, ...]:
    """Write a folder beside its place, then exchange the two; `record` remembers what was written.

    What somebody else has put into the folder stays there. A file of ours that was changed since it was written stays
    beside the new one as `name.yours.ending`; the names of those are returned. Raises ReportError where the folder
    can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        new, old = workplace / "new", workplace / "old"
        try:
            fill(new, files)
            changed: tuple[str, ...] = ()
            if path.exists():
                changed = tuple(_carry(path, new, files, _recorded(record)))
                path.rename(old)
            new.rename(path)
        finally:
            # Where the last rename failed, the old folder goes back to its place.
            if old.exists() and not path.exists():
                old.rename(path)
            shutil.rmtree(workplace, ignore_errors=True)
    except OSError as error:
        remedy = "free some space there or choose another folder with --output"
        raise ReportError(f"{path} can't be written ({error.strerror or error}): {remedy}") from error
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    write_atomically(record, json.dumps(sums, indent=1).encode())
    return changed


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder of one's own. Raises OSError where that is not possible."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _free(path: Path, name: Path) -> str:
    """Find a name for a changed file that none in the folder has."""
    names = (name.with_suffix(f".yours{number or ''}{name.suffix}") for number in count())
    return str(next(free for free in names if not (path / free).exists()))


def _recorded(record: Path) -> dict[str, str]:
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _carry(
    path: Path, new: Path, files: Mapping[str, bytes], written: Mapping[str, str], folder: str = ""
) -> Iterator[str]:
    """Copy what is not ours, and what was ours until somebody changed it; give the new names of the latter."""
    ours = {*files, *written}
    for entry in sorted((path / folder).iterdir()):
        name = f"{folder}{entry.name}"
        if name in ours and entry.is_file():
            content = entry.read_bytes()
            if content != files.get(name) and hashlib.sha256(content).hexdigest() != written.get(name):
                beside = _free(path, Path(name))
                (new / beside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(entry, new / beside)
                yield beside
        elif any(own.startswith(f"{name}/") for own in ours):
            yield from _carry(path, new, files, written, f"{name}/")
        elif entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / name, symlinks=True)
        else:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry, new / name, follow_symlinks=False)
