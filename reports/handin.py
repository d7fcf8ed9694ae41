"""The folder to hand in: a README with pictures, the workbook and the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports import formats
from reports.errors import ReportError
from reports.figures import Figures, draw_for_handin
from reports.inputs import Inputs
from reports.markdown import Verbatim, escaped
from reports.render import TEMPLATES
from reports.sheet_picture import sheet_picture
from reports.view import Page
from reports.view_schedule import learning_rate_text


@dataclass(frozen=True)
class Picture:
    """A picture of the README: where it lies, and the words that stand for it."""

    path: str
    title: str


def handin_files(page: Page, figures: Figures, html: str, inputs: Inputs, cache: Path) -> dict[str, bytes]:
    """Make the files of the folder, by their names in it. Raises ReportError where the workbook can't be read."""
    drawings = (
        figures.errors_linear,
        figures.errors_logarithmic,
        figures.accuracy,
        figures.loss,
        *([figures.study] if figures.study else []),
        *draw_for_handin(page),
    )
    pictures = {drawing.name: Picture(f"pictures/{drawing.name}.png", drawing.title) for drawing in drawings}
    pictures["sheet"] = Picture("pictures/sheet.png", "The class sheet as a live workbook")
    sheet = sheet_picture(inputs.workbook, figures.network, cache)
    return {
        "README.md": _readme(page, pictures).encode(),
        "report.html": html.encode(),
        "backprop.xlsx": _read(inputs.workbook),
        "pictures/sheet.png": sheet,
        **{f"pictures/{drawing.name}.png": drawing.png() for drawing in drawings},
    }


def _read(workbook: Path) -> bytes:
    try:
        return workbook.read_bytes()
    except OSError as error:
        raise ReportError(f"{workbook} can't be read ({error.strerror}): run `make workbook`") from error


def _readme(page: Page, pictures: Mapping[str, Picture]) -> str:
    return (
        _environment()
        .get_template("handin.md")
        .render(page=page, backprop=page.backprop, mnist=page.mnist, pictures=pictures)
    )


def _environment() -> Environment:
    # HTML's escaping is not Markdown's: `finalize` escapes every value instead, so none can be forgotten.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "significant": formats.significant,
        "fixed": formats.fixed,
        "percent": formats.percent,
        "short": formats.short,
        "counted": formats.counted,
        "rate": learning_rate_text,
        "verbatim": Verbatim,
    }
    return environment
