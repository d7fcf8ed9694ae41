"""Formulas as cells share them: the text with references as distances, the same in every cell of a filled column."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import column_index_from_string

_MAX_COLUMN = 16_384
_REFERENCE = re.compile(
    r"""("[^"]*"|'(?:[^']|'')*'|\[[^\[\]]*\])"""  # texts, names of sheets and columns of Excel tables hold no reference
    r"|(?<![\w.\\$])(\$?)([A-Z]{1,3})(\$?)([1-9][0-9]{0,6})(?![\w(.!\[])"
)


class _Part(NamedTuple):
    """A reference: column and row, fixed or as distances from the formula's cell."""

    column: int
    row: int
    column_fixed: bool
    row_fixed: bool


@dataclass(frozen=True, eq=False)
class Pattern:
    """A formula whose relative references move with the cell; one object for each sheet and pattern."""

    sheet: str
    key: str
    """The formula with references in the style of R1C1."""
    _texts: tuple[str, ...]
    """What stands between the references."""
    _parts: tuple[_Part, ...]
    _formats: dict[int, tuple[str, tuple[int, ...]]] = field(default_factory=dict)

    def text(self, row: int, column: int) -> str:
        """Return the formula as it is written in a cell, with its leading =."""
        if column not in self._formats:
            self._formats[column] = self._make_format(column)
        template, distances = self._formats[column]
        return template % tuple([row + distance for distance in distances])

    def _make_format(self, column: int) -> tuple[str, tuple[int, ...]]:
        """Prepare the text for a column: only rows are left to be filled in."""
        pieces, distances = [self._texts[0].replace("%", "%%")], []
        for part, text in zip(self._parts, self._texts[1:], strict=True):
            letters = _write_column(part.column if part.column_fixed else column + part.column)
            pieces.append(f"{'$' * part.column_fixed}{letters}{'$' * part.row_fixed}")
            pieces.append(str(part.row) if part.row_fixed else "%d")
            distances += [] if part.row_fixed else [part.row]
            pieces.append(text.replace("%", "%%"))
        return "".join(pieces), tuple(distances)


def _write_column(column: int) -> str:
    return get_column_letter(column) if 1 <= column <= _MAX_COLUMN else "#REF!"


@dataclass
class Patterns:
    """The patterns of one sheet."""

    sheet: str
    _known: dict[str, Pattern] = field(default_factory=dict)
    _latest: dict[int, Pattern] = field(default_factory=dict)

    def intern(self, formula: str, row: int, column: int) -> Pattern:
        """Return the one object for all cells that hold the same formula, as far as distances go."""
        latest = self._latest.get(column)
        # Most cells are filled down from the one above, which shows at once.
        if latest is not None and latest.text(row, column) == formula:
            return latest
        pattern = self._split(formula, row, column)
        self._latest[column] = self._known.setdefault(pattern.key, pattern)
        return self._latest[column]

    def _split(self, formula: str, row: int, column: int) -> Pattern:
        texts, parts, keys, end = [""], list[_Part](), list[str](), 0
        for match in _REFERENCE.finditer(formula):
            if match[1] or (number := column_index_from_string(match[3])) > _MAX_COLUMN:
                continue
            part = _Part(
                number - (0 if match[2] else column),
                int(match[5]) - (0 if match[4] else row),
                bool(match[2]),
                bool(match[4]),
            )
            texts[-1] += formula[end : match.start()]
            keys += [
                texts[-1],
                f"⟨{_distance('R', part.row, part.row_fixed)}{_distance('C', part.column, part.column_fixed)}⟩",
            ]
            parts.append(part)
            texts.append("")
            end = match.end()
        texts[-1] += formula[end:]
        return Pattern(self.sheet, "".join((*keys, texts[-1])), tuple(texts), tuple(parts))


def _distance(axis: str, number: int, is_fixed: bool) -> str:
    return f"{axis}{number}" if is_fixed else f"{axis}[{number}]"
