"""Folders that are either the old ones or the new ones, never half of either, and that keep what a reader put there."""

import ctypes
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from backprop.errors import OutputError
from backprop.files import is_stale, temporary_path, temporary_paths, write_file

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
"""From Linux's fcntl.h and stdio.h, and from macOS's stdio.h."""


@dataclass(frozen=True)
class WrittenFolder:
    """What became of the files that were in a folder before."""

    changed: tuple[str, ...]
    """Files of ours that somebody had changed, under the names that they have now."""
    restored: bool
    """Whether an earlier process was killed while it exchanged the folder, and its files are back now."""


def write_folder(path: Path, files: Mapping[str, bytes], record: Path) -> WrittenFolder:
    """Write a folder beside its place, then exchange the two; `record` remembers what was written.

    What somebody else has put into the folder stays there. A file of ours that was changed since it was written stays
    beside the new one as `name.yours.ending`. Where the system can't exchange two folders at once, a process killed
    between two renames leaves the old folder aside, and the next call restores it first. Raises OutputError where the
    folder can't be written.
    """
    path = Path(os.path.realpath(path))
    workplace = temporary_path(path)
    new, old = workplace / "new", workplace / "old"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        restored = _restore(path)
        _remove_stale(path)
        try:
            fill(new, files)
            changed: tuple[str, ...] = ()
            if path.exists():
                changed = tuple(_carry(path, new, files, _read_hashes(record)))
                shutil.copymode(path, new)
            _exchange(path, new, old)
        finally:
            # Where the last rename failed, the old folder goes back to its place.
            if old.exists() and not path.exists():
                old.rename(path)
            shutil.rmtree(workplace, ignore_errors=True)
    except OSError as error:
        raise OutputError(path, error, "free some space there or choose another folder with --output") from error
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    write_file(record, json.dumps(sums, indent=1).encode())
    return WrittenFolder(changed, restored)


def _exchange(path: Path, new: Path, old: Path) -> None:
    """Move the new folder into its place; the one that is there, if any, ends under the name `new` or `old`."""
    if path.exists() and not _swap(path, new):
        path.rename(old)
    if not path.exists():
        new.rename(path)


def _swap(first: Path, second: Path) -> bool:
    """Exchange two paths in one step; False where the system, its C library or the file system has no such step."""
    names = os.fsencode(first), os.fsencode(second)
    try:
        if sys.platform == "linux":
            failed = ctypes.CDLL(None).renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
        elif sys.platform == "darwin":
            failed = ctypes.CDLL(None).renamex_np(*names, _RENAME_SWAP)
        else:
            failed = True
    except AttributeError:
        failed = True
    return not failed


def _restore(path: Path) -> bool:
    """Restore a folder that a killed process had moved aside."""
    if path.exists():
        return False
    for workplace in reversed(temporary_paths(path)):
        if (workplace / "old").is_dir():
            (workplace / "old").rename(path)
            shutil.rmtree(workplace, ignore_errors=True)
            return True
    return False


def _remove_stale(path: Path) -> None:
    """Remove the work folders of killed processes, but none that still holds what a reader had put there."""
    for workplace in temporary_paths(path):
        with suppress(OSError):
            if workplace.is_dir() and is_stale(workplace) and not (workplace / "old").exists():
                shutil.rmtree(workplace, ignore_errors=True)


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder of one's own. Raises OSError where that is not possible."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _free(path: Path, name: Path) -> str:
    """Return a name for a changed file that none in the folder has."""
    names = (name.with_suffix(f".yours{number or ''}{name.suffix}") for number in count())
    return str(next(free for free in names if not (path / free).exists()))


def _read_hashes(record: Path) -> dict[str, str]:
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _is_changed(entry: Path, content: bytes | None, written: str | None) -> bool:
    """Return whether a file is neither the one to be written nor the one that was."""
    if entry.is_symlink():
        return True
    found = entry.read_bytes()
    return found != content and hashlib.sha256(found).hexdigest() != written


def _carry(
    path: Path, new: Path, files: Mapping[str, bytes], written: Mapping[str, str], folder: str = ""
) -> Iterator[str]:
    """Copy what is not ours, and what was ours until somebody changed it; yield the new names of the latter."""
    ours = {*files, *written}
    for entry in sorted((path / folder).iterdir()):
        name = f"{folder}{entry.name}"
        if name in ours and (entry.is_file() or entry.is_symlink()):
            if _is_changed(entry, files.get(name), written.get(name)):
                beside = _free(path, Path(name))
                (new / beside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(entry, new / beside, follow_symlinks=False)
                yield beside
        elif any(own.startswith(f"{name}/") for own in ours):
            yield from _carry(path, new, files, written, f"{name}/")
        elif entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / name, symlinks=True)
        else:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry, new / name, follow_symlinks=False)
