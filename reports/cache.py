"""Results that took long, kept until what they were made from changes."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from backprop.files import write_file


def digest(parts: Iterable[bytes]) -> str:
    """Return the key of what a result is made from. Where one part ends and the next begins counts too."""
    together = hashlib.sha256()
    for part in parts:
        together.update(len(part).to_bytes(8, "big") + part)
    return together.hexdigest()


def load(folder: Path, name: str, key: str) -> bytes | None:
    """Return what was made under a name, such as `sheet.png`, from this very key; None where nothing was."""
    path = _path(folder, name, key)
    return path.read_bytes() if path.is_file() else None


def load_or_make(folder: Path, name: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return what was kept, or make it, keep it, and drop what was kept under that name before.

    Raises what `make` raises, and BackpropError where the folder can't be written.
    """
    found = load(folder, name, key)
    if found is not None:
        return found
    made, path = make(), _path(folder, name, key)
    write_file(path, made)
    for other in folder.glob(_path(Path(), name, "*").name):
        if other != path:
            other.unlink(missing_ok=True)
    return made


def _path(folder: Path, name: str, key: str) -> Path:
    stem, suffix = Path(name).stem, Path(name).suffix
    return folder / f"{stem}-{key[:16]}{suffix}"
