"""What the page of a check shows: files, their sheets as pictures of cells, mistakes, and what files have in common."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from openpyxl.utils import get_column_letter

from backprop.check.explanation import explain_class_slip
from backprop.check.findings import (
    COMPUTES_WRONGLY,
    UNREAD,
    WRONG,
    Effect,
    Excerpt,
    FileReport,
    Finding,
    TableReport,
    Term,
    read_cells,
)
from backprop.check.output import escape_unprintable, find_same, name_files, show, summarise
from reports.formats import listing, superscript
from reports.views.formulas import Formula, join_terms

_TOKEN = re.compile(r"\s*(\$?[A-Za-z_][\w.$]*|\d[\d.]*(?:[eE][+-]?\d+)?|\"[^\"]*\"|'[^']*'!|\S)")
_MAX_FORMULA, _MAX_COMPARED = 8_192, 2_000
"""Characters that a cell can hold, and of formulas that are compared."""
_NOTHING = 1e-17
"""Shares below this are what floating point leaves."""
_ALIKE = 0.4
"""Formulas that have less than this share in common are other formulas: marking all of them helps nobody."""


@dataclass(frozen=True)
class CellPicture:
    """A cell in the picture of a sheet."""

    text: str
    state: str = ""
    """wrong, noted (right, but typed, stale and the like), unread, or nothing."""
    mark: int = 0
    """The number of the finding that begins here; 0 for none."""


@dataclass(frozen=True)
class SheetPicture:
    """Some rows of a sheet."""

    sheet: str
    letters: tuple[str, ...]
    rows: tuple[tuple[int, tuple[CellPicture, ...]], ...]
    """Row number and cells."""
    gaps: tuple[int, ...]
    """Rows above which others were left out."""


@dataclass(frozen=True)
class Curve:
    """A curve of an effect's chart."""

    name: str
    path: str
    """Of the SVG element."""
    end: float
    """The height of its label."""


@dataclass(frozen=True)
class EffectChart:
    """How far a quantity and E_total are off in each iteration, as shares of their sizes, on a logarithmic axis."""

    curves: tuple[Curve, ...]
    ticks: tuple[tuple[float, str], ...]
    """Height and label."""
    last: int
    """The last iteration."""
    description: str


@dataclass(frozen=True)
class FindingView:
    """A finding in words, formulas and numbers."""

    number: int
    finding: Finding
    found: tuple[tuple[str, bool], ...]
    """Pieces of the formula, each with whether it differs from the expected one."""
    expected: tuple[tuple[str, bool], ...]
    rule: Formula | None
    chart: EffectChart | None


@dataclass(frozen=True)
class TableView:
    """A table of a file."""

    table: TableReport
    pictures: tuple[SheetPicture, ...]
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class FileView:
    """A file."""

    name: str
    anchor: str
    path: str
    verdict: str
    error: str
    summary: str
    wrong: int
    tables: tuple[TableView, ...]


@dataclass(frozen=True)
class Group:
    """A mistake that several files have, or an equal calculation."""

    subjects: str
    explanation: str
    files: tuple[FileView, ...]
    is_slip: bool = False
    """Whether it stands in the class sheet."""


@dataclass(frozen=True)
class CheckPage:
    """The whole page."""

    title: str
    files: tuple[FileView, ...]
    counts: Mapping[str, int]
    """Files by verdict."""
    mistakes: tuple[Group, ...]
    same: tuple[tuple[FileView, ...], ...]
    """Groups of files of which a table computes the same."""


def view_check(reports: Sequence[FileReport], *, strict: bool) -> CheckPage:
    """Arrange everything."""
    names = name_files(reports)
    files = tuple(
        _view_file(f"file-{number}", names[report.file], report, strict=strict)
        for number, report in enumerate(reports, 1)
    )
    by_path = {report.file: view for report, view in zip(reports, files, strict=True)}
    groups = dict.fromkeys(tuple(names) for names in find_same(reports).values())
    verdicts = [file.verdict for file in files]
    return CheckPage(
        title=f"Check of {files[0].name}" if len(files) == 1 else f"Check of {len(files)} workbooks",
        files=files,
        counts={verdict: verdicts.count(verdict) for verdict in dict.fromkeys(sorted(verdicts))},
        mistakes=tuple(_group_mistakes(files, strict=strict)),
        same=tuple(tuple(by_path[name] for name in names) for names in groups),
    )


def _view_file(anchor: str, name: str, report: FileReport, *, strict: bool) -> FileView:
    counted = report.counted(strict=strict)
    return FileView(
        name,
        anchor,
        show(report.file),
        "not read" if report.error else WRONG if counted else report.verdict,
        show(report.error or ""),
        summarise(report, counted),
        len(counted),
        tuple(_view_tables(report)),
    )


def _view_tables(report: FileReport) -> Iterator[TableView]:
    number = 0
    for table in report.tables:
        findings = sorted(table.findings, key=lambda finding: finding.kind != UNREAD)
        views, rules = [], set[tuple[object, ...]]()
        for finding in findings:
            number += 1
            rule = None if not finding.rule or finding.rule in rules else _join(finding.rule)
            rules.add(finding.rule)
            views.append(_view_finding(number, finding, rule, table.rows))
        pictures = (_draw_sheet(excerpt, table, views) for excerpt in table.excerpts)
        yield TableView(table, tuple(pictures), tuple(views))


def _join(rule: Sequence[Term]) -> Formula:
    return join_terms([term.mathml for term in rule], [term.text for term in rule])


def _view_finding(number: int, finding: Finding, rule: Formula | None, rows: int) -> FindingView:
    found, expected = mark_differences(*(_shorten(text or "") for text in (finding.found, finding.expected)))
    chart = None if finding.effect is None else _draw_effect(finding, finding.effect, rows - 1)
    return FindingView(number, finding, found, expected, rule, chart)


def _shorten(formula: str) -> str:
    shown = escape_unprintable(formula)
    return shown if len(shown) <= _MAX_FORMULA else f"{shown[:_MAX_FORMULA]} …"


def mark_differences(found: str, expected: str) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    """Split two formulas into pieces, each with whether it differs from the other formula; spaces do not count."""
    left, right = ([match.group() for match in _TOKEN.finditer(text)] for text in (found, expected))
    matcher = SequenceMatcher(
        None, [token.strip().upper() for token in left], [t.strip().upper() for t in right], False
    )
    is_long = max(len(found), len(expected)) > _MAX_COMPARED
    if not left or not right or is_long or matcher.ratio() < _ALIKE:
        return ((found, False),) if found else (), ((expected, False),) if expected else ()
    pieces: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for operation, a, b, c, d in matcher.get_opcodes():
        for side, tokens in zip(pieces, (left[a:b], right[c:d]), strict=True):
            if tokens:
                side.append(("".join(tokens), operation != "equal"))
    return tuple(pieces[0]), tuple(pieces[1])


def _draw_sheet(excerpt: Excerpt, table: TableReport, findings: Sequence[FindingView]) -> SheetPicture:
    """Draw the cells: those of a finding in its state, and its number where it begins in the picture."""
    states: dict[tuple[int, int], str] = {}
    marks: dict[tuple[int, int], int] = {}
    for view in sorted(findings, key=lambda view: view.finding.kind == UNREAD):
        places = [
            (row, column)
            for sheet, cells in read_cells(view.finding.cells, table.sheet)
            if sheet == excerpt.sheet
            for row in excerpt.rows
            for column in excerpt.columns
            if cells.top <= row <= cells.bottom and cells.left <= column <= cells.right
        ]
        for place in places:
            states.setdefault(place, _name_state(view.finding))
        for place in places[:1]:
            marks.setdefault(place, view.number)
    rows = tuple(
        (
            row,
            tuple(
                CellPicture(text, states.get((row, c), ""), marks.get((row, c), 0))
                for c, text in zip(excerpt.columns, texts, strict=True)
            ),
        )
        for row, texts in zip(excerpt.rows, excerpt.texts, strict=True)
    )
    gaps = tuple(row for before, row in zip(excerpt.rows, excerpt.rows[1:], strict=False) if row > before + 1)
    return SheetPicture(excerpt.sheet, tuple(map(get_column_letter, excerpt.columns)), rows, gaps)


def _name_state(finding: Finding) -> str:
    if finding.kind == UNREAD:
        return "unread"
    return "wrong" if finding.kind in COMPUTES_WRONGLY else "noted"


WIDTH, HEIGHT, LEFT, TOP = 288.0, 96.0, 46.0, 8.0
"""Of the chart's area, in the units of its SVG; left of it stand the labels of the axis."""


def _draw_effect(finding: Finding, effect: Effect, last: int) -> EffectChart | None:
    """Draw how far a quantity and E_total are off, iteration by iteration."""
    curves = [(finding.subject, effect.relative_errors), ("E_total", effect.relative_shifts)]
    shown = {name: _take_logarithms(points) for name, points in curves}
    exponents = [exponent for points in shown.values() for _, exponent in points]
    if last < 1 or not exponents:
        return None
    low, high = math.floor(min(exponents)), math.ceil(max(exponents))
    high += high == low
    step = max(1, math.ceil((high - low) / 4))

    def place(exponent: float) -> float:
        return round(TOP + HEIGHT * (high - exponent) / (high - low), 1)

    drawn = []
    for name, points in shown.items():
        if points:
            path = " ".join(f"{round(LEFT + WIDTH * x / last, 1)},{place(exponent)}" for x, exponent in points)
            drawn.append(Curve(name, path, place(points[-1][1])))
    ticks = tuple((place(e), f"10{superscript(e)}") for e in range(high, low - 1, -step))
    return EffectChart(_part_labels(drawn), ticks, last, _describe(finding, effect))


def _take_logarithms(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    return [(iteration, math.log10(value)) for iteration, value in points if value > _NOTHING]


def _part_labels(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """Keep the labels of two curves that end close together apart."""
    if len(curves) < 2 or abs(curves[0].end - curves[1].end) >= 18:
        return tuple(curves)
    middle = (curves[0].end + curves[1].end) / 2
    upper = 0 if curves[0].end <= curves[1].end else 1
    ends = (middle - 9, middle + 9)
    return tuple(replace(curve, end=ends[place != upper]) for place, curve in enumerate(curves))


def _describe(finding: Finding, effect: Effect) -> str:
    sentence = ""
    if effect.max_relative_error is not None:
        sentence = f"{show(finding.subject)} is off by up to {effect.max_relative_error:.2g} of its size"
    if effect.max_total_error_shift is not None:
        sentence += f"; that moves E_total by up to {effect.max_total_error_shift:.2g} over the run"
    return sentence


def _group_mistakes(files: Sequence[FileView], *, strict: bool) -> Iterator[Group]:
    """Yield the mistakes that more than one file has, the most frequent first; of several quantities as one."""
    holders: dict[tuple[str, str], dict[str, FileView]] = defaultdict(dict)
    subjects: dict[str, str] = {}
    for file in files:
        for finding in (view.finding for table in file.tables for view in table.findings):
            if finding.kind in COMPUTES_WRONGLY or (strict and finding.kind != UNREAD):
                holders[finding.quantity, finding.explanation][file.anchor] = file
                subjects[finding.quantity] = finding.subject
    joined: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (quantity, explanation), found in holders.items():
        if len(found) > 1:
            joined[explanation, tuple(found)].append(quantity)
    slip, by_anchor = explain_class_slip(), {file.anchor: file for file in files}
    for (explanation, anchors), quantities in sorted(joined.items(), key=lambda item: -len(item[0][1])):
        names = [subjects[quantity] for quantity in sorted(quantities)]
        is_slip = all(slip.get(quantity) == explanation for quantity in quantities)
        yield Group(listing(names), explanation, tuple(by_anchor[anchor] for anchor in anchors), is_slip)
