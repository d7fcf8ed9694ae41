"""The one way to write a file: beside its place, then renamed, so that readers see the old file or the new one."""

import os
import re
import secrets
import shutil
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

from backprop.errors import OutputError

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".backprop-part"
_TEMPORARY = re.compile(rf"\..*\.[0-9a-f]{{16}}{re.escape(_SUFFIX)}", re.DOTALL)
_STALE_SECONDS = 24 * 60 * 60
_NAME_LENGTH = 40
"""Characters of the file's own name in a temporary one, which may have no more than 255 bytes."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whatever interrupts it; make its folder where there is none.

    Symbolic links are followed, devices are written through, an existing file keeps its permissions and a new one gets
    those of the umask. Raises OutputError where it can't be written; the earlier file then stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Renaming onto a device would replace it, and onto a link the link.
        if path.exists() and not (path.is_file() or path.is_dir()):
            path.write_bytes(content)
            return
        target = Path(os.path.realpath(path))
        _remove_stale(target.parent)
        _replace(target, content)
    except OSError as cause:
        raise OutputError(path, cause) from cause


def check_writable(folder: Path) -> None:
    """Make a folder and write in it once, before hours of work depend on it. Raises OutputError where that fails."""
    probe = temporary_path(folder / "probe")
    write_file(probe, b"")
    probe.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Return an unused path beside `path`, by whose name a later run knows it for a left-over."""
    return path.with_name(f"{_prefix(path)}{secrets.token_hex(8)}{_SUFFIX}")


def temporary_paths(path: Path) -> list[Path]:
    """List what `temporary_path` named for `path` and what is still there, the latest last."""
    found = [other for other in _temporaries(path.parent) if other.name.startswith(_prefix(path))]
    return sorted(found, key=lambda other: other.lstat().st_mtime)


def is_stale(temporary: Path) -> bool:
    """Return whether a temporary file or folder is over a day old, so that its process must have been killed."""
    return time.time() - temporary.lstat().st_mtime > _STALE_SECONDS


def _prefix(path: Path) -> str:
    return f".{path.name[:_NAME_LENGTH]}."


def _temporaries(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f".*{_SUFFIX}") if _TEMPORARY.fullmatch(path.name)]


def _replace(target: Path, content: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    beside = temporary_path(target)
    try:
        # Exclusive creation follows no link that somebody planted, and leaves the permissions to the umask.
        with beside.open("xb") as file:
            _lock(file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _lock(descriptor: int) -> bool:
    """Lock an open file for as long as it is open; False where another process holds the lock.

    Some network folders know no locks, and Windows does not remove files that are open: there it counts as locked.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _remove_stale(folder: Path) -> None:
    """Remove temporary files that killed processes left; one that is still being written is locked."""
    for path in _temporaries(folder):
        with suppress(OSError):
            if stat.S_ISREG(path.lstat().st_mode) and is_stale(path):
                with path.open("rb") as file:
                    unlocked = _lock(file.fileno())
                if unlocked:
                    path.unlink()
