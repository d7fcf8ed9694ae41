"""One HTML file that asks nobody for anything: layout, styles and scripts joined under a strict policy."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports.filters import FILTERS
from reports.prose import TEMPLATES, prose, sentences
from reports.views.formulas import print_names

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def render_document(environment: Environment, template: str, styles: Sequence[str], script: str, **context: Any) -> str:
    """Render a page that extends layout.html: text is escaped, what a template forgets to define is an error."""
    # Inside <style> and <script> nothing is escaped; the files are the project's own, and have no "</".
    style = "".join((TEMPLATES / "styles" / name).read_text(encoding="utf-8") for name in styles)
    return environment.get_template(template).render(
        style=Markup(style), script=Markup(script), policy=content_security_policy(style, script), **context
    )


def content_security_policy(style: str, script: str) -> str:
    """Allow the page's own style and script, and pictures that it carries itself, and nothing else: no request."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def join_scripts(entry: str, made: Mapping[str, str] | None = None) -> str:
    """Join a module and those that it imports into one script; `made` are modules that are no files.

    Each module becomes a function of its own, called after those that it imports, so no name leaves its module.
    """
    joined: dict[str, str] = {}

    def add(name: str) -> None:
        source = (made or {}).get(name) or (TEMPLATES / "scripts" / name).read_text(encoding="utf-8")
        for _, imported in _IMPORT.findall(source):
            if imported not in joined:
                add(imported)
        exports = ", ".join(_EXPORT.findall(source))
        body = _EXPORT.sub("", _IMPORT.sub(r'const \1 = modules["\2"];', source))
        joined[name] = f'modules["{name}"] = (() => {{\n{body}return {{ {exports} }};\n}})();\n'

    add(entry)
    return '"use strict";\n{\nconst modules = {};\n' + "".join(joined.values()) + "}\n"


def new_environment() -> Environment:
    """Make an environment in which every value is escaped for HTML."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES / "page", TEMPLATES / "check"]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {**FILTERS, "names": print_names}
    environment.globals |= {"prose": prose, "sentences": sentences}
    return environment
