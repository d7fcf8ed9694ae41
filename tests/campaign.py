"""Plant mistakes in right sheets and see what the check makes of them: make campaign, or python -P tests/campaign.py.

Each mutant is one edit of a right sheet's formulas: in one cell, from one iteration on, or in a whole column; half of
the sheets are the exercise's, half train other networks. Right sheets of other networks are checked as well, after
central differences have shown that they are right.
"""

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
from mutants import MUTATIONS, OUTCOMES, draw_mutant, draw_network_mutant, judge_mutant
from networks import draw_network_sheet, hold_against_differences

from backprop.check.workbooks import check_file


def judge_right(seed):
    """Check a right sheet of another network."""
    sheet = draw_network_sheet(seed)
    hold_against_differences(sheet, 1, random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "right.xlsx")
        sheet.save(path)
        report = check_file(path)
    outcome = (
        "equivalent" if report.verdict == "right" else "not read" if report.verdict == "incomplete" else "false alarm"
    )
    return "none", outcome, f"seed {seed}, no edit: {report.verdict}"


GROUPS = (
    ("sheets of the exercise", partial(judge_mutant, draw=draw_mutant), 1),
    ("sheets of other networks", partial(judge_mutant, draw=draw_network_mutant), 1),
    ("right sheets of other networks", judge_right, 0.25),
)


def main() -> int:
    """Run the campaign and print a line for each kind of edit, then the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=2000, help="of each group (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow (default: %(default)s)")
    options = parser.parse_args()
    wrong = 0
    with Pool(os.cpu_count()) as pool:
        for name, judge, share in GROUPS:
            seeds = range(options.seed, options.seed + int(options.mutants * share))
            counts, notes = {kind: Counter() for kind in (*MUTATIONS, "none")}, []
            results = pool.imap(judge, seeds, chunksize=8)
            for kind, outcome, words in tqdm(results, total=len(seeds), disable=None, unit=" sheets", leave=False):
                counts[kind][outcome] += 1
                notes += [f"{outcome}: {words}"] if outcome not in ("found", "equivalent") else []
            print(f"{name:<30}  mutants  {'  '.join(OUTCOMES)}")
            total = sum(counts.values(), Counter())
            for kind, count in [*((k, c) for k, c in counts.items() if c), ("all", total)]:
                cells = "  ".join(f"{count[outcome]:>{len(outcome)}}" for outcome in OUTCOMES)
                print(f"{kind:<30}  {count.total():>7}  {cells}")
            print("\n".join([*notes, ""]))
            wrong += sum(total[outcome] for outcome in OUTCOMES[3:])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
