import io
import re
from pathlib import Path

import matplotlib.image
import pytest
import records
from agreement import REFERENCE
from office import strip_cached_values
from programs import require

from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.build import build
from reports.drawings import sheet as pictures
from reports.drawings.sheet import draw_sheet
from reports.errors import ReportError
from reports.figures import draw
from reports.handin.folder import _readme
from reports.handin.markdown import Verbatim, escaped, fenced
from reports.inputs import read_inputs
from reports.render import render
from reports.view import Heading, view_page


@pytest.fixture(scope="module")
def network():
    return draw(view_page(Heading(), compute_part1(PRESETS["class"], 1.0), records.inputs())).network


def test_folder_holds_text_workbook_page_and_every_picture(built):
    folder = built / "handin"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme)
    assert sorted(f"{path.relative_to(folder)}" for path in (folder / "pictures").iterdir()) == sorted(shown)
    assert (folder / "backprop.xlsx").read_bytes() == (built / "backprop.xlsx").read_bytes()
    assert (folder / "report.html").read_bytes() == (built / "report.html").read_bytes()


def test_pictures_are_not_blank(built):
    for path in (built / "handin" / "pictures").iterdir():
        image = matplotlib.image.imread(path)[:, :, :3]
        assert image.std() > 0.02, path
        assert min(image.shape[:2]) > 400, path


def test_readme_answers_the_assignment(built):
    readme = (built / "handin" / "README.md").read_text(encoding="utf-8")
    for rate in ("0.1", "0.2", "0.5", "0.8", "1", "2"):
        assert f"\nη\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{rate}\n" in readme
    assert (REFERENCE / "model-summary.txt").read_text(encoding="utf-8") in readme
    assert "\nby Ada Lovelace\n" in readme
    assert "| 15 | " in readme
    assert "None" not in readme.replace("None of these runs", "")


def test_same_inputs_same_bytes(built_copy):
    def snapshot():
        paths = sorted(path for path in built_copy.rglob("*") if path.is_file())
        return {path.relative_to(built_copy): path.read_bytes() for path in paths}

    before = snapshot()
    build(Heading("A title", "Ada Lovelace"), compute_part1(PRESETS["class"], 1.0), read_inputs(built_copy), built_copy)
    assert snapshot() == before


def test_hostile_names_stay_text_in_markdown(output):
    author = "<img src=x onerror=alert(1)> [x](https://example.org) `a` | *b* $c$\n# d"
    page = view_page(Heading(author, author), compute_part1(PRESETS["class"], 1.0), read_inputs(output))
    pictures_shown = _Anything()
    readme = _readme(page, pictures_shown, ["README.md"])
    line = next(line for line in readme.splitlines() if line.startswith("by "))
    assert not re.search(r"(?<!\\)[<>\[\]`|*$#]", line)
    assert "\\<img" in readme.splitlines()[0]


def test_a_fence_is_longer_than_any_in_the_text():
    assert fenced("a\n````\nb") == "`````\na\n````\nb\n`````"
    assert fenced("a") == "```\na\n```"


class _Anything(dict):
    def __missing__(self, key):
        from reports.handin.folder import Picture

        return Picture("pictures/x.png", "x")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a_b", "a\\_b"),
        ("<b>", "\\<b\\>"),
        ("plain, text: 0.5", "plain, text: 0.5"),
        ("http://x", "http\\://x"),
        (3, "3"),
    ],
)
def test_escaped(text, spelled):
    assert escaped(text) == spelled
    assert escaped(Verbatim(text)) == str(text)


def test_sheet_drawn_without_libreoffice_shows_every_number(handed_in, network, tmp_path):
    workbook, stripped = handed_in[0] / "backprop.xlsx", tmp_path / "stripped.xlsx"
    strip_cached_values(workbook, stripped)
    drawn = {path: draw_sheet(path.read_bytes(), path, network) for path in (workbook, stripped)}
    with_numbers, without = (matplotlib.image.imread(io.BytesIO(png))[:, :, :3] for png in drawn.values())
    assert with_numbers.shape == without.shape
    red = (abs(with_numbers[:, :, 0] - 0xC0 / 255) < 0.01) & (with_numbers[:, :, 1:].max(axis=2) < 0.1)
    assert red.mean() > 0.01, "the E_tot column"
    # The table is the lower part: 31 columns of equal width, and rows that are computed below the first one.
    box = with_numbers.shape[0] // 100, with_numbers.shape[1] // 31
    differs = (with_numbers != without).any(axis=2)
    for row in (35, 67, 99):
        for column in range(31):
            part = differs[box[0] * row : box[0] * (row + 1), box[1] * column : box[1] * (column + 1)]
            assert part.mean() > 0.02, (row, column)


def test_sheet_picture_is_kept_until_the_workbook_changes(network, tmp_path, monkeypatch):
    for program in ("soffice", "pdftoppm"):
        require(program)
    made = []

    def print_picture(content):
        made.append(content)
        return b"picture %d" % len(made)

    monkeypatch.setattr(pictures, "_print_with_libreoffice", print_picture)
    drawn = [
        pictures.sheet_picture(workbook, Path("backprop.xlsx"), network, tmp_path) for workbook in (b"1", b"1", b"2")
    ]
    assert drawn == [b"picture 1", b"picture 1", b"picture 2"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failing_libreoffice_is_replaced(network, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "_print_with_libreoffice", lambda content: None)
    monkeypatch.setattr(pictures, "draw_sheet", lambda content, name, network: b"drawn")
    assert pictures.sheet_picture(b"", Path("backprop.xlsx"), network, tmp_path) == b"drawn"


def test_a_broken_workbook_names_the_target(network, tmp_path):
    with pytest.raises(ReportError, match="make workbook"):
        draw_sheet(b"no workbook", tmp_path / "backprop.xlsx", network)


def test_page_and_readme_tell_that_another_program_has_saved_the_workbook(output):
    part1, sentence = compute_part1(PRESETS["class"], 1.0), "Another program has saved the workbook since its export"
    found = []
    for content in (b"not a workbook", b"saved by another program"):
        (output / "backprop.xlsx").write_bytes(content)
        page = view_page(Heading(), part1, read_inputs(output))
        found.append(
            [text.count(sentence) for text in (render(page, draw(page)), _readme(page, _Anything(), ["README.md"]))]
        )
    assert found == [[0, 0], [1, 1]]
