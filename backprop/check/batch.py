"""Many files at once: each in a process of its own, with a time limit, so that none can hold up or crash the rest."""

import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from backprop.check.checking import TableCheck
from backprop.check.findings import FileReport
from backprop.check.reading import Book, read_book
from backprop.check.tables import Nearest, Table, find_tables
from backprop.errors import BackpropError

PATIENCE = 10.0  # seconds a file may take
_SUFFIXES = (".xlsx", ".xlsm")


def collect(paths: Sequence[Path]) -> list[Path]:
    """List the workbooks that files and folders name, each once, in a stable order; Excel's lock files are not ours."""
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
        book = read_book(path)
        tables, nearest = find_tables(book)
        if not tables:
            return FileReport(str(path), _nothing_found(nearest))
        reports = tuple(TableCheck(book, table).report() for table in tables)
    except BackpropError as error:
        return FileReport(str(path), str(error))
    except (MemoryError, RecursionError) as error:
        return FileReport(str(path), f"too large or too deeply nested to check ({type(error).__name__})")
    return FileReport(str(path), None, reports, _fingerprint(book, tables))


def _nothing_found(nearest: Nearest | None) -> str:
    looked = "no table of the exercise: looked for a row with headers such as t1, i1, w1 … w8, a_h1, E_total, ∂E/∂w1"
    if nearest is None:
        return f"{looked}; no such header was found anywhere"
    sheet = " ".join(nearest.sheet.split())  # a line break in it would break our line
    return f"{looked}; nearest was row {nearest.row} of “{sheet}” with {nearest.recognised} of them"


def _fingerprint(book: Book, tables: Sequence[Table]) -> str:
    """Hash the tables' formulas and numbers, wherever they stand in the sheet."""
    digest = hashlib.sha256()
    for table in tables:
        cells = book.sheets[table.sheet]
        for row in range(table.first_row, table.last_row + 1):
            for quantity, column in sorted(table.columns.items()):
                cell = cells.get((row, column))
                digest.update(f"{quantity}={'' if cell is None else str(cell.content).replace(' ', '')};".encode())
    return digest.hexdigest()


def check_files(paths: Sequence[Path], report: Callable[[FileReport], object]) -> list[FileReport]:
    """Check files in parallel, one process a core; `report` hears of each as it ends. Keeps the order of `paths`."""
    results: dict[int, FileReport] = {}
    waiting, running = list(enumerate(paths))[::-1], dict[Connection, _Job]()
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            number, path = waiting.pop()
            job = _start(number, path)
            running[job.receiver] = job
        for job in _ended(running):
            del running[job.receiver]
            results[job.number] = job.result()
            report(results[job.number])
    return [results[number] for number in sorted(results)]


@dataclass(frozen=True)
class _Job:
    number: int
    path: Path
    process: BaseProcess
    receiver: Connection
    started: float

    @property
    def overdue(self) -> bool:
        return time.monotonic() - self.started > PATIENCE

    def result(self) -> FileReport:
        """Take the answer, or say why there is none, and end the process."""
        try:
            answer = self.receiver.recv() if self.receiver.poll() else None
        except (EOFError, OSError):
            answer = None
        if answer is None:
            late = f"took longer than {PATIENCE:g} s" if self.overdue else "made the check break down"
            answer = FileReport(str(self.path), f"{late}: not checked")
        self.process.kill()
        self.process.join()
        self.receiver.close()
        return answer if isinstance(answer, FileReport) else FileReport(str(self.path), "made the check break down")


def _start(number: int, path: Path) -> _Job:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_work, args=(path, sender), daemon=True)
    process.start()
    sender.close()
    return _Job(number, path, process, receiver, time.monotonic())


def _work(path: Path, sender: Connection) -> None:
    try:
        report = check_file(path)
    except Exception as error:  # the last net: whatever a foreign file still manages to break, the others are checked
        report = FileReport(str(path), f"made the check break down ({type(error).__name__}): not checked")
    sender.send(report)


def _ended(running: dict[Connection, _Job]) -> list[_Job]:
    ready = wait(list(running), timeout=0.2)
    return [job for connection, job in running.items() if connection in ready or job.overdue]
