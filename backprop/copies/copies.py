"""Marked copies: one with the findings in notes and a list, one with the suggestions put in."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backprop.check.cells import Address
from backprop.check.findings import FileReport, Finding, TableReport, quote_sheet
from backprop.check.reading import parse_workbook
from backprop.check.references import Formulas
from backprop.check.workbooks import check_content
from backprop.copies.findings_sheet import Entry, add_findings_sheet
from backprop.copies.notes import add_notes
from backprop.copies.parts import Parts
from backprop.copies.repairs import compute_results, find_array, find_cells, find_outdated, find_stale, repair
from backprop.copies.splice import Edit, find_elements, insert_child
from backprop.copies.worksheet import Content, write_cells

_MAX_ROUNDS = 6
"""A repair may uncover another mistake."""
_AFTER_CALCULATION = frozenset(
    {
        *("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes", "webPublishing"),
        *("fileRecoveryPr", "webPublishObjects", "extLst"),
    }
)
"""What the schema puts behind a workbook's `calcPr`."""


@dataclass(frozen=True)
class Marked:
    """A finding with what was done about it."""

    table: TableReport
    finding: Finding
    is_repaired: bool = False


@dataclass(frozen=True)
class MarkedCopy:
    """A copy of a workbook."""

    content: bytes
    repaired: int | None
    """How many findings were repaired; None where that was not asked for."""
    report: FileReport
    """What the check says of it."""


def annotate(content: bytes, report: FileReport) -> MarkedCopy:
    """Put a note on the first cell of each finding, and a list of all behind the other sheets."""
    marked = [Marked(table, finding) for table in report.tables for finding in table.findings]
    return MarkedCopy(_mark(content, marked, report), None, report)


def fix(path: Path, content: bytes, report: FileReport, formulas: Formulas) -> MarkedCopy:
    """Return a workbook in which every finding that has a suggestion is repaired, with notes and a list as well."""
    repaired, touched = list[Marked](), set[Address]()
    for _ in range(_MAX_ROUNDS):
        contents, done = _plan(report, formulas, touched)
        stale = find_stale(report.tables) - touched
        if not contents and not stale:
            break
        repaired += done
        touched |= contents.keys() | stale
        content = _write(content, formulas, contents, stale)
        report, formulas = check_content(path, content)
    left = [Marked(table, finding) for table in report.tables for finding in table.findings]
    return MarkedCopy(_mark(content, [*repaired, *left], report), len(repaired), report)


def _plan(report: FileReport, formulas: Formulas, touched: set[Address]) -> tuple[dict[Address, Content], list[Marked]]:
    """Return what cells get, and the findings that this repairs; a cell that was repaired before is not tried again."""
    workbook = formulas.workbook
    planned = [(Marked(table, f, True), repair(workbook, table, f)) for table in report.tables for f in table.findings]
    planned = [(mark, contents) for mark, contents in planned if contents and touched.isdisjoint(contents)]
    covered = {cell for _, contents in planned for cell in contents}
    found, done = dict[Address, Content](), list[Marked]()
    for mark, contents in planned:
        # Of an array formula's cells, none can be changed alone.
        is_whole = all(covered.issuperset(find_array(workbook, cell)) for cell in contents)
        if is_whole and found.keys().isdisjoint(contents):
            found.update(contents)
            done.append(mark)
    return found, done


def _write(content: bytes, formulas: Formulas, contents: Mapping[Address, Content], stale: set[Address]) -> bytes:
    """Write repairs, then the results of all that depends on them."""
    outdated = find_outdated(formulas, {*contents, *stale})
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
        if "fullCalcOnLoad" not in element.attributes:
            parts.edit(parts.workbook, Edit(end, end, b' fullCalcOnLoad="1"'))
        return
    calculation = f'<calcPr xmlns="{parts.main_namespace}" fullCalcOnLoad="1"/>'
    parts.edit(parts.workbook, insert_child(content, calculation.encode(), _AFTER_CALCULATION))


def _mark(content: bytes, marked: Sequence[Marked], report: FileReport) -> bytes:
    parts = Parts(content)
    sheets = _find_worksheets(parts)
    notes: dict[str, dict[Address, str]] = defaultdict(dict)
    for mark in marked:
        cell = find_cells(mark.finding, mark.table)[0]
        if cell.sheet in sheets:
            known = notes[cell.sheet].get(cell)
            notes[cell.sheet][cell] = "\n\n".join(filter(None, (known, _write_note(mark))))
    for sheet, texts in notes.items():
        add_notes(parts, sheets[sheet], texts)
    add_findings_sheet(parts, list(_summarise(report)), [_list(mark) for mark in marked])
    return parts.to_bytes()


def _write_note(mark: Marked) -> str:
    finding = mark.finding
    lines = [f"{_label(mark)}: {finding.subject}, {finding.cells}", finding.explanation]
    lines += [f"found: {finding.found}"] if finding.found else []
    lines += [f"{'now' if mark.is_repaired else 'expected'}: {finding.expected}"] if finding.expected else []
    return "\n".join(lines)


def _label(mark: Marked) -> str:
    return "repaired" if mark.is_repaired else mark.finding.label


def _list(mark: Marked) -> Entry:
    finding, first = mark.finding, find_cells(mark.finding, mark.table)[0]
    return Entry(
        mark.table.sheet,
        finding.cells,
        finding.subject,
        _label(mark),
        finding.explanation,
        finding.found or "",
        finding.expected or "",
        f"{quote_sheet(first.sheet)}!{first.a1}",
    )


def _summarise(report: FileReport) -> Iterator[str]:
    yield "What python -m backprop check found in this workbook"
    for table in report.tables:
        name = f"“{table.sheet}”, header {table.header}: {table.verdict}"
        yield f"{name}; {table.network}; {table.rows} rows, {table.compared:,} formulas compared"
        yield from (f"note: {note}" for note in table.notes)
