"""Sections of the page rendered by themselves."""

import re
from types import SimpleNamespace

from mnist.asked import LEAST_ACCURACY
from reports.render import _environment


def section_text(name, figures=None, **page):
    """Render a section's template from parts of the page; returns its text without markup, in one line."""
    facts = {"page": SimpleNamespace(**page), "figures": figures, "least_accuracy": LEAST_ACCURACY}
    html = _environment().get_template(f"_{name}.html").render(facts)
    return " ".join(re.sub("<[^>]*>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())
