"""Findings as text, JSON and CSV."""

import csv
import io
import json
import math
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from backprop.check.findings import (
    INCOMPLETE,
    RIGHT,
    UNREAD,
    WRONG,
    FileReport,
    Finding,
    TableReport,
)

_OF_FINDING = (
    *("kind", "quantity", "cells", "found", "expected", "explanation", "max_relative_error", "max_total_error_shift"),
)
_COLUMNS = ("file", "sheet", "header", *_OF_FINDING, "verdict", "network")
_MAX_SHOWN = 300
_BLANK = re.compile(r"[\s\0\ufeff]*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def find_same(reports: Sequence[FileReport]) -> Mapping[str, Sequence[str]]:
    """Return the files in which a table's formulas and numbers stand, by the table's fingerprint."""
    files: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        for fingerprint in dict.fromkeys(table.fingerprint for table in report.tables if table.fingerprint):
            files[fingerprint].append(report.file)
    return {fingerprint: names for fingerprint, names in files.items() if len(names) > 1}


def name_files(reports: Sequence[FileReport]) -> Mapping[str, str]:
    """Return what each file is called: its name alone, or with its folders where others are called the same."""
    paths = {report.file: Path(report.file) for report in reports}
    counts = Counter(path.name for path in paths.values())
    folders = zip(*(path.parent.parts for path in paths.values()), strict=False)
    shared = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, folders))
    names = {f: p.name if counts[p.name] == 1 else str(Path(*p.parts[shared:])) for f, p in paths.items()}
    return {file: show(name) for file, name in names.items()}


def as_json(reports: Sequence[FileReport]) -> str:
    """Serialise everything as JSON."""
    same = find_same(reports)
    files = [
        {"file": r.file, "error": r.error, "tables": [_as_dict(r, table, same) for table in r.tables]} for r in reports
    ]
    text = json.dumps({"files": files}, ensure_ascii=False, indent=1)
    # A file's name may hold bytes that are no text, which nothing can print but as escapes.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"


def _as_dict(report: FileReport, table: TableReport, same: Mapping[str, Sequence[str]]) -> dict[str, object]:
    eta = table.learning_rate
    return {
        "sheet": table.sheet,
        "header": table.header,
        "rows": table.rows,
        "network": table.network,
        "verdict": table.verdict,
        "compared": table.compared,
        "notes": table.notes,
        "same_as": [file for file in same.get(table.fingerprint, ()) if file != report.file],
        "learning_rate": {"cell": eta.cell, "value": _finite(eta.value)},
        "findings": [_finding_as_dict(finding) for finding in table.findings],
    }


def _finding_as_dict(finding: Finding) -> dict[str, object]:
    return {name: _finite(getattr(finding, name)) for name in _OF_FINDING}


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_csv(reports: Sequence[FileReport]) -> str:
    """Serialise one row per finding, one of kind ok for a right table, one of kind error for an unreadable file."""
    text = io.StringIO(newline="")
    # A carriage return in a field would otherwise end the row for some readers.
    writer = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for report in reports:
        for row in _list_rows(report):
            writer.writerow({name: _disarm(value) for name, value in row.items()})
    return text.getvalue()


def _list_rows(report: FileReport) -> Iterator[dict[str, object]]:
    if report.error:
        yield {"file": report.file, "kind": "error", "explanation": report.error, "verdict": INCOMPLETE}
    for table in report.tables:
        row: dict[str, object] = {"file": report.file, "sheet": table.sheet, "header": table.header}
        row |= {"verdict": table.verdict, "network": table.network}
        if table.verdict == RIGHT:
            yield row | {"kind": "ok"}
        yield from (row | _finding_as_dict(finding) for finding in table.findings)


def _disarm(value: object) -> object:
    """Keep a spreadsheet from taking foreign text for a formula of its own."""
    if not isinstance(value, str):
        return _finite(value)
    text = _SURROGATE.sub("\ufffd", value)
    blank = _BLANK.match(normal := unicodedata.normalize("NFKC", text))
    assert blank is not None
    is_armed = normal[blank.end() :].startswith(tuple("=+-@")) or any(c in blank[0] for c in "\t\r\n")
    return f"'{text}" if is_armed else text


def as_text(reports: Sequence[FileReport], *, strict: bool) -> str:
    """Format a summary line per file first, then every finding."""
    blocks = [_format_summary(reports, strict=strict), *_format_same(reports)]
    # Of a right sheet there is nothing more to say, unless it is the only one.
    told = (r for r in reports if len(reports) == 1 or any(table.findings or table.notes for table in r.tables))
    blocks += [_format_file(report) for report in told if report.tables]
    return "\n\n".join(block for block in blocks if block) + "\n"


def describe_copies(reports: Sequence[FileReport]) -> Iterator[str]:
    """Yield lines about the copies that were written, and those that were not."""
    copies = [copy for report in reports for copy in report.copies]
    for words, repaired in (("annotated", False), ("fixed", True)):
        group = [copy for copy in copies if (copy.repaired is not None) is repaired]
        written = [copy for copy in group if copy.error is None]
        if written:
            folder = os.path.commonpath([Path(copy.path).parent for copy in written])
            yield f"wrote {len(written)} {words} {'copy' if len(written) == 1 else 'copies'} to {show(folder)}"
        for copy in group:
            if copy.error is not None:
                yield show(f"not written: {copy.error}")
            elif repaired and copy.left:
                yield show(f"{copy.path} is not right yet: {copy.left} of its findings have no suggestion")
    if copies:
        names = name_files(reports)
        unread = [names[report.file] for report in reports if not report.copies]
        yield from [f"no copy of what could not be read: {', '.join(unread)}"] if unread else []


def show(text: str) -> str:
    """Return foreign text in one line, with what can't be seen or turns the line around written as escapes."""
    shown = escape_unprintable(" ".join(text.split()))
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]} …"


def escape_unprintable(text: str) -> str:
    """Write what can't be seen, or turns a line around, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _format_summary(reports: Sequence[FileReport], *, strict: bool) -> str:
    known = name_files(reports)
    names = [known[report.file] for report in reports]
    width = min(max(map(len, names), default=4), 44)
    lines = [f"{'file':<{width}}  verdict     tables  wrong  what"]
    for report, name in zip(reports, names, strict=True):
        short = name if len(name) <= width else name[: width - 1] + "…"
        if report.error:
            lines.append(f"{short:<{width}}  not read         –      –  {show(report.error)}")
            continue
        counted = report.counted(strict=strict)
        verdict = WRONG if counted else report.verdict
        counts = f"{len(report.tables):>6}  {len(counted):>5}"
        lines.append(f"{short:<{width}}  {verdict:<10}  {counts}  {summarise(report, counted)}")
    return "\n".join(lines)


def summarise(report: FileReport, counted: Sequence[Finding]) -> str:
    """Say first what was not read, then what is wrong; only where everything was read, that nothing is."""
    unread = [f.explanation for table in report.tables for f in table.findings if f.kind == UNREAD]
    mistakes = [f"{f.subject}: {f.explanation}" for f in counted if f.kind != UNREAD]
    parts = [f"not read: {_list_first(unread, 1)}"] if unread else []
    parts += [_list_first(mistakes, 3)] if mistakes else []
    return show("; ".join(parts) or "nothing wrong")


def _list_first(texts: Sequence[str], count: int) -> str:
    different = list(dict.fromkeys(texts))
    rest = f"; and {len(different) - count} more" if len(different) > count else ""
    return "; ".join(different[:count]) + rest


def _format_same(reports: Sequence[FileReport]) -> list[str]:
    groups, names = dict.fromkeys(tuple(files) for files in find_same(reports).values()), name_files(reports)
    return [f"The same formulas and numbers: {', '.join(names[file] for file in group)}" for group in groups]


def _format_file(report: FileReport) -> str:
    lines = [show(report.file)]
    for table in report.tables:
        lines += _format_table(table)
    return "\n".join(lines)


def _format_table(table: TableReport) -> list[str]:
    eta = table.learning_rate
    value = "unknown" if eta.value is None else f"{eta.value:g}"
    where = f" in {eta.cell}" if eta.cell else ""
    lines = [f"  “{show(table.sheet)}”, header {table.header}, {table.rows} rows, η = {value}{where}: {table.verdict}"]
    lines.append(f"    {table.network}; {table.compared:,} formulas compared")
    lines += [f"    note: {show(note)}" for note in table.notes]
    for finding in sorted(table.findings, key=lambda finding: finding.kind != UNREAD):
        lines += _format_finding(finding)
    return lines


def _format_finding(finding: Finding) -> list[str]:
    cells = f"{show(finding.subject)}, {show(finding.cells)}"
    lines = [f"    {finding.label}: {cells}: {show(finding.explanation)}"]
    if finding.max_relative_error is not None:
        lines.append(f"        off by up to {finding.max_relative_error:.2g} of its size{_format_shift(finding)}")
    if finding.found:
        lines.append(f"        found     {show(finding.found)}")
    if finding.expected:
        lines.append(f"        expected  {show(finding.expected)}")
    return lines


def _format_shift(finding: Finding) -> str:
    shift = finding.max_total_error_shift
    return "" if shift is None else f"; moves E_total by up to {shift:.2g} over the run"
