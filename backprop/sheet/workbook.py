"""The whole workbook: the first sheet, the comparison of learning rates with a sheet per curve, and the check."""

from dataclasses import dataclass
from pathlib import Path

from backprop import __version__
from backprop.derivation import as_taught, derive
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES, Network, Preset
from backprop.sheet import layout
from backprop.sheet.book import Book
from backprop.sheet.check_sheet import write_check_sheet
from backprop.sheet.comparison import write_comparison
from backprop.sheet.first_sheet import write_class_sheet, write_general_sheets
from backprop.sheet.guide import write_guide
from backprop.sheet.record import WorkbookRecord, sha256, write_workbook
from backprop.sheet.table import Run
from backprop.simulate import Trace, simulate


@dataclass(frozen=True)
class WorkbookOptions:
    """Everything that decides what a workbook holds."""

    preset: Preset
    learning_rate: float
    iterations: int
    """Rows of each table, 1 to 10,000; the first one is iteration 0."""
    as_taught: bool = False
    """Whether to repeat the class sheet's wrong gradients."""
    author: str = ""
    protected: bool = False
    """Whether to lock what is not the reader's to change."""


@dataclass(frozen=True)
class Export:
    """A workbook ready to save, and the runs in it: the first sheet's, then the curves'."""

    options: WorkbookOptions
    book: Book
    traces: tuple[Trace, ...]

    def save(self, path: Path) -> None:
        """Write the workbook and, beside it, its record. Raises BackpropError where that can't be done."""
        content, options = self.book.to_bytes(), self.options
        record = WorkbookRecord(
            preset=options.preset.name,
            network=options.preset.network,
            values=dict(options.preset.values),
            learning_rate=options.learning_rate,
            iterations=options.iterations,
            as_taught=options.as_taught,
            version=__version__,
            workbook_sha256=sha256(content),
        )
        write_workbook(path, content, record)


def build_workbook(options: WorkbookOptions) -> Export:
    """Build the workbook. Raises BackpropError for options that make none."""
    if not 1 <= options.iterations <= layout.MAX_ITERATIONS:
        raise BackpropError(
            f"{options.iterations} iterations do not fit a workbook: give 1 to {layout.MAX_ITERATIONS}, "
            "or use `python -m backprop trace` for longer runs"
        )
    _check_size(options.preset.network, options.iterations)
    derivation = derive(options.preset.network)
    if options.as_taught:
        derivation = as_taught(derivation)
    main, *curves = (
        Run(derivation, options.preset, simulate(derivation, options.preset, eta, options.iterations))
        for eta in (options.learning_rate, *SHEET_LEARNING_RATES)
    )
    book, place = Book(), layout.main_table(derivation, options.iterations)
    write_first = write_class_sheet if layout.is_class_shape(options.preset.network) else write_general_sheets
    write_first(book, place, main)
    guide = book.add_sheet(layout.GUIDE_SHEET, 1)
    write_comparison(book, place, curves)
    write_check_sheet(book, place, main)
    write_guide(book, guide, place, (main, *curves), f"backprop {__version__}: {_name_command(options)}")
    book.name_cell("eta", place.sheet, place.learning_rate)
    title = f"Backpropagation of a {options.preset.network.shape} network"
    book.describe(title, "Gradient descent step by step, with live formulas", options.author)
    if options.protected:
        book.protect()
    return Export(options, book, tuple(run.trace for run in (main, *curves)))


def _check_size(network: Network, iterations: int) -> None:
    """Refuse what no sheet can hold, or no program opens in a minute, before any work is done. Raises BackpropError."""
    neurons = sum(network.sizes[1:])
    columns = len(network.inputs) + 2 * len(network.targets) + 2 * neurons + 2 * len(network.parameters) + 1
    if columns > layout.MAX_COLUMNS:
        raise BackpropError(f"a {network.shape} network needs {columns:,} columns; a sheet has {layout.MAX_COLUMNS:,}")
    cells = columns * iterations * (1 + len(SHEET_LEARNING_RATES))
    if cells > layout.MAX_CELLS:
        remedy = f"give --iterations {max(layout.MAX_CELLS * iterations // cells, 1)} or fewer"
        raise BackpropError(f"its tables would have {cells:,} cells, more than {layout.MAX_CELLS:,}: {remedy}")


def _name_command(options: WorkbookOptions) -> str:
    """Return the command that makes the same workbook, without paths."""
    taught = " --as-taught" if options.as_taught else ""
    return (
        f"python -m backprop workbook --network {options.preset.name} --learning-rate {options.learning_rate!r} "
        f"--iterations {options.iterations}{taught}"
    )
