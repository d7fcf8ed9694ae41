"""Whether a workbook is the one that the page tells of: the same network, the same η, the derivation's formulas."""

import math
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import coordinate_from_string

from backprop.derivation import Derivation, derive
from backprop.network import Preset
from backprop.sheet.layout import TablePlace, main_table
from backprop.simulate import compute_iteration_0
from reports.errors import ReportError
from reports.formats import significant

_CLOSE = 1e-9


def check_workbook(path: Path, preset: Preset, learning_rate: float) -> None:
    """Hold η and the values of iteration 0 that a workbook shows against the page's own.

    Raises ReportError that names the first cell which differs, or says why the file can't be read. A formula without
    a value, as some programs save it, tells nothing and passes.
    """
    derivation = derive(preset.network)
    place = main_table(derivation, 1)
    options = f"--preset {preset.name} --learning-rate {learning_rate!r} --output {path}"
    remedy = f"write it with `python -m backprop workbook {options}`"
    shown = _shown(path, place, remedy)
    for cell, name, value in _expected(derivation, place, preset, learning_rate):
        found = shown.get(cell)
        if isinstance(found, int | float) and not math.isclose(found, value, rel_tol=_CLOSE, abs_tol=_CLOSE**2):
            said = f"{name} = {significant(found)} in cell {cell}, where the page has {significant(value)}"
            raise ReportError(f"{path} shows {said}: {remedy}")


def _shown(path: Path, place: TablePlace, remedy: str) -> Mapping[str, Any]:
    """Read the rows from η's to iteration 0's."""
    try:
        book = openpyxl.load_workbook(path, data_only=True, read_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        raise ReportError(f"{path} is no readable workbook ({error}): {remedy}") from error
    with closing(book):
        if place.sheet not in book.sheetnames:
            raise ReportError(f"{path} has no sheet “{place.sheet}”: {remedy}")
        top = coordinate_from_string(place.learning_rate)[1]
        rows = book[place.sheet].iter_rows(min_row=top, max_row=place.first_row)
        return {cell.coordinate: cell.value for row in rows for cell in row if cell.value is not None}


def _expected(
    derivation: Derivation, place: TablePlace, preset: Preset, learning_rate: float
) -> list[tuple[str, str, float]]:
    """List cell, name and value of η and of everything in the row of iteration 0."""
    values = {**preset.values, **compute_iteration_0(derivation, preset, [{}])[0]}
    cells = [(place.cell(name), name, values[name]) for name in derivation.columns]
    return [(place.learning_rate, "η", learning_rate), *cells]
