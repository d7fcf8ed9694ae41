"""Mutants: right sheets with one edit of their formulas, and which of their cells are wrong then.

An evaluator that shares no code with the check decides that: cells that give another number in the right sheet.
"""

import random
import re
import tempfile
from pathlib import Path

from foreign import CONSTANTS, QUANTITIES, WEIGHTS, draw_sheet, wrong_cells
from networks import draw_network_sheet
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple, rows_from_range

from backprop.check.findings import COMPUTES_WRONGLY
from backprop.check.workbooks import check_file

REFERENCE = re.compile(r"(?<![\w\[!$])(\$?)([A-Z]{1,2})(\$?)(\d+)(?![\w(])")
BROKEN_AREA = re.compile(r"[^A-Z\d]\$?\d+:|:(?!\$?[A-Z])|:\$?[A-Z]+\$?\d+:|\$C\$1:|:\$C\$1")
OUTCOMES = ("found", "equivalent", "not read", "missed", "false alarm", "false all-clear")
"""“Not read” is a wrong sheet of which the check says that it cannot tell: a circular one, one without updates."""


def other_quantity(places, numbers, match):
    """Another quantity of the same iteration stands there."""
    here = coordinate_to_tuple(f"{match[2]}{match[4]}")
    row, column = numbers.choice([place for place in places if place != here])
    return f"{match[1]}{get_column_letter(column)}{match[3]}{row}"


def other_row(places, numbers, match):
    """The reference slipped by a row."""
    return f"{match[1]}{match[2]}{match[3]}{max(1, int(match[4]) + numbers.choice((-1, 1)))}"


def fixed_row(places, numbers, match):
    """The reference is fixed to its row, or no longer fixed."""
    return f"{match[1]}{match[2]}{'' if match[3] else '$'}{match[4]}"


def edit_reference(edit):
    def change(text, places, numbers):
        matches = list(REFERENCE.finditer(text))
        if not matches:
            return None
        match = numbers.choice(matches)
        return text[: match.start()] + edit(places, numbers, match) + text[match.end() :]

    return change


def edit_text(pattern, *replacements):
    """Replace one of the places that a pattern finds."""

    def change(text, places, numbers):
        matches = list(re.finditer(pattern, text[1:]))
        if not matches:
            return None
        match = numbers.choice(matches)
        new = match.expand(numbers.choice([r for r in replacements if r != match.group()]))
        return f"{text[0]}{text[1 : match.start() + 1]}{new}{text[match.end() + 1 :]}"

    return change


EDITS = {
    "another quantity": edit_reference(other_quantity),
    "another row": edit_reference(other_row),
    "$ added or lost": edit_reference(fixed_row),
    "another operator": edit_text(r"(?<=[\w)\]])[-+*/](?=[\w($])", "+", "-", "*", "/"),
    "a lost minus": edit_text(r"(?<=[(=*])-", ""),
    "another number": edit_text(r"(?<![\w.$\[])\d+(?:\.\d+)?(?![\w.!%\]])", "1", "2", "0.5", "3"),
    "a lost factor": edit_text(r"\*(?:\(1-[^()]*\)|\$?[A-Z]{1,2}\$?\d+)", ""),
    "a lost term": edit_text(r"[-+]\$?[A-Z]{1,2}\$?\d+(?:\*\$?[A-Z]{1,2}\$?\d+)?", ""),
    "1- lost": edit_text(r"\(1-([^()]*)\)", r"\1", r"(1+\1)"),
    "lost brackets": edit_text(r"(?<![A-Z])\(([^()]*)\)", r"\1"),
    "a lost square": edit_text(r"\^2", "", "^3"),
}


def contents_of(sheet, kind, quantity, indices, numbers):
    """Return the mutated contents of some cells of a quantity, or None where the edit does not apply."""
    found, edit = {}, numbers.getrandbits(32)
    for index in indices:
        cell = sheet.cell(quantity, index)
        old = sheet.cells.get(cell)
        # The same edit in each iteration: it draws the same numbers.
        new = MUTATIONS[kind](old, sheet, random.Random(edit), quantity, index) if isinstance(old, str) else None
        if new is None or new == old or (isinstance(new, str) and BROKEN_AREA.search(new)):
            return None
        found[cell] = new
    return found


def edited(edit):
    """Return a mutation that edits a formula; an update reads the iteration before."""

    def mutate(text, sheet, numbers, quantity, index):
        return edit(text, sheet.places(max(0, index - sheet.is_weight(quantity))), numbers)

    return mutate


def rounded(text, sheet, numbers, quantity, index):
    """A number is typed in place of the formula: the right one, rounded, or one that is a little off."""
    right = sheet.evaluator().value(sheet.cell(quantity, index))
    return float(f"{right * numbers.choice((1, 1, 1.01, -1)):.{numbers.choice((4, 8, 15))}g}")


def neighbour(text, sheet, numbers, quantity, index):
    """The formula of another column, as it stands there."""
    other = sheet.cells.get(sheet.cell(numbers.choice(QUANTITIES), index))
    return other if isinstance(other, str) else None


MUTATIONS = {
    **{name: edited(edit) for name, edit in EDITS.items()},
    "a typed number": rounded,
    "the formula of another column": neighbour,
    "an empty cell": lambda *_: None,
    "a text": lambda *_: "see above",
}
OF_NETWORKS = (*EDITS, "a typed number")


def draw_mutant(seed):
    """Return a sheet of the exercise, the kind of the edit, and new contents of some of its cells."""
    numbers = random.Random(seed)
    while True:
        sheet = draw_sheet(numbers.getrandbits(32))
        kind = numbers.choice(list(MUTATIONS))
        quantity = numbers.choice([q for q in QUANTITIES if q not in CONSTANTS])
        first = int(quantity in WEIGHTS)
        rows = range(first, sheet.rows)
        at = numbers.choice(rows)
        indices = numbers.choice((rows, rows, range(at, at + 1), range(at, sheet.rows)))
        if any(sheet.cell(quantity, k) in sheet.arrays for k in indices):
            continue
        if kind == "an empty cell":
            contents = {sheet.cell(quantity, k): None for k in list(indices)[:1]}
            if sheet.cells.get(next(iter(contents))) is None:
                continue
        else:
            contents = contents_of(sheet, kind, quantity, indices, numbers)
        if contents:
            return sheet, kind, contents


def draw_network_mutant(seed):
    """Return the same for a sheet of another network.

    Formulas of the forward pass are edited in one iteration only: where they are others everywhere, the network is
    another one, and it contradicts the gradients as much as these contradict it.
    """
    numbers = random.Random(seed)
    while True:
        sheet = draw_network_sheet(numbers.getrandbits(32))
        kind = numbers.choice(OF_NETWORKS)
        is_forward = numbers.random() < 0.25
        updates = [weight for weight in sheet.weights if weight in sheet.formulas]
        quantity = numbers.choice(sheet.forward if is_forward else sheet.backward + updates)
        rows = range(int(sheet.is_weight(quantity)), sheet.rows)
        at = numbers.choice(rows)
        one = range(at, at + 1)
        indices = (
            one if is_forward or kind == "a typed number" else numbers.choice((rows, rows, one, range(at, sheet.rows)))
        )
        if kind == "a typed number" and sheet.cell(quantity, at) in sheet.arrays:
            continue
        if kind == "another number" and updates == [quantity] and indices is rows:
            continue  # the one matrix of the network has another η from the first iteration to the last
        contents = contents_of(sheet, kind, quantity, indices, numbers)
        if contents:
            return sheet, kind, contents


def judge_mutant(seed, draw):
    """Check a mutant; returns its kind, the outcome, and what there is to say about one that was not found."""
    sheet, kind, contents = draw(seed)
    wrong = wrong_cells(sheet, contents)
    changed = {*contents, *(m for c in contents for line in sheet.arrays.get(c, ()) for m in line)}
    sheet.cells |= contents
    sheet.cells = {cell: content for cell, content in sheet.cells.items() if content is not None}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.xlsx")
        sheet.save(path)
        report = check_file(path)
    accused = {cell for table in report.tables for cell in accused_cells(table)}
    words = (
        f"seed {seed}, {kind}: {next(iter(contents.items()))}, wrong {len(wrong)} of {len(changed)}: {report.verdict}"
    )
    is_circular = "circular" in (report.error or "")
    if (wrong or is_circular) and report.verdict == "incomplete" and not accused:
        return kind, "not read", words
    if accused - (wrong | changed if wrong else set()):
        return kind, "false alarm", f"{words}, accuses {sorted(accused)[:3]}"
    if not wrong:
        return kind, "equivalent" if report.verdict == "right" else "missed", words
    if report.verdict == "right":
        return kind, "false all-clear", words
    return kind, "found" if wrong <= accused else "missed", words


def accused_cells(table):
    """Yield the cells that a table's report says compute wrongly."""
    for finding in table.findings:
        for part in finding.cells.split(",") if finding.kind in COMPUTES_WRONGLY else ():
            sheet, _, area = part.rpartition("!")
            for row in rows_from_range(area):
                for cell in row:
                    yield sheet.strip("'") or table.sheet, *coordinate_to_tuple(cell)
