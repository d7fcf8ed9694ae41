"""Zip archives that are the same bytes whenever their files are."""

import io
import zipfile
from collections.abc import Mapping

_THE_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX, _READABLE_FILE = 3, 0o100644 << 16


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Pack files in the order given: no dates, no owners, read by all and written by their owner."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _THE_FIRST_DATE)
            # Otherwise both follow the machine that packs.
            entry.create_system, entry.external_attr = _UNIX, _READABLE_FILE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=9)
    return content.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """Give an archive's files by name, in its order. Raises zipfile.BadZipFile for anything else."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
