"""Print what each command costs: python tests/bench.py (or make bench, which times training too).

Every figure is the median of several runs of the whole command, in this one call on this machine.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 5


def seconds(arguments: Sequence[str]) -> list[float]:
    """Time a command of this project, after one run that does not count."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return times[1:]


def report(what: str, aim: float, arguments: Sequence[str]) -> None:
    """Print one row: median, extremes, and what is aimed at."""
    times = seconds(arguments)
    median, least, most = statistics.median(times), min(times), max(times)
    print(f"{what:<34} {median:7.2f} s   {least:6.2f} to {most:.2f} s   aim {aim:.1f} s", flush=True)


def main(results: Path) -> None:
    """Time the start of the command, derivation with workbook, and the page, if there are results to show."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}; median and range of {RUNS} runs")
    report("python -m backprop --help", 0.5, ["backprop", "--help"])
    with tempfile.TemporaryDirectory() as folder:
        report("derivation and workbook", 3.0, ["backprop", "workbook", "--output", f"{folder}/backprop.xlsx"])
    if (results / "mnist" / "evaluation.json").exists():
        report("page and hand-in from results", 5.0, ["reports", "build", "--output", str(results)])
    else:
        print(f"page: no results in {results} to show; `make report` first")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
