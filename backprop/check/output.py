"""Findings as text, JSON and CSV."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from backprop.check.findings import COMPUTES_WRONGLY, FileReport, Finding, TableReport

_COLUMNS = ("file", "sheet", "header", *(field.name for field in fields(Finding)))


def as_json(reports: Sequence[FileReport]) -> str:
    """Serialise everything as JSON."""
    files = [{"file": r.file, "error": r.error, "tables": list(map(_as_dict, r.tables))} for r in reports]
    return json.dumps({"files": files}, ensure_ascii=False, indent=1) + "\n"


def _as_dict(table: TableReport) -> dict[str, object]:
    eta = table.learning_rate
    return asdict(table) | {"learning_rate": {"cell": eta.cell, "value": eta.value}}


def as_csv(reports: Sequence[FileReport]) -> str:
    """Serialise one row per finding; a file that could not be checked is a row of its own."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for report in reports:
        if report.error:
            row = {"file": report.file, "kind": "error", "explanation": report.error}
            writer.writerow([_escape(row.get(column, "")) for column in _COLUMNS])
        for table in report.tables:
            for f in table.findings:
                values = (report.file, table.sheet, table.header, *asdict(f).values())
                writer.writerow([_escape(value) for value in values])
    return text.getvalue()


def _escape(value: object) -> object:
    """Keep a spreadsheet from taking foreign text for a formula of its own."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def as_text(reports: Sequence[FileReport], *, strict: bool) -> str:
    """Format a summary line per file first, then every finding."""
    blocks = [_format_summary(reports, strict=strict), *_format_duplicates(reports)]
    blocks += [_format_file(report) for report in reports if any(t.findings or t.notes for t in report.tables)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _format_summary(reports: Sequence[FileReport], *, strict: bool) -> str:
    width = min(max((len(Path(r.file).name) for r in reports), default=4), 44)
    lines = [f"{'file':<{width}}  tables  wrong  what"]
    for report in reports:
        name = Path(report.file).name
        name = name if len(name) <= width else name[: width - 1] + "…"
        if report.error:
            lines.append(f"{name:<{width}}       –      –  {report.error}")
            continue
        counted = report.counted(strict=strict)
        mistakes = list(dict.fromkeys(f"{_format_quantity(f.quantity)}: {f.explanation}" for f in counted))
        what = "; ".join(mistakes[:3]) + (f"; and {len(mistakes) - 3} more" if len(mistakes) > 3 else "")
        lines.append(f"{name:<{width}}  {len(report.tables):>6}  {len(counted):>5}  {what or 'nothing wrong'}")
    return "\n".join(lines)


def _format_duplicates(reports: Sequence[FileReport]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        if report.fingerprint:
            groups[report.fingerprint].append(Path(report.file).name)
    return [f"The same sheet, handed in {len(g)} times: {', '.join(g)}" for g in groups.values() if len(g) > 1]


def _format_file(report: FileReport) -> str:
    lines = [report.file]
    for table in report.tables:
        lines += _format_table(table)
    return "\n".join(lines)


def _format_table(table: TableReport) -> list[str]:
    eta = table.learning_rate
    value = "unknown" if eta.value is None else f"{eta.value:g}"
    where = f" in {eta.cell}" if eta.cell else ""
    lines = [f"  “{table.sheet}”, header {table.header}, {table.rows} rows, η = {value}{where}"]
    lines += [f"    right: {note}" for note in table.notes]
    for finding in table.findings:
        lines += _format_finding(finding)
    return lines


def _format_finding(finding: Finding) -> list[str]:
    label = "wrong" if finding.kind in COMPUTES_WRONGLY else finding.kind
    lines = [f"    {label}: {_format_quantity(finding.quantity)}, {finding.cells}: {finding.explanation}"]
    if finding.max_relative_error is not None:
        lines.append(f"        off by up to {finding.max_relative_error:.2g} of its size{_format_shift(finding)}")
    if finding.found:
        lines.append(f"        found     {' '.join(finding.found.split())[:300]}")
    if finding.expected:
        lines.append(f"        expected  {finding.expected}")
    return lines


def _format_shift(finding: Finding) -> str:
    shift = finding.max_total_error_shift
    return "" if shift is None else f"; moves E_total by up to {shift:.2g} over the run"


def _format_quantity(quantity: str) -> str:
    return quantity.replace("dE_d", "∂E/∂")
