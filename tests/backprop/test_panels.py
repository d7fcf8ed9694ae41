import json
import re

from agreement import REFERENCE

from backprop.derivation import derive
from backprop.networks.presets import PRESETS
from backprop.panels import panels
from backprop.printers.text import TextPrinter
from backprop.sheet.layout import PANELS

CLASS_CELLS = json.loads((REFERENCE / "class_sheet.json").read_text())["cells"]
# The class sheet spells a_o1 as a_01 here and there, puts one difference in brackets, and stops at w3 in panel 5.
CORRECTED = {"M8": "∂E1/∂a_o1=∂(½*(t1-a_o1)²)/∂a_o1=a_o1-t1"}
OURS_ALONE = {"C21"}


def squeezed(text):
    return re.sub(r"\s", "", str(text)).replace("a_01", "a_o1").replace("a_02", "a_o2")


def our_cells():
    cells = {}
    for panel in panels(derive(PRESETS["class"].network)):
        place = PANELS[panel.number]
        cells[place.number_cell] = str(panel.number)
        for index, line in enumerate(panel.lines):
            cells[place.line(index).split(":")[0]] = squeezed(" = ".join(map(TextPrinter().print, line.terms)))
    return cells


def test_the_panels_say_what_the_class_sheet_says_where_it_says_it():
    theirs = {cell: squeezed(text) for cell, text in CLASS_CELLS.items() if int(re.sub(r"\D", "", cell)) < 31}
    ours = our_cells()
    assert ours.keys() - theirs.keys() == OURS_ALONE
    assert {cell: text for cell, text in ours.items() if cell not in OURS_ALONE} == theirs | CORRECTED


def test_every_line_has_a_reason():
    for preset in PRESETS.values():
        for panel in panels(derive(preset.network)):
            assert all(len(line.terms) >= 2 and line.meaning for line in panel.lines)
