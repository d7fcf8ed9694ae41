"""Results that took long, kept until what they were made from changes."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from backprop.files import write_file


def digest(parts: Iterable[bytes]) -> str:
    """Name what a result was made from. Where one part ends and the next begins counts too."""
    together = hashlib.sha256()
    for part in parts:
        together.update(len(part).to_bytes(8, "big") + part)
    return together.hexdigest()


def kept(folder: Path, name: str, key: str) -> bytes | None:
    """Give what was made under a name, such as `sheet.png`, from this very key; None where nothing was."""
    path = _place(folder, name, key)
    return path.read_bytes() if path.is_file() else None


def cached(folder: Path, name: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Give what was kept, or make it, keep it, and drop what was kept under that name before.

    Raises what `make` raises, and BackpropError where the folder can't be written.
    """
    found = kept(folder, name, key)
    if found is not None:
        return found
    made, place = make(), _place(folder, name, key)
    write_file(place, made)
    for other in folder.glob(_place(Path(), name, "*").name):
        if other != place:
            other.unlink(missing_ok=True)
    return made


def _place(folder: Path, name: str, key: str) -> Path:
    stem, suffix = Path(name).stem, Path(name).suffix
    return folder / f"{stem}-{key[:16]}{suffix}"
