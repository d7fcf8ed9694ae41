"""Marked copies: one with the findings in notes and a list, one with the suggestions put in."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from backprop.check.cells import Address, ForeignWorkbook
from backprop.check.findings import FileReport, Finding, TableReport, quote_sheet, read_cells
from backprop.check.reading import parse_workbook
from backprop.check.references import Formulas
from backprop.check.workbooks import check_content
from backprop.copies.findings_sheet import Entry, add_findings_sheet
from backprop.copies.notes import add_notes
from backprop.copies.parts import Parts
from backprop.copies.repairs import compute_results, find_array, find_outdated, repair
from backprop.copies.splice import Edit, find_elements, insert_child
from backprop.copies.worksheet import Content, write_cells

_MAX_RUNS = 200
"""Notes of one finding; the list has it in one line."""
_MAX_ROUNDS = 6
"""A repair may uncover another mistake."""
_AFTER_CALCULATION = frozenset(
    {
        *("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes", "webPublishing"),
        *("fileRecoveryPr", "webPublishObjects", "extLst"),
    }
)
"""What the schema puts behind a workbook's `calcPr`."""


class Run(NamedTuple):
    """Neighbouring cells of a finding."""

    first: Address
    cells: str
    found: str | None
    """The formula that stands in the first cell."""
    expected: str | None


@dataclass(frozen=True)
class Marked:
    """A finding with what was done about it."""

    table: TableReport
    finding: Finding
    contents: Mapping[Address, Content]
    """What its cells have to hold, where that is known."""
    runs: tuple[Run, ...]
    is_repaired: bool = False

    @property
    def label(self) -> str:
        """Return what a reader sees first."""
        return "repaired" if self.is_repaired else self.finding.label

    @property
    def remedy(self) -> str:
        """Return what the formula is that belongs there."""
        return "now" if self.is_repaired else "expected"


@dataclass(frozen=True)
class MarkedCopy:
    """A copy of a workbook."""

    content: bytes
    repaired: int | None
    """How many findings were repaired; None where that was not asked for."""
    report: FileReport
    """What the check says of it."""


def annotate(content: bytes, report: FileReport, formulas: Formulas) -> MarkedCopy:
    """Put a note on each run of a finding's cells, and a list of all findings behind the other sheets."""
    return MarkedCopy(_mark(content, _mark_all(report, formulas), report), None, report)


def fix(path: Path, content: bytes, report: FileReport, formulas: Formulas) -> MarkedCopy:
    """Repair every finding that has a suggestion, with notes and a list as well."""
    repaired, touched = list[Marked](), set[Address]()
    for _ in range(_MAX_ROUNDS):
        contents, done = _plan(report, formulas, touched)
        if not done:
            break
        repaired += done
        touched |= contents.keys()
        content = _write(content, formulas, contents)
        report, formulas = check_content(path, content)
    return MarkedCopy(_mark(content, [*repaired, *_mark_all(report, formulas)], report), len(repaired), report)


def _mark_all(report: FileReport, formulas: Formulas) -> list[Marked]:
    return [_mark_finding(formulas.workbook, table, finding) for table in report.tables for finding in table.findings]


def _mark_finding(workbook: ForeignWorkbook, table: TableReport, finding: Finding) -> Marked:
    contents = repair(workbook, table, finding)
    return Marked(table, finding, contents, _find_runs(workbook, table, finding, contents))


def _find_runs(
    workbook: ForeignWorkbook, table: TableReport, finding: Finding, contents: Mapping[Address, Content]
) -> tuple[Run, ...]:
    """Return the runs of a finding with what is found and expected in the first cell of each."""
    runs = list[Run]()
    for sheet, cells in read_cells(finding.cells, table.sheet)[:_MAX_RUNS]:
        first, last = Address(sheet, cells.top, cells.left), Address(sheet, cells.bottom, cells.right)
        content = contents.get(first)
        expected = content.text if content is not None else finding.expected if not runs else None
        found = workbook.formula(first) if finding.found else None
        runs.append(Run(first, first.a1 if first == last else f"{first.a1}:{last.a1}", found, expected))
    return tuple(runs)


def _plan(report: FileReport, formulas: Formulas, touched: set[Address]) -> tuple[dict[Address, Content], list[Marked]]:
    """Return what cells get, and the findings that this repairs; a cell that was repaired before is not tried again."""
    workbook = formulas.workbook
    marks = [replace(mark, is_repaired=True) for mark in _mark_all(report, formulas)]
    planned = [mark for mark in marks if mark.contents and touched.isdisjoint(mark.contents)]
    covered = {cell for mark in planned for cell in mark.contents}
    found, done = dict[Address, Content](), list[Marked]()
    for mark in planned:
        # Of an array formula's cells, none can get another formula alone.
        changed = (cell for cell, content in mark.contents.items() if content.text)
        is_whole = all(covered.issuperset(find_array(workbook, cell)) for cell in changed)
        if is_whole and found.keys().isdisjoint(mark.contents):
            found.update(mark.contents)
            done.append(mark)
    return found, done


def _write(content: bytes, formulas: Formulas, contents: Mapping[Address, Content]) -> bytes:
    """Write repairs, then the results of all that depends on them."""
    outdated = find_outdated(formulas, contents)
    parts = Parts(content)
    _write_contents(parts, formulas, {**dict.fromkeys(outdated, Content()), **contents})
    _recalculate_on_load(parts)
    content = parts.to_bytes()
    formulas = Formulas(parse_workbook(content))
    parts = Parts(content)
    new = (cell for cell in contents if contents[cell].formula)
    _write_contents(parts, formulas, compute_results(formulas, {*outdated, *new}))
    return parts.to_bytes()


def _write_contents(parts: Parts, formulas: Formulas, contents: Mapping[Address, Content]) -> None:
    by_sheet: dict[str, dict[tuple[int, int], Content]] = defaultdict(dict)
    for cell, content in contents.items():
        by_sheet[cell.sheet][cell[1:]] = content
    for sheet, part in _find_worksheets(parts).items():
        if sheet in by_sheet:

            def formula(place: tuple[int, int], sheet: str = sheet) -> str | None:
                return formulas.workbook.formula(Address(sheet, *place))

            parts.write(part, write_cells(parts.read(part), by_sheet[sheet], formula))


def _find_worksheets(parts: Parts) -> Mapping[str, str]:
    return {title: link.part for title, link in parts.package.find_sheets() if link.kind == "worksheet"}


def _recalculate_on_load(parts: Parts) -> None:
    """Let Excel compute everything anew, and forget the order in which it did that before."""
    parts.remove(parts.workbook, "calcChain")
    content = parts.read(parts.workbook)
    for element in find_elements(content, lambda path, _: path[1:] == ["calcPr"]):
        tag = content[element.start : element.inside]
        end = element.inside - (2 if tag.endswith(b"/>") else 1)
        other = re.sub(rb"""\sfullCalcOnLoad\s*=\s*["']\w+["']""", b"", content[element.start : end])
        parts.edit(parts.workbook, Edit(element.start, end, other + b' fullCalcOnLoad="1"'))
        return
    calculation = f'<calcPr xmlns="{parts.main_namespace}" fullCalcOnLoad="1"/>'
    parts.edit(parts.workbook, insert_child(content, calculation.encode(), _AFTER_CALCULATION))


def _mark(content: bytes, marked: Sequence[Marked], report: FileReport) -> bytes:
    parts = Parts(content)
    sheets = _find_worksheets(parts)
    notes: dict[str, dict[Address, str]] = defaultdict(dict)
    for mark in marked:
        for run in mark.runs:
            if run.first.sheet in sheets:
                known = notes[run.first.sheet].get(run.first)
                notes[run.first.sheet][run.first] = "\n\n".join(filter(None, (known, _write_note(mark, run))))
    for sheet, texts in notes.items():
        add_notes(parts, sheets[sheet], texts)
    add_findings_sheet(parts, list(_summarise(report)), [_list(mark) for mark in marked])
    return parts.to_bytes()


def _write_note(mark: Marked, run: Run) -> str:
    lines = [f"{mark.label}: {mark.finding.subject}, {run.cells}", mark.finding.explanation]
    lines += [f"found: {run.found}"] if run.found else []
    lines += [f"{mark.remedy}: {run.expected}"] if run.expected else []
    return "\n".join(lines)


def _list(mark: Marked) -> Entry:
    finding, first = mark.finding, mark.runs[0].first
    return Entry(
        mark.table.sheet,
        finding.cells,
        finding.subject,
        mark.label,
        finding.explanation,
        finding.found or "",
        mark.remedy,
        finding.expected or "",
        f"{quote_sheet(first.sheet)}!{first.a1}",
    )


def _summarise(report: FileReport) -> Iterator[str]:
    yield "What python -m backprop check found in this workbook"
    for table in report.tables:
        name = f"“{table.sheet}”, header {table.header}: {table.verdict}"
        yield f"{name}; {table.network}; {table.rows} rows, {table.compared:,} formulas compared"
        yield from (f"note: {note}" for note in table.notes)
