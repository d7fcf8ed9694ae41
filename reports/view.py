"""Everything that the page shows, as frozen data: what is not in here is not on the page."""

from dataclasses import dataclass

from backprop.crosscheck.report import CrossCheck
from backprop.part1 import Part1
from reports.inputs import Inputs
from reports.views.backprop import BackpropView, view_backprop
from reports.views.digit import DigitView, view_digit
from reports.views.mazur import MazurView, view_mazur
from reports.views.mnist import MnistView, SpeedView, StudyView, view_mnist, view_speed, view_studies
from reports.views.provenance import Provenance, view_provenance

DEFAULT_TITLE = "Backpropagation by hand, and a small network that reads digits"


@dataclass(frozen=True)
class Heading:
    """Who hands in what; text from the command line, so never to be trusted as markup."""

    title: str = DEFAULT_TITLE
    author: str = ""


@dataclass(frozen=True)
class Page:
    """The whole page."""

    title: str
    author: str
    backprop: BackpropView
    proof: CrossCheck | None
    """None where `make prove` has not run."""
    mazur: MazurView
    mnist: MnistView
    digit: DigitView
    studies: tuple[StudyView, ...]
    """Empty where no study was made."""
    speed: SpeedView | None
    """None where `make bench` has not run."""
    provenance: Provenance
    workbook_resaved: bool
    """Whether another program has saved the workbook since its export."""


def view_page(heading: Heading, part1: Part1, inputs: Inputs) -> Page:
    """Arrange everything."""
    return Page(
        title=_one_line(heading.title) or DEFAULT_TITLE,
        author=_one_line(heading.author),
        backprop=view_backprop(part1),
        proof=inputs.proof,
        mazur=view_mazur(part1),
        mnist=view_mnist(inputs.history, inputs.evaluation),
        digit=view_digit(inputs.evaluation, inputs.weights),
        studies=view_studies(inputs.studies),
        speed=view_speed(inputs.measured),
        provenance=view_provenance(),
        workbook_resaved=inputs.workbook.resaved,
    )


def _one_line(text: str) -> str:
    """Keep what can be printed, on one line; bytes that were no UTF-8 become question marks."""
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(c if c.isprintable() else " " for c in readable).split())
