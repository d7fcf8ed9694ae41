"""From the records to the files: view, figures, page, hand-in folder, in this order."""

from pathlib import Path

from backprop.files import write_atomically
from backprop.network import Preset
from reports.figures import draw
from reports.files import write_folder
from reports.handin import handin_files
from reports.inputs import Inputs
from reports.render import render
from reports.view import Heading, view_page


def build(heading: Heading, preset: Preset, learning_rate: float, inputs: Inputs, output: Path) -> None:
    """Write OUTPUT/report.html and OUTPUT/handin. Raises ReportError or BackpropError where a file resists."""
    page = view_page(heading, preset, learning_rate, inputs)
    figures = draw(page)
    html = render(page, figures)
    # Everything is made before anything is written: a failure leaves the old files as they are.
    files = handin_files(page, figures, html, inputs, output / ".cache")
    write_atomically(output / "report.html", html.encode())
    write_folder(output / "handin", files)
