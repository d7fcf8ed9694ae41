"""Text forms of a derivation (plain text, LaTeX, MathML, JSON) and of a run's numbers (CSV, JSON)."""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from backprop.derivation import Derivation, Equation, proved_parameters, verify_gradients
from backprop.panels import Panel, panels
from backprop.printers.excel import ExcelPrinter
from backprop.printers.javascript import JavaScriptPrinter, step_function
from backprop.printers.latex import LatexPrinter
from backprop.printers.mathml import MathMLPrinter, math
from backprop.printers.text import TextPrinter
from backprop.sheet.layout import main_table
from backprop.simulate import Trace


def _format_text(derivation: Derivation) -> str:
    """Return the panels with their reasons, the updates and the verified identities."""
    printer = TextPrinter()
    blocks = [_text_panel(panel, printer) for panel in panels(derivation)]
    updates = [f"  next {printer.print(e.symbol)} = {printer.print(e.expression)}" for e in derivation.updates]
    proofs = [f"  {'holds' if p.holds else 'FAILS'}: {p.statement}" for p in verify_gradients(derivation)]
    others = len(derivation.gradients) - len(proved_parameters(derivation.network))
    proofs += [f"  not computed: the {others} others, which differ from these in their names alone"] if others else []
    blocks += ["\n".join(["Update, once per iteration", *updates]), "\n".join(["Proofs", *proofs])]
    return "\n\n".join(blocks) + "\n"


def _text_panel(panel: Panel, printer: TextPrinter) -> str:
    lines = [f"{panel.number}  {panel.title}"]
    for line in panel.lines:
        lines += [f"  {' = '.join(map(printer.print, line.terms))}", f"      {line.meaning}"]
    return "\n".join(lines)


def _format_latex(derivation: Derivation) -> str:
    """Return one align* environment per panel (amsmath), and one for the updates."""
    printer = LatexPrinter()
    blocks = [
        _latex_block(f"{panel.number}  {panel.title}", [list(map(printer.print, line.terms)) for line in panel.lines])
        for panel in panels(derivation)
    ]
    updates = [[printer.print(e.symbol), printer.print(e.expression)] for e in derivation.updates]
    return "\n".join([*blocks, _latex_block("Update: the left side is the next iteration's", updates, r"\leftarrow")])


def _latex_block(title: str, rows: list[list[str]], sign: str = "=") -> str:
    lines = [f"  {row[0]} &{sign} {' = '.join(row[1:])}" for row in rows]
    joined = " \\\\\n".join(lines)
    return f"% {title}\n\\begin{{align*}}\n{joined}\n\\end{{align*}}\n"


def _format_mathml(derivation: Derivation) -> str:
    """Return one <math> element per line of the panels, ready for a web page."""
    printer = MathMLPrinter()
    lines = []
    for panel in panels(derivation):
        lines.append(f"<!-- {panel.number}  {panel.title} -->")
        lines += [math(*map(printer.print, line.terms)) for line in panel.lines]
    return "\n".join(lines) + "\n"


def _format_json(derivation: Derivation) -> str:
    """Return every equation in every notation; Excel formulas are those of the workbook's first row."""
    text = TextPrinter()
    record = {
        "columns": derivation.columns,
        "panels": [
            {
                "number": panel.number,
                "title": panel.title,
                "lines": [{"terms": list(map(text.print, e.terms)), "meaning": e.meaning} for e in panel.lines],
            }
            for panel in panels(derivation)
        ],
        "forward": _equations(derivation, derivation.forward),
        "gradients": _equations(derivation, derivation.gradients),
        "updates": _equations(derivation, derivation.updates),
        "proofs": [
            {"statement": p.statement, "remainder": str(p.remainder), "holds": p.holds}
            for p in verify_gradients(derivation)
        ],
        "javascript": step_function(derivation),
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _equations(derivation: Derivation, equations: tuple[Equation, ...]) -> list[dict[str, Any]]:
    place = main_table(derivation, iterations=1)
    printers: dict[str, Callable[[Any], str]] = {
        "text": TextPrinter().print,
        "latex": LatexPrinter().print,
        "mathml": MathMLPrinter().print,
        "javascript": JavaScriptPrinter().print,
        "excel": ExcelPrinter(lambda name: place.reference(name, place.first_row)).formula,
    }
    return [
        {"symbol": e.name, "meaning": e.meaning, **{kind: print_(e.expression) for kind, print_ in printers.items()}}
        for e in equations
    ]


def _format_trace_csv(trace: Trace) -> Iterator[str]:
    """Yield a header and one line per complete iteration; numbers as repr(float(x)), to the last digit."""
    yield ",".join(trace.columns) + "\n"
    for row in trace.complete:
        yield ",".join(map(repr, row.tolist())) + "\n"


def _format_trace_json(trace: Trace) -> Iterator[str]:
    """Yield a list of objects, one per complete iteration, one iteration a line."""
    separator = "["
    for row in trace.complete:
        yield separator + json.dumps(dict(zip(trace.columns, row.tolist(), strict=True)))
        separator = ",\n"
    yield "]\n" if separator != "[" else "[]\n"


DERIVATION_FORMATS: Mapping[str, Callable[[Derivation], str]] = MappingProxyType(
    {"text": _format_text, "latex": _format_latex, "mathml": _format_mathml, "json": _format_json}
)
TRACE_FORMATS: Mapping[str, Callable[[Trace], Iterator[str]]] = MappingProxyType(
    {"csv": _format_trace_csv, "json": _format_trace_json}
)
"""Both by the names that `--format` takes."""
