"""Checking planned sheets: layouts for property tests, and what a check accuses."""

import tempfile
import zipfile
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from sheets import SheetPlan, write_sheet

from backprop.check.workbooks import check_file

layouts = st.builds(
    SheetPlan,
    seed=st.integers(0, 10_000),
    rows=st.integers(2, 9),
    top=st.integers(2, 60),
    left=st.integers(1, 40),
    shuffled=st.booleans(),
    helpers=st.integers(0, 5),
)
# Without shrinking: the plans are small as they are, and each one costs a workbook.
quickly = settings(max_examples=min(20, settings().max_examples), phases=(Phase.explicit, Phase.reuse, Phase.generate))


def check(plan):
    """Check a planned sheet; returns the one table's report and the address of each cell."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sheet.xlsx")
        address = write_sheet(path, plan)
        report = check_file(path)
    assert report.error is None
    (table,) = report.tables
    assert table.rows == plan.rows
    return table, address


def accused(table):
    return {(finding.kind, finding.quantity) for finding in table.findings}


def changed(source, target, change):
    """Copy a workbook with its parts changed."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target
