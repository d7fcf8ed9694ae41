"""The notebook before it has run: cells from the template, text filled in, as JSON."""

import json
import re
from dataclasses import dataclass
from typing import Any

from mnist.constants import EPOCH_LIMIT, PARAMETER_LIMIT, REQUIRED_ACCURACY
from reports.handin.markdown_templates import markdown_environment
from reports.render import TEMPLATES
from reports.view import Page

_TEMPLATE = "notebook.py"
_CELL = re.compile(r"^# %% (?P<text>\[markdown\] )?(?P<name>[a-z0-9-]+)\n", re.MULTILINE)
_FORMAT = {"nbformat": 4, "nbformat_minor": 5}  # the first with names for cells
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Cell:
    """One cell of the template."""

    name: str
    is_text: bool
    source: str
    """Markdown with Jinja's marks, or Python."""


def read_cells(template: str) -> tuple[Cell, ...]:
    """Take a Python file apart at its `# %%` lines; text stands there in comments. What comes before is left out."""
    marks = list(_CELL.finditer(template))
    ends = [mark.start() for mark in marks[1:]] + [len(template)]
    return tuple(
        _cell(mark["name"], bool(mark["text"]), template[mark.end() : end].strip("\n"))
        for mark, end in zip(marks, ends, strict=True)
    )


def _cell(name: str, is_text: bool, source: str) -> Cell:
    return Cell(name, is_text, re.sub(r"^# ?", "", source, flags=re.MULTILINE) if is_text else source)


def notebook_source(page: Page) -> str:
    """Spell the notebook as a file of format 4.5 without outputs; needs no library for notebooks."""
    cells = read_cells((TEMPLATES / "handin" / _TEMPLATE).read_text(encoding="utf-8"))
    notebook = {"cells": [_node(cell, page) for cell in cells], "metadata": {"kernelspec": _KERNEL}, **_FORMAT}
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _node(cell: Cell, page: Page) -> dict[str, Any]:
    if cell.is_text:
        return {"cell_type": "markdown", "id": cell.name, "metadata": {}, "source": _filled_in(cell.source, page)}
    source = _settings(page) if cell.name == "settings" else cell.source
    return {
        "cell_type": "code",
        "id": cell.name,
        "metadata": {},
        "source": source,
        "execution_count": None,
        "outputs": [],
    }


def _filled_in(text: str, page: Page) -> str:
    asked = {"least_accuracy": REQUIRED_ACCURACY, "most_parameters": PARAMETER_LIMIT, "most_epochs": EPOCH_LIMIT}
    return markdown_environment().from_string(text).render(page=page, mnist=page.mnist, **asked)


def _settings(page: Page) -> str:
    """Write the cell that says which run the notebook is about."""
    return f"PRESET = {page.backprop.preset.name!r}\nLEARNING_RATE = {page.backprop.learning_rate!r}".replace("'", '"')
