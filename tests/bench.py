"""Print what each command costs: python -P tests/bench.py (or make bench, which times training too).

Every figure is the median of several runs of the whole command, in this one call on this machine.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
from bench_page import print_page_costs
from sheets import EXPRESSIONS as DERIVED
from sheets import SheetPlan, write_sheet

RUNS = 5
SHEETS, ROWS = 60, 68  # a class's homework: as many rows as the class sheet
LONG = 10_000
LOAD = "import sys, openpyxl; [openpyxl.load_workbook(path) for path in sys.argv[1:]]"


def seconds(arguments: Sequence[str], runs: int = RUNS) -> list[float]:
    """Time a command of this project, after one run that does not count."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode not in (0, 1, 2):  # 1: `check` found something, 2: not everything can be read
            sys.exit(f"python {' '.join(arguments)} failed")
        times.append(time.perf_counter() - start)
    return times[1:]


def report(what: str, aim: float, arguments: Sequence[str], runs: int = RUNS) -> float:
    """Print one row: median, extremes, and what is aimed at; returns the median."""
    times = seconds(["-m", *arguments], runs)
    median, least, most = statistics.median(times), min(times), max(times)
    print(f"{what:<34} {median:7.2f} s   {least:6.2f} to {most:.2f} s   aim {aim:.1f} s", flush=True)
    return median


def report_check(what: str, folder: Path) -> None:
    """Print what a check of workbooks costs, in itself and beside loading each once with openpyxl alone."""
    files = sorted(map(str, folder.glob("*.xlsx")))
    checking = report(f"check of {what}", 20.0, ["backprop", "check", "--", str(folder)])
    loading = statistics.median(seconds(["-c", LOAD, *files]))
    print(f"{'  beside openpyxl loading them once':<34} {checking / loading:7.2f}     aim 1.5", flush=True)


def write_homework(folder: Path) -> None:
    """Write sheets in layouts of all kinds, each with two wrong columns."""
    for seed in range(SHEETS):
        wrong = {("dE_dw3", 0): DERIVED["dE_dw1"], ("dE_dw8", seed): DERIVED["dE_dw7"]}
        plan = SheetPlan(seed, ROWS, left=1 + seed, shuffled=bool(seed % 2), helpers=seed % 4, wrong=wrong)
        write_sheet(folder / f"sheet {seed}.xlsx", plan)


def main(results: Path, sheets: str) -> None:
    """Time the start of the command, the workbook, the check, and the page, if there are results to show."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}; median and range of {RUNS} runs")
    report("python -m backprop --help", 0.5, ["backprop", "--help"])
    with tempfile.TemporaryDirectory() as folder:
        report("derivation and workbook", 3.0, ["backprop", "workbook", "--output", f"{folder}/backprop.xlsx"])
        homework = Path(folder, "homework")
        homework.mkdir()
        write_homework(homework)
        report_check(f"{SHEETS} sheets, {ROWS} rows each", homework)
        outputs = ["--html", f"{folder}/check.html", "--annotate", f"{folder}/a", "--fixed", f"{folder}/f", "--force"]
        report("the same with page and both copies", 90.0, ["backprop", "check", *outputs, str(homework)], runs=1)
        rows = ["--iterations", str(LONG), "--output", f"{folder}/long.xlsx"]
        report(f"our workbook, {LONG:,} rows a table", 40.0, ["backprop", "workbook", *rows], runs=1)
        report(f"check of our workbook, {LONG:,} rows", 30.0, ["backprop", "check", f"{folder}/long.xlsx"], runs=1)
    if sheets:
        report_check(sheets, Path(sheets))
    if (results / "mnist" / "evaluation.json").exists():
        with tempfile.TemporaryDirectory() as folder:
            # The user's own page stays as it is: it may have a name on it.
            copy = Path(folder, "results")
            shutil.copytree(results, copy, ignore=shutil.ignore_patterns("handin*", "pictures*", "seed-*"))
            workbook = [sys.executable, "-m", "backprop", "workbook", f"--output={copy}/backprop.xlsx"]
            subprocess.run(workbook, stdout=subprocess.DEVNULL, check=True)
            report("page and hand-in from results", 5.0, ["reports", "build", "--output", str(copy)])
            print_page_costs(copy / "report.html")
    else:
        print(f"page: no results in {results} to show; `make report` first")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"), sys.argv[2] if len(sys.argv) > 2 else "")
