"""From the records to the files: view, figures, page, hand-in folder, in this order."""

from dataclasses import dataclass
from pathlib import Path

from backprop.files import write_file
from backprop.part1 import Part1
from reports.errors import ReportError
from reports.figures import draw
from reports.files import WrittenFolder, write_folder
from reports.handin.archives import make_zip
from reports.handin.folder import handin_files
from reports.handin.notebook import NotebookInputs, load_notebook_files, notebook_files
from reports.inputs import Inputs
from reports.render import render
from reports.view import Heading, view_page


@dataclass(frozen=True)
class Extent:
    """How much of the hand-in is made."""

    notebook: bool = False
    """Whether the notebook is run where its inputs have changed; otherwise only one that still fits is kept."""
    data: Path = Path("data")
    """Where MNIST lies, for the notebook to be measured on."""


@dataclass(frozen=True)
class Built:
    """What came of it."""

    notebook: bool
    """Whether the notebook is in the folder, and all of it packed."""
    folder: WrittenFolder
    unpacked: bool
    """Whether an archive and a notebook were removed because they belonged to another page."""


def build(heading: Heading, part1: Part1, inputs: Inputs, output: Path, extent: Extent = Extent()) -> Built:
    """Write OUTPUT/report.html and OUTPUT/handin; with the notebook in it, also OUTPUT/handin.zip.

    Raises ReportError or BackpropError where a file resists or a cell of the notebook fails.
    """
    page = view_page(heading, part1, inputs)
    figures = draw(page)
    html = render(page, figures)
    sources = NotebookInputs(output / "mnist", output / ".cache", extent.data)
    # Everything is made before anything is written: a failure leaves the old files as they are.
    more = notebook_files(page, sources) if extent.notebook else load_notebook_files(page, sources)
    files = handin_files(page, figures, html, inputs, sources.cache, more)
    write_file(output / "report.html", html.encode())
    folder = write_folder(output / "handin", files, sources.cache / "handin.json")
    archive = output / "handin.zip"
    outdated = archive.exists() and not more
    if more:
        write_file(archive, make_zip({f"handin/{name}": content for name, content in files.items()}))
    else:
        _remove(archive)
    return Built(bool(more), folder, outdated)


def _remove(archive: Path) -> None:
    """Remove an archive that is not of the folder any more."""
    try:
        archive.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"{archive} is out of date and can't be removed ({error.strerror}): remove it") from error
