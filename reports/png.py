"""The smallest PNG writer that digits need: ink on a transparent ground."""

import base64
import struct
import zlib
from collections.abc import Sequence

_GREY_WITH_ALPHA = 4


def ink_png(rows: Sequence[bytes]) -> bytes:
    """Make a PNG of rows of ink, 0 (none) to 255 (full): black of that opacity, so that the page shows through."""
    lines = b"".join(b"\0" + b"".join(bytes((0, ink)) for ink in row) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, _GREY_WITH_ALPHA, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def data_uri(png: bytes) -> str:
    """Spell a PNG so that a page can carry it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
