"""Foreign workbooks checked: one in this process, or many in processes of their own with limits of time and memory."""

import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from backprop.check.conversion import OTHERS, PACKAGES
from backprop.check.findings import NOT_READ, FileReport
from backprop.check.networks import check_networks
from backprop.check.reading import parse_workbook, read_package
from backprop.check.references import Formulas
from backprop.check.tables import NearestHeader, find_tables
from backprop.check.verdicts import check_table
from backprop.cores import count_cores
from backprop.errors import BackpropError

TIME_LIMIT, TIME_PER_MEGABYTE = 10.0, 12.0
"""CPU seconds a file may take, where the system can count them; a table of 10,000 rows has some megabytes."""
_TIMES_FOR_MORE = 4
"""How many times as long a file may take that is not only checked but copied, repaired and checked again."""
_PATIENCE = 100 if hasattr(signal, "setitimer") else 6
"""How many times as long a file may take by the clock: others may have the machine."""
MEMORY_LIMIT = 4_000_000_000
"""Bytes that a file may need."""


def collect_files(paths: Sequence[Path]) -> list[Path]:
    """Return files and the spreadsheets in folders, each once, in a stable order, without programs' lock files."""
    found: dict[Path, None] = {}
    for path in paths:
        found |= dict.fromkeys(sorted(_find_spreadsheets(path)) if path.is_dir() else [path])
    return list(found)


def _find_spreadsheets(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        is_lock = path.name.startswith(("~$", ".~lock."))
        if path.suffix.lower() in (*PACKAGES, *OTHERS) and not is_lock and not path.is_dir():
            yield path


def check_file(path: Path) -> FileReport:
    """Check one file in this process."""
    return check_with(path, lambda: check_content(path, read_package(path))[0])


def check_content(path: Path, content: bytes) -> tuple[FileReport, Formulas]:
    """Check a workbook that has been read from a file, and return what was read too. Raises BackpropError."""
    formulas = Formulas(parse_workbook(content))
    return _check_workbook(path, formulas), formulas


def check_with(path: Path, check: Callable[[], FileReport]) -> FileReport:
    """Return what a check reports, or a report of why it could not be done."""
    try:
        return check()
    except BackpropError as error:
        return FileReport(str(path), str(error))
    except MemoryError:
        return FileReport(str(path), f"needs more than {MEMORY_LIMIT / 1e9:g} GB of memory: not checked")
    except RecursionError:
        return FileReport(str(path), "too deeply nested to check")


def _check_workbook(path: Path, formulas: Formulas) -> FileReport:
    """Check the tables of the exercise, and whatever else the workbook trains."""
    tables, nearest = find_tables(formulas)
    reports = [check_table(formulas, table) for table in tables]
    read = [table for table, report in zip(tables, reports, strict=True) if report.network != NOT_READ]
    others, reason = check_networks(formulas, read)
    # A table of another network is told by its own derivatives.
    sheets = {report.sheet for report in others if report.network != NOT_READ}
    told = [report for report in reports if report.network != NOT_READ or report.sheet not in sheets]
    if told or others:
        return FileReport(str(path), None, (*told, *others))
    return FileReport(str(path), f"{_describe_nearest(nearest)}; {reason}")


def _describe_nearest(nearest: NearestHeader | None) -> str:
    looked = "no table of the exercise: looked for a row with headers such as t1, i1, w1 … w8, a_h1, E_total, ∂E/∂w1"
    if nearest is None:
        return f"{looked}; no such header was found anywhere"
    sheet = " ".join(nearest.sheet.split())  # a line break in it would break our line
    return f"{looked}; nearest was row {nearest.row} of “{sheet}” with {nearest.recognised} of them"


def check_files(
    paths: Sequence[Path], report: Callable[[FileReport], object], job: Callable[[Path], FileReport] | None = None
) -> list[FileReport]:
    """Check files in parallel, one process a core, calling `report` as each ends. Keeps the order of `paths`.

    `job`, which does more than `check_file` with each, is handed to the processes and gets more time.
    """
    results: dict[int, FileReport] = {}
    waiting, running, cores = list(enumerate(paths))[::-1], dict[Connection, _Check](), count_cores()
    while waiting or running:
        while waiting and len(running) < cores:
            number, path = waiting.pop()
            check = _start_check(number, path, job)
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
    limit: float
    process: BaseProcess
    receiver: Connection
    started: float

    @property
    def is_overdue(self) -> bool:
        return time.monotonic() - self.started > _PATIENCE * self.limit

    def finish(self) -> FileReport:
        """Return the report, or one that says why there is none, and end the process."""
        try:
            answer: FileReport | None = self.receiver.recv() if self.receiver.poll() else None
        except (EOFError, OSError):
            answer = None
        if answer is None:
            self.process.join(0 if self.is_overdue else 5)
            is_late = self.is_overdue or (hasattr(signal, "SIGPROF") and self.process.exitcode == -signal.SIGPROF)
            reason = f"took longer than {self.limit:g} s" if is_late else "made the check break down"
            answer = FileReport(str(self.path), f"{reason}: not checked")
        self.process.kill()
        self.process.join()
        self.receiver.close()
        return answer


def _start_check(number: int, path: Path, job: Callable[[Path], FileReport] | None) -> _Check:
    size = 0
    with suppress(OSError, ValueError):
        size = path.stat().st_size
    limit = (TIME_LIMIT + TIME_PER_MEGABYTE * round(size / 1e6, 1)) * (1 if job is None else _TIMES_FOR_MORE)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_check_and_send, args=(path, limit, job, sender), daemon=True)
    process.start()
    sender.close()
    return _Check(number, path, limit, process, receiver, time.monotonic())


def _check_and_send(path: Path, limit: float, job: Callable[[Path], FileReport] | None, sender: Connection) -> None:
    gc.disable()  # millions of cells would be looked through again and again, and the process ends soon
    if hasattr(signal, "setitimer"):  # a busy machine makes no file late; the signal ends the process
        signal.setitimer(signal.ITIMER_PROF, limit)
    _limit_memory()
    try:
        report = (job or check_file)(path)
    except Exception as error:  # the last net: whatever a foreign file still manages to break, the others are checked
        report = FileReport(str(path), f"made the check break down ({type(error).__name__}): not checked")
    sender.send(report)


def _limit_memory() -> None:
    """Let a file end with one line, and not the machine."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY_LIMIT  # libraries reserve much that they never use
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _wait_for_ended(running: dict[Connection, _Check]) -> list[_Check]:
    ready = wait(list(running), timeout=0.2)
    return [check for connection, check in running.items() if connection in ready or check.is_overdue]
