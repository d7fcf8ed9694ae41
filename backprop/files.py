"""Writing files so that nothing is lost: beside their place first, then renamed."""

import os
import tempfile
from pathlib import Path

from backprop.errors import BackpropError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either the old or the new one. Raises BackpropError where it can't be written."""
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
        raise BackpropError(f"cannot write {path}: {error.strerror}; name another file with --output") from error
