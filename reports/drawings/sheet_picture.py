"""A picture of the workbook's first sheet: LibreOffice's own where it is installed, else drawn from the cells."""

import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread, imsave

from reports.cache import digest, load_or_make
from reports.drawings.sheet_drawing import draw_sheet
from reports.drawings.theme import Drawing

_OFFICE, _PAGES = "soffice", "pdftoppm"
_DPI, _MARGIN = 200, 24
_SECONDS = 180


def sheet_picture(workbook: bytes, name: Path, network: Drawing, cache: Path) -> bytes:
    """Return the first sheet as PNG; one made before of the same workbook in the same way comes from the cache.

    `name` is what an error calls the workbook: ReportError where it is none.
    """
    office = shutil.which(_OFFICE) is not None and shutil.which(_PAGES) is not None
    key = digest([workbook, b"office" if office else network.png()])
    return load_or_make(
        cache,
        "sheet.png",
        key,
        lambda: (_printed(workbook) if office else None) or draw_sheet(workbook, name, network),
    )


def _printed(workbook: bytes) -> bytes | None:
    """Let LibreOffice print the workbook, and take the first page; None where that fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sheet.xlsx").write_bytes(workbook)
        # A profile of its own: a LibreOffice that the user has open would refuse otherwise.
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        convert = [_OFFICE, profile, "--headless", "--norestore", "--convert-to", "pdf", "--outdir", name]
        pages = [_PAGES, "-png", "-r", str(_DPI), "-f", "1", "-l", "1", "-singlefile"]
        try:
            _run([*convert, str(folder / "sheet.xlsx")])
            _run([*pages, str(folder / "sheet.pdf"), str(folder / "sheet")])
            return _trimmed(folder / "sheet.png")
        except (OSError, subprocess.SubprocessError, ValueError):
            return None


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)


def _trimmed(path: Path) -> bytes:
    """Cut the paper's margins off. Raises ValueError where the page is blank."""
    image = imread(path)[:, :, :3]
    inked = np.any(image < 0.99, axis=2)
    rows, columns = np.flatnonzero(np.any(inked, axis=1)), np.flatnonzero(np.any(inked, axis=0))
    if not rows.size:
        raise ValueError("the page is blank")
    top, left = max(rows[0] - _MARGIN, 0), max(columns[0] - _MARGIN, 0)
    content = io.BytesIO()
    part = image[top : rows[-1] + _MARGIN, left : columns[-1] + _MARGIN]
    software: Any = {"Software": None}
    imsave(content, np.ascontiguousarray(part), format="png", metadata=software)
    return content.getvalue()
