"""Hand-made-looking sheets of the exercise for tests: any layout, any header spelling, mistakes planted on purpose."""

import random
from dataclasses import dataclass, field

import openpyxl
from openpyxl.utils import get_column_letter

from backprop.derivation import derive
from backprop.network import LEARNING_RATE, Preset
from backprop.networks.presets import PRESETS
from backprop.printers.excel import ExcelPrinter

PRESET = PRESETS["class-0.01-0.99"]
DERIVATION = derive(PRESET.network)
QUANTITIES = DERIVATION.columns
EXPRESSIONS = {e.name: e.expression for e in (*DERIVATION.forward, *DERIVATION.gradients)}
UPDATES = {e.name: e.expression for e in DERIVATION.updates}
SPELLINGS = {
    "E_total": ("E_tot", "E Total", "E_T", "Etotal", "E-total", "Total Error"),
    "gradient": ("∂E/∂w{}", "𝜕E/𝜕w{}", "δE/δw{}", "dE/dw{}", "∂E_total/∂w{}", "dw{}", "Edw{}", "∂E/∂W{}"),
    "bias gradient": ("∂E/∂b{}", "dE/db{}", "∂E_total/∂b{}", "dE_dB{}", "∂E/∂bias{}"),
    "activation": ("a_{}", "out_{}", "a{}", "out {}", "A_{}"),
}


@dataclass
class SheetPlan:
    """Where everything goes, and what is to be wrong."""

    seed: int = 0
    rows: int = 6
    top: int = 32
    left: int = 1
    shuffled: bool = False
    helpers: int = 0
    wrong: dict = field(default_factory=dict)
    """(quantity, row index from …) → expression in place of the right one, from that row on."""
    typed: dict = field(default_factory=dict)
    """(quantity, row index) → number."""
    unanchored: str | None = None
    preset: Preset = PRESET

    @property
    def derivation(self):
        return derive(self.preset.network)

    @property
    def quantities(self):
        """All columns: biases that stay as they are have one too."""
        return (*self.derivation.columns, *self.derivation.fixed_biases)


def write_sheet(path, plan):
    """Write the workbook; returns the cell address of each quantity at each row index."""
    numbers = random.Random(plan.seed)
    book = openpyxl.Workbook()
    sheet = book.active
    order = list(plan.quantities)
    if plan.shuffled:
        numbers.shuffle(order)
    for number in range(plan.helpers):
        order.insert(numbers.randrange(len(order)), f"note {number}")
    columns = {name: get_column_letter(plan.left + place) for place, name in enumerate(order)}
    eta = f"{get_column_letter(plan.left + 3)}{plan.top - 1}"
    sheet[eta] = 0.5
    sheet[f"{get_column_letter(plan.left + 2)}{plan.top - 1}"] = numbers.choice(["η =", "lr", "learning rate", "alpha"])
    for name, letter in columns.items():
        sheet[f"{letter}{plan.top}"] = spelled(name, numbers)
    derivation = plan.derivation
    expressions = {e.name: e.expression for e in (*derivation.forward, *derivation.gradients)}
    updates = {e.name: e.expression for e in derivation.updates}
    for index in range(plan.rows):
        for name in order:
            expression = updates.get(name, expressions.get(name))
            sheet[f"{columns[name]}{plan.top + 1 + index}"] = content(plan, columns, eta, name, index, expression)
    book.save(path)
    return lambda name, index: f"{columns[name]}{plan.top + 1 + index}"


def spelled(name, numbers):
    if name == "E_total":
        return numbers.choice(SPELLINGS["E_total"])
    if name.startswith("dE_dw"):
        return numbers.choice(SPELLINGS["gradient"]).format(name[-1])
    if name.startswith("dE_db"):
        return numbers.choice(SPELLINGS["bias gradient"]).format(name[-1])
    if name.startswith("a_"):
        return numbers.choice(SPELLINGS["activation"]).format(name[2:])
    return name if numbers.random() < 0.8 else f" {name} "


def content(plan, columns, eta, name, index, expression):
    row = plan.top + 1 + index
    if (name, index) in plan.typed:
        return plan.typed[name, index]
    update = name in plan.preset.values
    if update:
        if index == 0:
            return plan.preset.values[name]
        if expression is None:
            return f"={columns[name]}{row - 1}" if plan.seed % 2 else plan.preset.values[name]
    if expression is None:
        return "note"
    starts = [start for wrong, start in plan.wrong if wrong == name and start <= index]
    if starts:
        expression = plan.wrong[name, max(starts)]
    letters = eta.rstrip("0123456789")
    anchored = f"${letters}${eta[len(letters) :]}"
    if plan.unanchored == name:
        anchored = f"{letters}{int(eta[len(letters) :]) + index - 1}"
    where = row - 1 if update else row
    return ExcelPrinter(lambda s: anchored if s == LEARNING_RATE else f"{columns[s]}{where}").formula(expression)
