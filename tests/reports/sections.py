"""Sections of the page rendered by themselves."""

import re
from types import SimpleNamespace

from mnist.constants import REQUIRED_ACCURACY
from reports.render import page_environment


def section_text(name, figures=None, **page):
    """Render a section's template from parts of the page; returns its text without markup, in one line."""
    facts = {"page": SimpleNamespace(**page), "figures": figures, "least_accuracy": REQUIRED_ACCURACY}
    html = page_environment().get_template(f"_{name}.html").render(facts)
    return " ".join(re.sub("<[^>]*>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())
