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


@dataclass(frozen=True)
class Picture:
    """A picture of the README: its path, and the words that stand for it."""

    path: str
    words: str


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


def _readme(page: Page, pictures: Mapping[str, Picture], names: list[str]) -> str:
    template = markdown_environment().get_template("handin.md")
    return template.render(
        page=page,
        backprop=page.backprop,
        mnist=page.mnist,
        pictures=pictures,
        # One level, README first, as the assignment's project structure does it.
        tree=sorted({name.partition("/")[0] for name in names}, key=lambda top: (top != "README.md", top)),
        has_notebook=NOTEBOOK in names,
    )
