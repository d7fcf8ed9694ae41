"""From view and figures to one HTML file that asks nobody for anything."""

import base64
import hashlib
import re

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from backprop.part1 import EXPONENTIAL
from mnist.constants import REQUIRED_ACCURACY
from reports.figures import Figures
from reports.filters import FILTERS, ink_image
from reports.prose import TEMPLATES, prose, sentences
from reports.view import Page
from reports.views.digit import heat
from reports.views.formulas import print_names

STYLES = ("style.css", "explorer.css", "learning_rates.css", "digit.css")
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+\.js)";$', re.MULTILINE)
_FUNCTION = re.compile(r"^(?=function )", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def render(page: Page, figures: Figures) -> str:
    """Render the page: text is escaped, what a template forgets to define is an error."""
    # Inside <style> and <script> nothing is escaped; the files are the project's own, and have no "</".
    style = "".join((TEMPLATES / "styles" / name).read_text(encoding="utf-8") for name in STYLES)
    script = join_scripts(page.backprop.explorer.program)
    return (
        page_environment()
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
    """Join main.js and the modules that it imports into one script; the derivation's functions become derivation.js.

    Each module becomes a function of its own, called after those that it imports, so no name leaves its module.
    """
    joined: dict[str, str] = {}
    derivation = f'import {{ {EXPONENTIAL} }} from "./numbers.js";\n' + _FUNCTION.sub("export ", derivation)

    def add(name: str, source: str) -> None:
        for _, imported in _IMPORT.findall(source):
            if imported not in joined:
                add(imported, derivation if imported == "derivation.js" else _script(imported))
        exports = ", ".join(_EXPORT.findall(source))
        body = _EXPORT.sub("", _IMPORT.sub(r'const \1 = modules["\2"];', source))
        joined[name] = f'modules["{name}"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n'

    add("main.js", _script("main.js"))
    return '"use strict";\n{\nconst modules = {};\n' + "".join(joined.values()) + "}\n"


def _script(name: str) -> str:
    return (TEMPLATES / "scripts" / name).read_text(encoding="utf-8")


def page_environment() -> Environment:
    """Make an environment in which every value is escaped for HTML."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {**FILTERS, "ink": ink_image, "heat": heat, "names": print_names}
    environment.globals |= {"prose": prose, "sentences": sentences}
    return environment
