"""A picture of the workbook's first sheet: LibreOffice's own where it is installed, else drawn from the cells."""

import io
import re
import shutil
import subprocess
import tempfile
import zipfile
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from matplotlib.axes import Axes
from matplotlib.image import imread, imsave
from matplotlib.patches import Rectangle
from openpyxl.cell import MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries

from backprop.sheet.layout import LOSS_CHART, PICTURE
from reports.cache import digest, load_or_make
from reports.drawings.theme import INK, MUTED, PAPER, RULE, Drawing, canvas, themed
from reports.errors import ReportError

_OFFICE, _PAGES = "soffice", "pdftoppm"
_DPI, _MARGIN = 200, 24
_SECONDS = 180
_ROWS = 100
_COLUMN_UNIT, _DEFAULT_WIDTH, _DEFAULT_HEIGHT = 6.0, 10.0, 15.0
"""Points of a character of column width, and Excel's own defaults."""


def sheet_picture(workbook: bytes, name: Path, network: Drawing, cache: Path) -> bytes:
    """Make a PNG of the first sheet; one made before of the same workbook in the same way is loaded from the cache.

    `name` is what an error calls the workbook: ReportError where it is none.
    """
    office = shutil.which(_OFFICE) is not None and shutil.which(_PAGES) is not None
    key = digest([workbook, b"office" if office else network.png()])
    return load_or_make(
        cache,
        "sheet.png",
        key,
        lambda: (_print_with_libreoffice(workbook) if office else None) or draw_sheet(workbook, name, network),
    )


def _print_with_libreoffice(workbook: bytes) -> bytes | None:
    """Print the workbook with LibreOffice, and return the first page; None where that fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sheet.xlsx").write_bytes(_fit_on_one_width(workbook))
        # A profile of its own: a LibreOffice that the user has open would refuse otherwise.
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        convert = [_OFFICE, profile, "--headless", "--norestore", "--convert-to", "pdf", "--outdir", name]
        pages = [_PAGES, "-png", "-r", str(_DPI), "-f", "1", "-l", "1", "-singlefile"]
        try:
            _run([*convert, str(folder / "sheet.xlsx")])
            _run([*pages, str(folder / "sheet.pdf"), str(folder / "sheet")])
            return _trim(folder / "sheet.png")
        except (OSError, subprocess.SubprocessError, ValueError):
            return None


def _fit_on_one_width(workbook: bytes) -> bytes:
    """Return a workbook whose first sheet is printed one page wide, for the picture alone."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(content, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                part = re.sub(rb"<(rowBreaks|colBreaks)\b.*?</\1>|<printOptions[^>]*/>| scale=\"\d+\"", b"", part)
                part = part.replace(b"<pageSetup ", b'<pageSetup fitToWidth="1" fitToHeight="0" ')
                part = part.replace(b"<pageSetUpPr />", b'<pageSetUpPr fitToPage="1" />')
            target.writestr(name, part)
    return content.getvalue()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)


def _trim(path: Path) -> bytes:
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


def draw_sheet(content: bytes, name: Path, network: Drawing) -> bytes:
    """Draw what the cells hold, the network and the loss curve; return a PNG. Raises ReportError for a broken file."""
    try:
        sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        raise ReportError(f"{name} is no readable workbook ({error}): run `make workbook`, which writes it") from error
    grid = _Grid(sheet)
    with themed():
        figure = canvas(grid.width, grid.height)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, grid.width), ylim=(grid.height, 0))
        axes.axis("off")
        for row in sheet.iter_rows(max_row=grid.rows, max_col=grid.columns):
            for cell in row:
                # Cells that a merged one covers have nothing of their own to show; the drawing tells the network's.
                if not isinstance(cell, MergedCell) and not grid.is_in_picture(cell):
                    _draw_cell(axes, grid, cell)
                    _draw_border(axes, grid, cell)
        _draw_network(axes, grid, network)
        _draw_loss(axes, grid, sheet)
    return Drawing("sheet", "The class sheet", "", figure).png()


class _Grid:
    """Where columns and rows begin, in points."""

    def __init__(self, sheet: Any) -> None:
        self.rows, self.columns = min(sheet.max_row, _ROWS), min(sheet.max_column, 31)
        letters = [get_column_letter(number) for number in range(1, self.columns + 1)]
        widths = [(sheet.column_dimensions[letter].width or _DEFAULT_WIDTH) * _COLUMN_UNIT for letter in letters]
        heights = [sheet.row_dimensions[row].height or _DEFAULT_HEIGHT for row in range(1, self.rows + 1)]
        self.x, self.y = [0.0, *accumulate(widths)], [0.0, *accumulate(heights)]
        self.width, self.height = self.x[-1], self.y[-1]
        self._picture = [int(edge or 1) for edge in range_boundaries(":".join(PICTURE))]
        self._merged = {f"{cells}".partition(":")[0]: f"{cells}" for cells in sheet.merged_cells.ranges}

    def is_in_picture(self, cell: Any) -> bool:
        """Return whether a cell lies under the drawing of the network."""
        left, top, right, bottom = self._picture
        return bool(left <= cell.column <= right and top <= cell.row <= bottom)

    def box_of(self, cell: Any) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a cell, or of all that it is merged with."""
        return self.box(self._merged.get(cell.coordinate, cell.coordinate))

    def box(self, cells: str) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a range."""
        left, top, right, bottom = (int(edge or 1) for edge in range_boundaries(cells))
        return self.x[left - 1], self.y[top - 1], self.x[min(right, self.columns)], self.y[min(bottom, self.rows)]


def _draw_cell(axes: Axes, grid: _Grid, cell: Any) -> None:
    if cell.value is None:
        return
    left, top, right, bottom = grid.box_of(cell)
    fill = _colour(cell.fill.fgColor) if cell.fill.fill_type == "solid" else None
    if fill:
        axes.add_patch(
            Rectangle((left, top), right - left, bottom - top, facecolor=fill, edgecolor=RULE, linewidth=0.4)
        )
    number = isinstance(cell.value, int | float)
    text = _format(cell.value) if number else str(cell.value)
    colour = _colour(cell.font.color) or INK
    aligned = cell.alignment.horizontal
    if aligned not in ("left", "center", "right"):
        aligned = "right" if number else "left"
    x = {"left": left + 3, "center": (left + right) / 2, "right": right - 3}[aligned]
    weight = "bold" if cell.font.bold else "normal"
    axes.text(x, (top + bottom) / 2, text, ha=aligned, va="center", fontsize=8, color=colour, fontweight=weight)


def _draw_border(axes: Axes, grid: _Grid, cell: Any) -> None:
    left, top, right, bottom = grid.box_of(cell)
    sides = {"left": (left, left, top, bottom), "right": (right, right, top, bottom)}
    sides |= {"top": (left, right, top, top), "bottom": (left, right, bottom, bottom)}
    for name, (x1, x2, y1, y2) in sides.items():
        side = getattr(cell.border, name)
        if side is not None and side.style:
            axes.plot((x1, x2), (y1, y2), color=INK, linewidth=0.8)


def _format(value: float) -> str:
    """Format a number so that it fits its column."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    return text if value == 0 or 1e-4 <= abs(value) < 1e4 else f"{value:.4g}"


def _colour(colour: Any) -> str | None:
    """Read an explicit colour; those of the theme are left at their default."""
    value = getattr(colour, "rgb", None)
    return f"#{value[-6:]}" if isinstance(value, str) and len(value) == 8 else None


def _draw_network(axes: Axes, grid: _Grid, network: Drawing) -> None:
    left, top, right, bottom = grid.box(":".join(PICTURE))
    image = imread(io.BytesIO(network.png()))
    width, height = right - left, (right - left) * image.shape[0] / image.shape[1]
    if height > bottom - top:
        width, height = width * (bottom - top) / height, bottom - top
    inside = axes.inset_axes((left, top, width, height), transform=axes.transData)
    inside.set(xticks=[], yticks=[])
    inside.axis("off")
    inside.imshow(image, aspect="auto")


def _draw_loss(axes: Axes, grid: _Grid, sheet: Any) -> None:
    """Plot the column of the total error, as the sheet's own chart does."""
    header = next((cell for row in sheet.iter_rows(max_row=_ROWS) for cell in row if cell.value == "E_tot"), None)
    if header is None:
        return
    cells = (sheet.cell(row, header.column).value for row in range(header.row + 1, sheet.max_row + 1))
    errors = [value for value in cells if isinstance(value, int | float)]
    left, top, right, bottom = grid.box(":".join(LOSS_CHART))
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, facecolor=PAPER, edgecolor=MUTED, linewidth=0.6))
    inside = axes.inset_axes((left + 50, top + 30, right - left - 65, bottom - top - 60), transform=axes.transData)
    inside.plot(errors, color=INK, linewidth=1.5)
    inside.set_title("Loss", fontsize=11)
    inside.tick_params(labelsize=8)
