"""What a sheet calls its cells: the text above a column, or before a row."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from backprop.check.cells import Address
from backprop.check.training import Course


@dataclass
class Labels:
    """The texts over (or before) the cells of a training."""

    course: Course

    @cached_property
    def _lines(self) -> Mapping[tuple[str, int], Sequence[int]]:
        """Where the texts of each column (or row) stand, in ascending order."""
        found: dict[tuple[str, int], list[int]] = {}
        for sheet in self.course.graph.workbook.sheets.values():
            for row, column in sorted(sheet.texts):
                line, place = (row, column) if self.course.is_sideways else (column, row)
                cell = self.course.graph.workbook.cell(Address(sheet.name, row, column))
                if cell is not None and cell.formula is None:
                    found.setdefault((sheet.name, line), []).append(place)
        return found

    def _find(self, cell: Address) -> Address | None:
        line, place = (cell.row, cell.column) if self.course.is_sideways else (cell.column, cell.row)
        places = self._lines.get((cell.sheet, line), ())
        before = bisect_left(places, place) - 1
        if before < 0:
            return None
        return Address(cell.sheet, *((line, places[before]) if self.course.is_sideways else (places[before], line)))

    @cached_property
    def _counts(self) -> Counter[str]:
        """How many cells of one iteration have a label."""
        iteration = self.course.judge(self.course.sample).iteration
        cells = {*iteration.cells, *iteration.weights}
        return Counter(text for cell in cells - set(iteration.updates) if (text := self._text(cell)))

    def _text(self, cell: Address) -> str:
        label = self._find(cell)
        text = "" if label is None else self.course.graph.workbook.sheets[label.sheet].texts[label.row, label.column]
        return " ".join(text.split())[:40]

    def name(self, cell: Address) -> str:
        """Return the sheet's own word for a cell if it has one for it alone, else its address."""
        text = self._text(cell)
        return text if text and self._counts[text] <= 1 else cell.a1

    @cached_property
    def header(self) -> Address:
        """The first label of the table, or the first cell where it has none."""
        iteration = self.course.judge(0).iteration
        cells = sorted({*iteration.cells, *iteration.weights} - set(iteration.updates), key=lambda c: c[1:])
        labels = [label for cell in cells if (label := self._find(cell)) is not None]
        return min(labels, key=lambda a: a[1:]) if labels else cells[0]
