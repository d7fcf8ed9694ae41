"""Right sheets of the exercise as different people build them: any layout, header, place for η and way of writing."""

import math
import random
from dataclasses import dataclass, field

import numpy as np
import openpyxl
from evaluator import Evaluator, NumberError
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

WEIGHTS = [f"w{k}" for k in range(1, 9)]
CONSTANTS = ["t1", "t2", "i1", "i2"]
FORWARD = ["h1", "a_h1", "h2", "a_h2", "o1", "a_o1", "o2", "a_o2", "E1", "E2", "E_total"]
GRADIENTS = [f"dE_d{weight}" for weight in WEIGHTS]
QUANTITIES = [*CONSTANTS, *WEIGHTS, *FORWARD, *GRADIENTS]
PAIRED = [
    *("i1", "i2", "t1", "t2", *WEIGHTS, "h1", "h2", "a_h1", "a_h2", "o1", "o2", "a_o1", "a_o2"),
    *("E1", "E2", "E_total", *GRADIENTS),
]
HEADERS = {
    "∂": ("∂E/∂w{}", "𝜕E/𝜕w{}", "δE/δw{}", "dE/dw{}", "ðE/ðw{}", "∂E_total/∂w{}", "dw{}"),
    "a": ("a_{}", "out_{}", "A_{}", "a {}"),
    "h": ("{}", "net_{}", "Net {}"),
    "t": ("t{}", "target{}", "T{}", "y{}"),
    "i": ("i{}", "x{}", "input {}"),
    "E": ("E_tot", "E Total", "Etotal", "Error Total"),
}
NETS = ("{w}*{x}+{v}*{y}", "{x}*{w}+{y}*{v}", "SUM({w}*{x},{v}*{y})", "({w}*{x})+({v}*{y})")
PRODUCTS = "SUMPRODUCT({w}:{v},{x}:{y})"
SIGMOIDS = (
    *("1/(1+EXP(-{h}))", "(1+EXP(-{h}))^-1", "EXP({h})/(1+EXP({h}))", "1/(1+EXP(-1*{h}))", "1/(EXP(-{h})+1)"),
    *("POWER(1+EXP(-{h}),-1)", "1-1/(1+EXP({h}))"),
)
ERRORS = ("0.5*({t}-{a})^2", "({t}-{a})^2/2", "1/2*POWER({a}-{t},2)", "0.5*({t}-{a})*({t}-{a})", "50%*POW({a}-{t},2)")
DELTAS = ("({a}-{t})*{a}*(1-{a})", "-({t}-{a})*{a}*(1-{a})", "{a}*(1-{a})*({a}-{t})", "({a}-{t})*({a}-{a}^2)")
UPDATES = ("{w}-{eta}*{g}", "-{eta}*{g}+{w}", "{w}-({eta}*{g})", "{w}-{g}*{eta}", "_xlfn.SINGLE({w})-{eta}*@{g}")


@dataclass
class ForeignSheet:
    """A workbook as data, and where its quantities are."""

    columns: dict
    top: int
    rows: int
    cells: dict = field(default_factory=dict)
    """(sheet, row, column) → content."""
    names: dict = field(default_factory=dict)
    """Name → cell; `scoped` are known to the table's sheet alone."""
    scoped: bool = False
    table: bool = False
    arrays: dict = field(default_factory=dict)
    rate: tuple | None = None
    sheet: str = "Sheet1"
    style: str = ""
    points: int = 3
    """At how many random points a changed formula is held against the right one."""

    def cell(self, quantity, index):
        """Return the place of a quantity in an iteration."""
        return self.sheet, self.top + 1 + index, self.columns[quantity]

    def places(self, index):
        """Return row and column of each quantity of an iteration."""
        return [self.cell(quantity, index)[1:] for quantity in self.columns]

    def is_weight(self, quantity):
        """Return whether a quantity is carried over from the iteration before."""
        return quantity in WEIGHTS

    def evaluator(self, contents=None):
        """Return an evaluator, with other contents in some cells."""
        headers = {str(self.cells[self.sheet, self.top, c]): c for c in self.columns.values()}
        tables = {"Table1": (self.sheet, headers)}
        return Evaluator({**self.cells, **(contents or {})}, self.names, tables, self.arrays)

    def start(self, numbers):
        """Draw other starting weights, inputs, targets and η."""
        found = {self.cell(w, 0): numbers.choice((-1, 1)) * numbers.uniform(0.2, 0.9) for w in WEIGHTS}
        for name in CONSTANTS:
            number = numbers.uniform(0.2, 0.9)
            found |= {self.cell(name, k): number for k in range(self.rows)}
        return found | ({self.rate: numbers.uniform(0.3, 1.4)} if self.rate else {})

    def save(self, path):
        """Write the workbook without stored results."""
        book = openpyxl.Workbook()
        book.active.title = self.sheet
        members = {cell for group in self.arrays.values() for line in group for cell in line}
        for (sheet, row, column), content in self.cells.items():
            if sheet not in book.sheetnames:
                book.create_sheet(sheet)
            group = self.arrays.get((sheet, row, column))
            if group is not None:
                ends = (f"{get_column_letter(c)}{r}" for _, r, c in (group[0][0], group[-1][-1]))
                content = ArrayFormula(":".join(ends), content)
            if group is not None or (sheet, row, column) not in members:
                book[sheet].cell(row, column).value = content
        for name, (sheet, row, column) in self.names.items():
            defined = DefinedName(name, attr_text=f"{sheet}!${get_column_letter(column)}${row}")
            (book[self.sheet] if self.scoped else book).defined_names[name] = defined
        if self.table:
            left, right = (get_column_letter(pick(self.columns.values())) for pick in (min, max))
            book[self.sheet].add_table(
                Table(displayName="Table1", ref=f"{left}{self.top}:{right}{self.top + self.rows}")
            )
        book.save(path)


def draw_sheet(seed):
    """Build a right sheet, another one for each seed."""
    numbers = random.Random(seed)
    order = numbers.choice((QUANTITIES, PAIRED, numbers.sample(QUANTITIES, len(QUANTITIES))))
    deltas = numbers.random() < 0.3
    names = [*order, *(["d1", "d2"] if deltas else [])]
    table = numbers.random() < 0.15
    gap = 0 if table else numbers.choice((0, 0, 0, 7))
    left = numbers.choice((1, 1, 2, 5))
    columns = {name: left + k + (gap > 0 and k >= gap) for k, name in enumerate(names)}
    sheet = ForeignSheet(columns, numbers.choice((32, 3, 7, 20)), numbers.randint(3, 9), table=table)
    _write_headers(sheet, numbers, deltas)
    _write_formulas(sheet, numbers, deltas, _place_rate(sheet, numbers))
    _make_arrays(sheet, numbers)
    return sheet


def _write_headers(sheet, numbers, deltas):
    styles = {kind: numbers.choice(texts) for kind, texts in HEADERS.items()}
    if deltas:
        sheet.cells |= {sheet.cell("d1", -1): "delta one", sheet.cell("d2", -1): "delta two"}
    for name in QUANTITIES:
        kind = (
            "∂"
            if name in GRADIENTS
            else "a"
            if name[:2] == "a_"
            else "E"
            if name == "E_total"
            else name[0].replace("o", "h")
        )
        text = styles[kind] if kind in styles and name not in ("E1", "E2") else "{}"
        text = text.format(name[5:] if kind == "∂" else name[2:] if kind == "a" else name[1:] if kind in "ti" else name)
        text = text.replace("w", "w") if kind != "∂" else styles["∂"].format(name[-1])
        sheet.cells[sheet.cell(name, -1)] = text if numbers.random() < 0.8 or sheet.table else f" {text} "


def _place_rate(sheet, numbers):
    """Put η somewhere; returns how the updates write it."""
    kind = numbers.choice(("above", "above", "name", "scoped", "other sheet", "copy", "typed"))
    sheet.style = kind
    if kind == "typed":
        return "0.5"
    sheet.rate = (sheet.sheet, 1, 3) if kind != "other sheet" else ("Data", 4, 2)
    sheet.cells[sheet.rate] = 0.5
    if kind in ("name", "scoped"):
        sheet.names["rate"], sheet.scoped = sheet.rate, kind == "scoped"
        return "rate"
    if kind == "copy":
        sheet.cells[sheet.sheet, 1, 5] = "=C1"
        return "$E$1"
    return "Data!$B$4" if kind == "other sheet" else "$C$1"


def _write_formulas(sheet, numbers, deltas, eta):
    net, sigmoid, error, update = map(numbers.choice, (NETS, SIGMOIDS, ERRORS, UPDATES))
    delta = numbers.choice(DELTAS)
    pairs = [("w1", "w2"), ("w3", "w4"), ("w5", "w6"), ("w7", "w8"), ("i1", "i2"), ("a_h1", "a_h2")]
    are_beside = all(sheet.columns[b] - sheet.columns[a] == 1 for a, b in pairs)
    if are_beside and not sheet.table and numbers.random() < 0.5:
        net = PRODUCTS
    formulas = {}
    for name, (w, v), (x, y) in zip(("h1", "h2", "o1", "o2"), pairs[:4], [pairs[4]] * 2 + [pairs[5]] * 2, strict=True):
        formulas[name] = fill(net, w=w, v=v, x=x, y=y)
        formulas[f"a_{name}"] = fill(sigmoid, h=name)
    d = {}
    for k in "12":
        formulas[f"E{k}"] = fill(error, t=f"t{k}", a=f"a_o{k}")
        d[k] = fill(delta, t=f"t{k}", a=f"a_o{k}")
        if deltas:
            formulas[f"d{k}"], d[k] = d[k], f"{{d{k}}}"
    formulas["E_total"] = numbers.choice(("{E1}+{E2}", "SUM({E1},{E2})", "{E2}+{E1}"))
    for number, weight in enumerate(WEIGHTS):
        if number < 4:
            h, x = f"a_h{number // 2 + 1}", f"i{number % 2 + 1}"
            back = f"({d['1']}*{{w{5 + number // 2}}}+{d['2']}*{{w{7 + number // 2}}})"
            formulas[f"dE_d{weight}"] = f"{back}*{{{h}}}*(1-{{{h}}})*{{{x}}}"
        else:
            formulas[f"dE_d{weight}"] = f"{d['1' if number < 6 else '2']}*{{a_h{number % 2 + 1}}}"
    repeat = numbers.choice(("typed", "typed", "copied", "fixed"))
    prefix = numbers.choice(("=", "=", "=", "=="))
    start = {name: round(numbers.uniform(0.05, 0.95), 2) for name in (*CONSTANTS, *WEIGHTS)}
    for index in range(sheet.rows):
        for name in sheet.columns:
            cell = sheet.cell(name, index)
            if name in CONSTANTS:
                above = sheet.cell(name, 0 if repeat == "fixed" else index - 1)
                copy = f"={'$' * (repeat == 'fixed')}{get_column_letter(above[2])}{'$' * (repeat == 'fixed')}{above[1]}"
                sheet.cells[cell] = start[name] if repeat == "typed" or not index else copy
            elif name in WEIGHTS and not index:
                sheet.cells[cell] = start[name]
            else:
                row = index - 1 if name in WEIGHTS else index
                text = update if name in WEIGHTS else formulas[name]
                places = _Places(sheet, row, eta, name)
                sheet.cells[cell] = prefix + text.format_map(places)


def fill(template, **names):
    """Put quantities into a template: {w} becomes {w1}."""
    return template.format(**{key: f"{{{name}}}" for key, name in names.items()})


class _Places(dict):
    """How a formula writes quantities of a row."""

    def __init__(self, sheet, index, eta, name):
        super().__init__(eta=eta)
        self.sheet, self.index = sheet, index
        if name in WEIGHTS:
            self["w"], self["g"] = self[name], self[f"dE_d{name}"]
        self.structured = sheet.table and name not in WEIGHTS

    def __missing__(self, name):
        sheet, row, column = self.sheet.cell(name, self.index)
        if getattr(self, "structured", False):
            return f"Table1[[#This Row],[{self.sheet.cells[sheet, self.sheet.top, column]}]]"
        return f"{get_column_letter(column)}{row}"


def _make_arrays(sheet, numbers):
    """Write a column, or a pair of cells in each row, as array formulas."""
    if sheet.table or numbers.random() < 0.8:
        return
    first, last = sheet.cell("E_total", 0), sheet.cell("E_total", sheet.rows - 1)
    ends = [
        [f"{get_column_letter(c)}{r}" for _, r, c in (sheet.cell(e, 0), sheet.cell(e, sheet.rows - 1))]
        for e in ("E1", "E2")
    ]
    sheet.cells[first] = f"={ends[0][0]}:{ends[0][1]}+{ends[1][0]}:{ends[1][1]}"
    sheet.arrays[first] = [[sheet.cell("E_total", k)] for k in range(sheet.rows)]
    for cell in [sheet.cell("E_total", k) for k in range(1, sheet.rows)]:
        del sheet.cells[cell]
    assert first[2] == last[2]


def wrong_cells(sheet, contents, seed=0):
    """Return the cells of some new contents that give another number in the right sheet, each put there alone.

    A typed number may be rounded, and is held against what the right formula gives in its own row: earlier typed ones
    have moved the numbers there.
    """
    numbers = random.Random(seed)
    rights = [sheet.evaluator(sheet.start(numbers)) for _ in range(sheet.points)]
    own = sheet.evaluator(contents)
    found = set()
    for cell, content in contents.items():
        typed = not isinstance(content, str) and content is not None
        formula = sheet.cells[cell] if typed else None
        if cell in sheet.arrays:
            found |= {member for evaluator in rights for member in _differing_members(evaluator, sheet, cell, content)}
        elif any(differ(evaluator, cell, content, formula) for evaluator in ([own] if typed else rights)):
            found.add(cell)
    return found


def _differing_members(evaluator, sheet, cell, content):
    """Return the cells of an array formula to which another one gives another number."""
    members = [member for line in sheet.arrays[cell] for member in line]
    shape = len(sheet.arrays[cell]), len(sheet.arrays[cell][0])
    try:
        numbers = np.atleast_2d(evaluator.compute(content, cell))
    except (NumberError, ValueError):
        return members
    # One row or column fills all; what is left over is not shown, and what is missing is an error.
    repeats = [size if own == 1 else 1 for size, own in zip(shape, numbers.shape, strict=True)]
    part = np.tile(numbers, repeats)[: shape[0], : shape[1]]
    shown = np.full(shape, np.nan)
    shown[: part.shape[0], : part.shape[1]] = part
    pairs = zip(members, shown.ravel(), strict=True)
    return [m for m, a in pairs if not math.isclose(a, evaluator.value(m), rel_tol=1e-8, abs_tol=1e-12)]


def differ(evaluator, cell, content, typed):
    """Return whether a content gives another number than the right one; `typed` is the formula that it replaces."""
    right = evaluator.content(typed, cell) if typed else evaluator.value(cell)
    try:
        number = evaluator.content(content, cell)
    except (NumberError, RecursionError, ValueError):
        return True
    if content is None:
        return True  # an empty cell is none of the exercise's, whatever 0 does
    if typed:
        digits = repr(float(content)).partition("e")[0].partition(".")[2]
        unit = 10.0 ** -(len(digits) if digits != "0" else 0)
        return abs(number - right) > max(min(0.501 * unit, 0.05 * abs(right)), 1e-9 * abs(right))
    return abs(number - right) > 1e-8 * max(abs(number), abs(right)) + 1e-12
