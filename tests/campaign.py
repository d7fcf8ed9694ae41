"""Plant mistakes in right sheets and see what the check makes of them: make campaign, or python -P tests/campaign.py.

Each mutant is one edit of a right sheet's formulas: in one cell, from one row on, or in a whole column. An evaluator
that shares no code with the check decides which cells are wrong: those that give another number in the right sheet.
"""

import argparse
import os
import random
import re
import sys
import tempfile
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple, rows_from_range
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
from foreign import CONSTANTS, QUANTITIES, WEIGHTS, draw_sheet, wrong_cells

from backprop.check.findings import COMPUTES_WRONGLY
from backprop.check.workbooks import check_file

REFERENCE = re.compile(r"(?<![\w\[!$])(\$?)([A-Z]{1,2})(\$?)(\d+)(?![\w(])")
OUTCOMES = ("found", "equivalent", "missed", "false alarm", "false all-clear")


def other_quantity(text, sheet, numbers, match):
    """Another quantity of the same row stands there."""
    column = numbers.choice([c for c in sheet.columns.values() if get_column_letter(c) != match[2]])
    return f"{match[1]}{get_column_letter(column)}{match[3]}{match[4]}"


def other_row(text, sheet, numbers, match):
    """The reference slipped by a row."""
    return f"{match[1]}{match[2]}{match[3]}{max(1, int(match[4]) + numbers.choice((-1, 1)))}"


def fixed_row(text, sheet, numbers, match):
    """The reference is fixed to its row, or no longer fixed."""
    return f"{match[1]}{match[2]}{'' if match[3] else '$'}{match[4]}"


def edit_reference(edit):
    def change(text, sheet, numbers):
        matches = list(REFERENCE.finditer(text))
        if not matches:
            return None
        match = numbers.choice(matches)
        return text[: match.start()] + edit(text, sheet, numbers, match) + text[match.end() :]

    return change


def edit_text(pattern, *replacements):
    """Replace one of the places that a pattern finds."""

    def change(text, sheet, numbers):
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
    """Return the mutated contents of some cells of a column, or None where the edit does not apply."""
    found, edit = {}, numbers.getrandbits(32)
    for index in indices:
        cell = sheet.cell(quantity, index)
        old = sheet.cells.get(cell)
        if not isinstance(old, str) or cell in sheet.arrays:
            return None
        # The same edit in each row: it draws the same numbers.
        new = MUTATIONS[kind](old, sheet, random.Random(edit), quantity, index)
        if new is None or new == old:
            return None
        found[cell] = new
    return found


def rounded(text, sheet, numbers, quantity, index):
    """A number is typed in place of the formula: the right one, rounded, or one that is a little off."""
    right = sheet.evaluator().value(sheet.cell(quantity, index))
    return float(f"{right * numbers.choice((1, 1, 1.01, -1)):.{numbers.choice((4, 8, 15))}g}")


def neighbour(text, sheet, numbers, quantity, index):
    """The formula of another column, as it stands there."""
    other = sheet.cells.get(sheet.cell(numbers.choice(QUANTITIES), index))
    return other if isinstance(other, str) else None


MUTATIONS = {
    **{
        name: (lambda text, sheet, numbers, q, k, edit=edit: edit(text, sheet, numbers)) for name, edit in EDITS.items()
    },
    "a typed number": rounded,
    "the formula of another column": neighbour,
    "an empty cell": lambda *_: None,
    "a text": lambda *_: "see above",
}


def draw_mutant(seed):
    """Return a sheet, the kind of the edit, and new contents of some of its cells."""
    numbers = random.Random(seed)
    while True:
        sheet = draw_sheet(numbers.getrandbits(32))
        kind = numbers.choice(list(MUTATIONS))
        quantity = numbers.choice([q for q in QUANTITIES if q not in CONSTANTS])
        first = int(quantity in WEIGHTS)
        rows = range(first, sheet.rows)
        at = numbers.choice(rows)
        indices = numbers.choice((rows, rows, range(at, at + 1), range(at, sheet.rows)))
        if kind == "an empty cell":
            contents = {sheet.cell(quantity, k): None for k in list(indices)[:1]}
            if sheet.cells.get(next(iter(contents))) is None or next(iter(contents)) in sheet.arrays:
                continue
        else:
            contents = contents_of(sheet, kind, quantity, indices, numbers)
        if contents:
            return sheet, kind, contents


def judge(seed):
    """Check a mutant; returns its kind, the outcome, and what there is to say about one that was not found."""
    sheet, kind, contents = draw_mutant(seed)
    wrong = wrong_cells(sheet, contents)
    sheet.cells |= contents
    sheet.cells = {cell: content for cell, content in sheet.cells.items() if content is not None}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.xlsx")
        sheet.save(path)
        report = check_file(path)
    accused = {cell for table in report.tables for cell in accused_cells(table)}
    strange = {column for _, _, column in accused} - {column for _, _, column in wrong}
    words = (
        f"seed {seed}, {kind}: {next(iter(contents.items()))}, wrong {len(wrong)} of {len(contents)}: {report.verdict}"
    )
    if strange:
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


def main() -> int:
    """Run the campaign and print a line for each kind of edit, then the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=2000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow (default: %(default)s)")
    options = parser.parse_args()
    counts, notes = {kind: Counter() for kind in MUTATIONS}, []
    seeds = range(options.seed, options.seed + options.mutants)
    with Pool(os.cpu_count()) as pool:
        results = pool.imap(judge, seeds, chunksize=8)
        for kind, outcome, words in tqdm(results, total=len(seeds), disable=None, unit=" mutants", leave=False):
            counts[kind][outcome] += 1
            notes += [f"{outcome}: {words}"] if outcome not in ("found", "equivalent") else []
    print(f"{'edit':<30}  mutants  " + "  ".join(OUTCOMES))
    for kind, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        cells = "  ".join(f"{count[outcome]:>{len(outcome)}}" for outcome in OUTCOMES)
        print(f"{kind:<30}  {count.total():>7}  {cells}")
    print("\n".join(notes))
    wrong = sum(count[outcome] for count in counts.values() for outcome in OUTCOMES[2:])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
