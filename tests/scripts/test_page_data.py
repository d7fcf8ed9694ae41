"""What TypeScript knows of the page's data is what Python hands over."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from page_data import DECLARATIONS, declarations


def test_the_declarations_are_those_of_the_dataclasses():
    assert DECLARATIONS.read_text(encoding="utf-8") == declarations(), "run `python tests/scripts/page_data.py`"
