"""Make the pictures of finished results: python tests/gallery.py [out].

A browser photographs the page in every state, into OUT/pictures, and README.md shows how it opens. The sheet is the
hand-in folder's picture of it.
"""

import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
from browser import started
from pictures import take

from reports.pdf import find_browser

GALLERY = Path(__file__).parents[1] / "reports" / "gallery"
FIRST_SCREEN, SHEET_SHARE, COLOURS = 900, 0.55, 128


def main(results: Path) -> None:
    """Write OUT/pictures, and page.png and sheet.png of the gallery."""
    path = find_browser()
    if path is None:
        sys.exit("error: no Chromium, Chrome or Edge is installed to take the pictures with: install one")
    with started(path) as browser:
        taken = take(browser, (results / "report.html").resolve(), results / "pictures")
    GALLERY.mkdir(exist_ok=True)
    _cut(taken["light"], GALLERY / "page.png", FIRST_SCREEN)
    with Image.open(results / "handin" / "pictures" / "sheet.png") as sheet:
        height = round(sheet.height * SHEET_SHARE)  # the upper part tells it all
    _cut(results / "handin" / "pictures" / "sheet.png", GALLERY / "sheet.png", height)
    print(f"The pictures are in {results / 'pictures'}, those of README.md in {GALLERY}")


def _cut(source: Path, target: Path, height: int) -> None:
    """Keep the upper part, in few colours: enough for what it shows."""
    with Image.open(source) as picture:
        top = picture.convert("RGB").crop((0, 0, picture.width, height))
        top.quantize(COLOURS, Image.Quantize.MEDIANCUT).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
