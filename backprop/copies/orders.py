"""Where marked copies go, and the check that writes them beside its report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from backprop.check.conversion import OTHERS
from backprop.check.excerpt import make_excerpts
from backprop.check.findings import Copy, FileReport
from backprop.check.reading import read_package
from backprop.check.workbooks import MEMORY_LIMIT, check_content, check_with
from backprop.copies.copies import MarkedCopy, annotate, fix
from backprop.errors import BackpropError, OutputError
from backprop.files import write_file


@dataclass(frozen=True)
class Orders:
    """What is wanted beside the check: excerpts of the sheets for a page, and where the copies of files go."""

    annotated: Mapping[Path, Path] = field(default_factory=dict)
    fixed: Mapping[Path, Path] = field(default_factory=dict)
    excerpts: bool = False


def check_and_copy(orders: Orders, path: Path) -> FileReport:
    """Check a file in this process, take the excerpts, and write the copies."""
    return check_with(path, lambda: _check_and_copy(orders, path))


def _check_and_copy(orders: Orders, path: Path) -> FileReport:
    content = read_package(path)
    report, formulas = check_content(path, content)
    copies = []
    if report.error is None and path in orders.annotated:
        copies.append(_write_copy(orders.annotated[path], lambda: annotate(content, report, formulas)))
    if report.error is None and path in orders.fixed:
        copies.append(_write_copy(orders.fixed[path], lambda: fix(path, content, report, formulas)))
    tables = report.tables
    if orders.excerpts:
        tables = tuple(replace(table, excerpts=make_excerpts(formulas, table)) for table in tables)
    return replace(report, tables=tables, copies=tuple(copies))


def _write_copy(path: Path, make: Callable[[], MarkedCopy]) -> Copy:
    """Make a copy and write it; whatever a foreign package breaks there, what the check has found is kept."""
    try:
        made = make()
        write_file(path, made.content)
    except OutputError as error:
        return Copy(str(path), str(error))
    except MemoryError:
        return Copy(str(path), f"{path}: it needs more than {MEMORY_LIMIT / 1e9:g} GB of memory")
    except Exception as error:
        return Copy(str(path), f"{path}: the original's parts can't be edited ({type(error).__name__})")
    left = [f for table in made.report.tables for f in table.findings if f.label in ("wrong", "not read")]
    return Copy(str(path), None, made.repaired, len(left))


def plan_copies(paths: Sequence[Path], files: Sequence[Path], folder: Path, *, replaces: bool) -> Mapping[Path, Path]:
    """Return where in a folder the copy of each file goes: below it as the file lies below one of the paths.

    Raises BackpropError where a copy would replace an original or, without `replaces`, any other file.
    """
    originals, found = {file.resolve() for file in files}, dict[Path, Path]()
    for file in files:
        base = next((path for path in paths if path.is_dir() and file.is_relative_to(path)), file.parent)
        target = folder / file.relative_to(base)
        target = target.with_name(f"{target.name}.xlsx") if target.suffix.lower() in OTHERS else target
        if target.resolve() in originals:
            raise BackpropError(f"{target} would replace an original: name another folder")
        if target in found.values():
            first = next(file for file, place in found.items() if place == target)
            raise BackpropError(f"{first} and {file} would both be copied to {target}: check them one after the other")
        if not replaces and (target.exists() or target.is_symlink()):
            raise BackpropError(f"{target} is there already: name another folder, or add --force to replace it")
        found[file] = target
    return found
