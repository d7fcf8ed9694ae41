"""model.pt: a run's history and all that resuming it needs, in one file, so that one rename decides what is true."""

import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

from backprop.files import write_file
from mnist.errors import MnistError
from mnist.records import OLD_NAMES, History, update_names

FORMAT, OLD_FORMAT = "mnist training checkpoint 4", "mnist training checkpoint 3"


@dataclass(frozen=True)
class Checkpoint:
    """A run after a whole number of epochs."""

    history: History
    states: dict[str, Any]
    """Returned by `Training.states`."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint atomically. Raises OutputError where it can't be written."""
    # Through memory, because torch.save writes the file's name into the file, and that would be the temporary one.
    buffer = io.BytesIO()
    content = {"format": FORMAT, "history": dataclasses.asdict(checkpoint.history), "states": checkpoint.states}
    torch.save(content, buffer)
    write_file(path, buffer.getvalue())


def load(path: Path) -> Checkpoint:
    """Read a checkpoint without running anything in it.

    Raises MnistError where there is none, or where it is truncated, damaged or something else.
    """
    try:
        content = torch.load(io.BytesIO(path.read_bytes()), weights_only=True, map_location="cpu")
        if not isinstance(content, dict) or content.get("format") not in (FORMAT, OLD_FORMAT):
            raise ValueError("not written by this version of the program")
        history = msgspec.convert(update_names(content["history"]), History)
        return Checkpoint(history, {OLD_NAMES.get(name, name): state for name, state in content["states"].items()})
    except FileNotFoundError:
        raise MnistError(f"{path} does not exist: run `make train`, which writes it") from None
    except Exception as cause:
        # torch.load raises half a dozen unrelated classes for a damaged file.
        reason = (str(cause).splitlines() or [type(cause).__name__])[0][:100]
        remedy = "move it away and run `make train` to train anew"
        raise MnistError(f"{path} is damaged or not a checkpoint ({reason}): {remedy}") from cause
