"""Spreadsheet engines that come as packages: open a workbook, type into it, recalculate it, read it."""

import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from openpyxl.utils.cell import coordinate_to_tuple


class MissingEngineError(Exception):
    """The program or library named here is not installed, or does not work."""


class Spreadsheet(Protocol):
    """A workbook that is open in an engine."""

    def type(self, sheet: str, cell: str, number: float) -> None:
        """Put a number into a cell."""

    def recalculate(self) -> None:
        """Compute all formulas."""

    def value(self, sheet: str, cell: str) -> object:
        """Return a cell's number or text; None where it is empty or an error."""


class _IronCalc:
    def __init__(self, model: Any) -> None:
        self._model = model
        self._sheets = [properties["name"] for properties in model.get_worksheets_properties()]

    def type(self, sheet: str, cell: str, number: float) -> None:
        self._model.update_cell_with_number(self._sheets.index(sheet), *coordinate_to_tuple(cell), number)

    def recalculate(self) -> None:
        self._model.evaluate()

    def value(self, sheet: str, cell: str) -> object:
        return self._model.get_cell_value(self._sheets.index(sheet), *coordinate_to_tuple(cell))


class _Formualizer:
    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook

    def type(self, sheet: str, cell: str, number: float) -> None:
        self._workbook.set_value(sheet, *coordinate_to_tuple(cell), number)

    def recalculate(self) -> None:
        self._workbook.evaluate_all()

    def value(self, sheet: str, cell: str) -> object:
        return self._workbook.get_value(sheet, *coordinate_to_tuple(cell))


def open_in_ironcalc(workbook: bytes) -> Spreadsheet:
    """Open an .xlsx file. Raises MissingEngineError where IronCalc is not installed."""
    ironcalc = _load("ironcalc")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "workbook.xlsx")
        path.write_bytes(workbook)
        return _IronCalc(ironcalc.load_from_xlsx(str(path)))


def open_in_formualizer(workbook: bytes) -> Spreadsheet:
    """Open an .xlsx file. Raises MissingEngineError where formualizer is not installed."""
    return _Formualizer(_load("formualizer").load_workbook_bytes(workbook))


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingEngineError(name) from error
