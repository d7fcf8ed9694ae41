"""The folder to hand in: a README with pictures, the workbook and the page, and what else belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reports.drawings.sheet import sheet_picture
from reports.errors import ReportError
from reports.figures import Figures, draw_for_handin
from reports.handin.markdown import markdown_environment
from reports.handin.notebook import NOTEBOOK
from reports.inputs import Inputs
from reports.view import Page

_PURPOSES = {
    "README.md": "this text",
    NOTEBOOK: "both parts as a notebook that computes what it shows",
    "backprop.xlsx": "Part 1: the sheet, with live formulas",
    ".whl": "the project itself, for the notebook to install",
    "pictures": "what this text shows",
    "report.html": "both parts on one page, with every step explained",
    "results": "what training recorded; the notebook reads it",
}
"""What each file is for, by its name, its ending, or the folder that it lies in."""


@dataclass(frozen=True)
class Picture:
    """A picture of the README: its path, and the words that stand for it."""

    path: str
    words: str


@dataclass(frozen=True)
class TreeEntry:
    """A file or folder of the folder, and what it is for."""

    branch: str
    name: str
    purpose: str


def handin_files(
    page: Page, figures: Figures, html: str, inputs: Inputs, cache: Path, more: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Make the files of the folder, by their names in it and sorted by them; `more` are added as they are.

    Raises ReportError where the workbook can't be read.
    """
    drawings = (
        figures.errors_linear,
        figures.errors_logarithmic,
        figures.accuracy,
        figures.loss,
        *([figures.study] if figures.study else []),
        *draw_for_handin(page),
    )
    pictures = {
        drawing.name: Picture(f"pictures/{drawing.name}.png", f"{drawing.title}. {drawing.description}")
        for drawing in drawings
    }
    pictures["sheet"] = Picture("pictures/sheet.png", "The class sheet as a live workbook.")
    workbook = _read(inputs.workbook.path)
    files = {
        "report.html": html.encode(),
        "backprop.xlsx": workbook,
        "pictures/sheet.png": sheet_picture(workbook, inputs.workbook.path, figures.network, cache),
        **{f"pictures/{drawing.name}.png": drawing.png() for drawing in drawings},
        **more,
    }
    files["README.md"] = _readme(page, pictures, ["README.md", *files]).encode()
    return dict(sorted(files.items()))


def _read(workbook: Path) -> bytes:
    try:
        return workbook.read_bytes()
    except OSError as error:
        raise ReportError(f"{workbook} can't be read ({error.strerror}): run `make workbook`") from error


def entries(names: list[str]) -> tuple[TreeEntry, ...]:
    """List a folder as a tree of one level, README first, as the assignment's project structure does."""
    tops = sorted({name.partition("/")[0] for name in names}, key=lambda top: (top != "README.md", top))
    width = max(map(len, tops))
    return tuple(TreeEntry("└──" if top == tops[-1] else "├──", top.ljust(width), _purpose(top)) for top in tops)


def _purpose(name: str) -> str:
    return _PURPOSES.get(name) or _PURPOSES[Path(name).suffix]


def _readme(page: Page, pictures: Mapping[str, Picture], names: list[str]) -> str:
    template = markdown_environment().get_template("handin.md")
    return template.render(
        page=page,
        backprop=page.backprop,
        mnist=page.mnist,
        pictures=pictures,
        tree=entries(names),
        has_notebook=NOTEBOOK in names,
    )
