"""Foreign workbooks checked: one in this process, or many in processes of their own with a time limit."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from backprop.check.findings import FileReport
from backprop.check.reading import read_workbook
from backprop.check.references import Formulas
from backprop.check.tables import NearestHeader, find_tables
from backprop.check.verdicts import check_table
from backprop.errors import BackpropError

TIME_LIMIT = 10.0
"""CPU seconds a file may take, where the system can count them; by the clock it may take six times as many."""
_SUFFIXES = (".xlsx", ".xlsm")


def collect_files(paths: Sequence[Path]) -> list[Path]:
    """Return files and the workbooks in folders, each once, in a stable order, without Excel's lock files."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and not p.name.startswith("~$"))
            found |= dict.fromkeys(sorted(inside))
        else:
            found[path] = None
    return list(found)


def check_file(path: Path) -> FileReport:
    """Check one file in this process."""
    try:
        formulas = Formulas(read_workbook(path))
        tables, nearest = find_tables(formulas)
        if not tables:
            return FileReport(str(path), _describe_nearest(nearest))
        return FileReport(str(path), None, tuple(check_table(formulas, table) for table in tables))
    except BackpropError as error:
        return FileReport(str(path), str(error))
    except (MemoryError, RecursionError) as error:
        return FileReport(str(path), f"too large or too deeply nested to check ({type(error).__name__})")


def _describe_nearest(nearest: NearestHeader | None) -> str:
    looked = "no table of the exercise: looked for a row with headers such as t1, i1, w1 … w8, a_h1, E_total, ∂E/∂w1"
    if nearest is None:
        return f"{looked}; no such header was found anywhere"
    sheet = " ".join(nearest.sheet.split())  # a line break in it would break our line
    return f"{looked}; nearest was row {nearest.row} of “{sheet}” with {nearest.recognised} of them"


def check_files(paths: Sequence[Path], report: Callable[[FileReport], object]) -> list[FileReport]:
    """Check files in parallel, one process a core, calling `report` as each ends. Keeps the order of `paths`."""
    results: dict[int, FileReport] = {}
    waiting, running = list(enumerate(paths))[::-1], dict[Connection, _Check]()
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            number, path = waiting.pop()
            check = _start_check(number, path)
            running[check.receiver] = check
        for check in _wait_for_ended(running):
            del running[check.receiver]
            results[check.number] = check.finish()
            report(results[check.number])
    return [results[number] for number in sorted(results)]


@dataclass(frozen=True)
class _Check:
    number: int
    path: Path
    process: BaseProcess
    receiver: Connection
    started: float

    @property
    def is_overdue(self) -> bool:
        return time.monotonic() - self.started > 6 * TIME_LIMIT

    def finish(self) -> FileReport:
        """Return the report, or one that says why there is none, and end the process."""
        try:
            answer: FileReport | None = self.receiver.recv() if self.receiver.poll() else None
        except (EOFError, OSError):
            answer = None
        if answer is None:
            self.process.join(0 if self.is_overdue else 5)
            is_late = self.is_overdue or (hasattr(signal, "SIGPROF") and self.process.exitcode == -signal.SIGPROF)
            reason = f"took longer than {TIME_LIMIT:g} s" if is_late else "made the check break down"
            answer = FileReport(str(self.path), f"{reason}: not checked")
        self.process.kill()
        self.process.join()
        self.receiver.close()
        return answer


def _start_check(number: int, path: Path) -> _Check:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_check_and_send, args=(path, sender), daemon=True)
    process.start()
    sender.close()
    return _Check(number, path, process, receiver, time.monotonic())


def _check_and_send(path: Path, sender: Connection) -> None:
    if hasattr(signal, "setitimer"):  # a busy machine makes no file late; the signal ends the process
        signal.setitimer(signal.ITIMER_PROF, TIME_LIMIT)
    try:
        report = check_file(path)
    except Exception as error:  # the last net: whatever a foreign file still manages to break, the others are checked
        report = FileReport(str(path), f"made the check break down ({type(error).__name__}): not checked")
    sender.send(report)


def _wait_for_ended(running: dict[Connection, _Check]) -> list[_Check]:
    ready = wait(list(running), timeout=0.2)
    return [check for connection, check in running.items() if connection in ready or check.is_overdue]
