"""Make the pictures of finished results: python -P tests/gallery.py [out].

A browser photographs the page in every state, into OUT/pictures, and README.md shows how it opens. The sheet is the
hand-in folder's picture of it. The page of a check is that of three made-up sheets.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
from browser import started
from pictures import take
from sheets import EXPRESSIONS, SheetPlan, write_sheet

from backprop.copies.orders import Orders, check_and_copy
from backprop.derivation import as_taught, derive
from backprop.networks.presets import PRESETS
from reports.check_page import render_check
from reports.pdf import find_browser

GALLERY = Path(__file__).parents[1] / "reports" / "gallery"
FIRST_SCREEN, CHECK_HEIGHT, SHEET_SHARE, COLOURS = 900, 1560, 0.55, 128


def main(results: Path) -> None:
    """Write OUT/pictures, and page.png, sheet.png and check.png of the gallery."""
    path = find_browser()
    if path is None:
        sys.exit("error: no Chromium, Chrome or Edge is installed to take the pictures with: install one")
    with started(path) as browser:
        taken = take(browser, (results / "report.html").resolve(), results / "pictures")
        checked = take(browser, write_check(results / "pictures"), results / "pictures" / "check")
    GALLERY.mkdir(exist_ok=True)
    _cut(taken["light"], GALLERY / "page.png", FIRST_SCREEN)
    _cut(checked["light"], GALLERY / "check.png", CHECK_HEIGHT)
    with Image.open(results / "handin" / "pictures" / "sheet.png") as sheet:
        height = round(sheet.height * SHEET_SHARE)  # the upper part tells it all
    _cut(results / "handin" / "pictures" / "sheet.png", GALLERY / "sheet.png", height)
    print(f"The pictures are in {results / 'pictures'}, those of README.md in {GALLERY}")


def write_check(folder: Path) -> Path:
    """Write the page of a check of three sheets, of which two have the class sheet's slip."""
    taught = {g.name: g.expression for g in as_taught(derive(PRESETS["class"].network)).gradients}
    slip = {(name, 0): expression for name, expression in taught.items() if expression != EXPRESSIONS[name]}
    plans = {
        "ada.xlsx": SheetPlan(rows=68, wrong=slip),
        "alan.xlsx": SheetPlan(rows=68, wrong={**slip, ("E2", 0): EXPRESSIONS["E1"]}, typed={("w5", 4): 0.36}),
        "grace.xlsx": SheetPlan(rows=68),
    }
    with tempfile.TemporaryDirectory() as sheets:
        for name, plan in plans.items():
            write_sheet(Path(sheets, name), plan)
        reports = [check_and_copy(Orders(excerpts=True), Path(sheets, name)) for name in plans]
    reports = [replace(report, file=f"sheets/{Path(report.file).name}") for report in reports]
    page = (folder / "check.html").resolve()
    page.write_text(render_check(reports), encoding="utf-8")
    return page


def _cut(source: Path, target: Path, height: int) -> None:
    """Keep the upper part, in few colours: enough for what it shows."""
    with Image.open(source) as picture:
        top = picture.convert("RGB").crop((0, 0, picture.width, height))
        top.quantize(COLOURS, Image.Quantize.MEDIANCUT).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
