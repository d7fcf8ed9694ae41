"""From view and figures to one HTML file that asks nobody for anything."""

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from mnist.constants import REQUIRED_ACCURACY
from reports.figures import Figures
from reports.filters import NUMBER_FILTERS
from reports.view import Page
from reports.views.formulas import names_as_symbols

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
STYLES = ("style.css", "explorer.css", "learning_rates.css", "digit.css")
_IMPORT = re.compile(r'^import [^;]* from "\./(\w+\.js)";\n', re.MULTILINE)


def render(page: Page, figures: Figures) -> str:
    """Render the page: text is escaped, what a template forgets to define is an error."""
    # Inside <style> and <script> nothing is escaped; the files are the project's own, and have no "</".
    style = "".join((TEMPLATES / "styles" / name).read_text(encoding="utf-8") for name in STYLES)
    script = join_scripts(page.backprop.explorer.program)
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            backprop=page.backprop,
            mnist=page.mnist,
            figures=figures,
            least_accuracy=REQUIRED_ACCURACY,
            style=Markup(style),
            script=Markup(script),
            policy=content_security_policy(style, script),
        )
    )


def content_security_policy(style: str, script: str) -> str:
    """Allow the page's own style and script, and pictures that it carries itself, and nothing else: no request."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def join_scripts(derivation: str) -> str:
    """Join main.js with the modules that it imports into one script; `derivation` is the source of derivation.js.

    Each module stands once, after those that it imports. In the strict block no name reaches the global scope, and
    two of the same name are an error.
    """
    modules = {"derivation.js": derivation}

    def add(name: str) -> None:
        source = (TEMPLATES / "scripts" / name).read_text(encoding="utf-8")
        for imported in _IMPORT.findall(source):
            if imported not in modules:
                add(imported)
        modules[name] = re.sub("^export ", "", _IMPORT.sub("", source), flags=re.MULTILINE)

    add("main.js")
    return '"use strict";\n{\n' + "".join(modules.values()) + "}\n"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {**NUMBER_FILTERS, "names": names_as_symbols}
    return environment
