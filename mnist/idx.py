"""The four MNIST files: names, MD5 sums, and the IDX format. Needs no torch."""

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist.errors import MnistError

Bytes = NDArray[np.uint8]

# MD5 sums of the uncompressed files, the same whatever source they come from.
MD5_SUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
UNSIGNED_BYTES = 8  # the code of the element type in an IDX header


def raw_folder(data: Path) -> Path:
    """Return the folder in which torchvision, too, keeps the files."""
    return data / "MNIST" / "raw"


def md5_of(content: bytes) -> str:
    """Compute the MD5 sum, which recognises the files; it does not protect them."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read_genuine(folder: Path) -> dict[str, bytes] | None:
    """Read the four files, `name` or else `name.gz`, from a folder; None unless all are there with the right sums."""
    found = {name: _genuine(folder, name) for name in MD5_SUMS}
    return {name: content for name, content in found.items() if content is not None} if all(found.values()) else None


def _genuine(folder: Path, name: str) -> bytes | None:
    for path in (folder / name, folder / f"{name}.gz"):
        try:
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
        except (OSError, EOFError, zlib.error):
            continue
        if md5_of(content) == MD5_SUMS[name]:
            return content
    return None


def encode(array: Bytes) -> bytes:
    """Serialise an array of bytes as an IDX file: a magic number with the element type, the sizes, the elements."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, UNSIGNED_BYTES, array.ndim, *array.shape)
    return header + array.tobytes()


def decode(content: bytes) -> Bytes:
    """Parse an IDX file of bytes to an array of its shape. Raises MnistError where the header doesn't fit."""
    if len(content) < 4 or content[:3] != bytes((0, 0, UNSIGNED_BYTES)):
        raise MnistError("this is no IDX file of bytes: delete it and run the command again")
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
