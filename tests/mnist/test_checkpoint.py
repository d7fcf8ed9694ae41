"""Checkpoints that are cut off, foreign or hostile."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from bits import assert_same_bits
from old_checkpoints import write_as_version_0_1_0

from mnist import checkpoint
from mnist.errors import MnistError
from mnist.records import read_history


def test_the_checkpoint_carries_the_history(finished_run: Path) -> None:
    assert checkpoint.load(finished_run / "model.pt").history == read_history(finished_run / "history.json")


def test_a_checkpoint_of_version_0_1_0_is_read(finished_run: Path, tmp_path: Path) -> None:
    found = checkpoint.load(finished_run / "model.pt")
    write_as_version_0_1_0(tmp_path / "model.pt", found)
    old = checkpoint.load(tmp_path / "model.pt")
    assert old.history == found.history
    assert_same_bits(old.states, found.states)


def test_the_file_does_not_depend_on_its_name(finished_run: Path, tmp_path: Path) -> None:
    found = checkpoint.load(finished_run / "model.pt")
    for name in ("a.pt", "another.pt"):
        checkpoint.save(tmp_path / name, found)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()


def assert_refused(path: Path) -> None:
    with pytest.raises(MnistError, match=r"model\.pt is damaged or not a checkpoint .*`make train`") as caught:
        checkpoint.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_truncated_checkpoint_is_refused(finished_run: Path, tmp_path: Path, share: float) -> None:
    content = (finished_run / "model.pt").read_bytes()
    path = tmp_path / "model.pt"
    path.write_bytes(content[: int(len(content) * share)])
    assert_refused(path)


class Hostile:
    def __reduce__(self) -> Any:
        return os.system, ("touch hacked",)


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "something else")
    return buffer.getvalue()


def _saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"not a checkpoint",
        _archive(),
        _saved({"weight": torch.zeros(3)}),
        _saved(torch.zeros(3)),
        _saved({"format": checkpoint.FORMAT, "history": {}, "states": {}}),
        _saved({"format": checkpoint.FORMAT}),
        _saved(Hostile()),
        pickle.dumps(Hostile()),
    ],
    ids=["text", "zip", "weights", "tensor", "empty history", "no history", "hostile", "hostile pickle"],
)
def test_foreign_files_are_refused_and_not_run(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pt").write_bytes(content)
    assert_refused(tmp_path / "model.pt")
    assert not (tmp_path / "hacked").exists()


def test_a_missing_checkpoint_names_the_target(tmp_path: Path) -> None:
    with pytest.raises(MnistError, match="make train"):
        checkpoint.load(tmp_path / "model.pt")
