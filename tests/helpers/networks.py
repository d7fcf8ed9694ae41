"""Right sheets that train other networks, of any layers, loss, samples and layout."""

import math
import random
from dataclasses import dataclass, field

from foreign import ForeignSheet
from openpyxl.utils import get_column_letter

ACTIVATIONS = {
    "sigmoid": (("1/(1+EXP(-{h}))", "EXP({h})/(1+EXP({h}))"), "{a}*(1-{a})"),
    "tanh": (("TANH({h})",), "(1-{a}^2)"),
    "relu": (("IF({h}>0,{h},0)", "MAX(0,{h})"), "IF({h}>0,1,0)"),
    "linear": (("{h}",), "1"),
}
LAYOUTS = ("rows", "rows", "right", "blocks", "blocks", "update rows", "matrices")
HEADERS = {
    **dict.fromkeys("wb", "{}"),
    "x": "in {}",
    "t": "goal {}",
    "h": "net {}",
    "a": "out {}",
    "D": "delta {}",
    "E": "err {}",
    "g": "grad {}",
}


@dataclass
class Plan:
    """A network and how it is written down."""

    sizes: list
    activations: list
    loss: str
    """half, full, mean (of outputs, no ½), cross (binary), softmax."""
    biases: bool
    samples: list
    """(inputs, targets)"""
    joined: str
    """SUM or AVERAGE over the samples."""
    deltas: bool
    layout: str
    named: bool
    momentum: float = 0.0
    rate: str = "cell"
    """cell, or typed into each update."""


@dataclass
class NetworkSheet(ForeignSheet):
    """The sheet of a plan."""

    plan: Plan | None = None
    spots: dict = field(default_factory=dict)
    """Quantity → (row, column) within an iteration."""
    stride: tuple = (1, 0)
    weights: list = field(default_factory=list)
    formulas: dict = field(default_factory=dict)
    points: int = 60  # one of two ReLUs in a row is dead at most of them

    def cell(self, quantity, index):
        row, column = self.spots[quantity]
        return self.sheet, self.top + 1 + row + index * self.stride[0], column + index * self.stride[1]

    def places(self, index):
        return [self.cell(quantity, index)[1:] for quantity in self.spots]

    def is_weight(self, quantity):
        return quantity in self.weights

    def evaluator(self, contents=None):
        sheet = ForeignSheet({}, self.top, self.rows, {**self.cells}, arrays=self.arrays)
        return ForeignSheet.evaluator(sheet, contents)

    def start(self, numbers):
        """Draw other starting weights; data and η stay."""
        return {self.cell(w, 0): numbers.choice((-1, 1)) * numbers.uniform(0.2, 0.9) for w in self.weights}

    @property
    def backward(self):
        """The quantities between the error and the updates."""
        return [q for q in self.formulas if q[0] in "gDm"]

    @property
    def forward(self):
        """The quantities of the forward pass, and the error."""
        return [q for q in self.formulas if q[0] in "haE"]


def draw_plan(numbers):
    """Draw a network and a layout that can hold it."""
    layers = numbers.choice((1, 2, 2, 2, 3))
    sizes = [numbers.randint(1, 5) for _ in range(layers + 1)]
    loss = numbers.choice(("half", "half", "half", "full", "mean", "cross", "softmax"))
    hidden = numbers.choice(("sigmoid", "sigmoid", "tanh", "relu"))
    activations = [hidden] * (layers - 1) + [numbers.choice(("sigmoid", "sigmoid", "tanh", "linear"))]
    layout = numbers.choice(LAYOUTS)
    if loss == "softmax":
        sizes[-1] = max(2, sizes[-1])
    activations[-1] = {"cross": "sigmoid", "softmax": "softmax"}.get(loss, activations[-1])
    if layout == "matrices":
        loss = "half" if loss in ("softmax", "cross") else loss
        activations = [a if a in ("sigmoid", "tanh") else "sigmoid" for a in activations]
        sizes = [max(2, size) for size in sizes]
    count = 1 if layout in ("update rows", "matrices") else numbers.choice((1, 1, 2, 3))
    samples = [_draw_sample(numbers, sizes, loss) for _ in range(count)]
    return Plan(
        sizes, activations, loss, layout != "matrices" and numbers.random() < 0.5, samples,
        numbers.choice(("SUM", "AVERAGE")), numbers.random() < 0.6 or layout == "matrices", layout,
        numbers.random() < 0.7, 0.8 if layout == "rows" and numbers.random() < 0.2 else 0.0,
        numbers.choice(("cell", "cell", "typed")),
    )  # fmt: skip


def _draw_sample(numbers, sizes, loss):
    inputs = [round(numbers.uniform(0.1, 0.95), 2) for _ in range(sizes[0])]
    if loss == "softmax":
        return inputs, [float(k == 0) for k in range(sizes[-1])]
    if loss == "cross":
        return inputs, [float(numbers.random() < 0.5) for _ in range(sizes[-1])]
    return inputs, [round(numbers.uniform(0.1, 0.9), 2) for _ in range(sizes[-1])]


def draw_network_sheet(seed):
    """Build a right sheet, another one for each seed."""
    numbers = random.Random(seed)
    plan = draw_plan(numbers)
    sheet = NetworkSheet({}, numbers.choice((3, 6, 11)), numbers.randint(4, 7), plan=plan)
    sheet.weights = [*_list_weights(plan)]
    sheet.rate = (sheet.sheet, 1, 3)
    sheet.cells[sheet.rate] = 0.5
    write = _write_matrices if plan.layout == "matrices" else _write_cells
    write(sheet, numbers)
    return sheet


def _list_weights(plan):
    for layer in range(1, len(plan.sizes)):
        for j in range(plan.sizes[layer]):
            yield from (f"w{layer}_{i}_{j}" for i in range(plan.sizes[layer - 1]))
            if plan.biases:
                yield f"b{layer}_{j}"


def _factor(plan):
    """Return c of c·(y - t), the derivative of one sample's error by an output."""
    return {"half": 1.0, "full": 2.0, "mean": 2.0 / plan.sizes[-1]}[plan.loss]


def write_sample(plan, numbers, s):
    """Return the formulas of one sample; {w1_0_0} stands for a cell."""
    last, found = len(plan.sizes) - 1, {}
    forms = {name: numbers.choice(texts) for name, (texts, _) in ACTIVATIONS.items()}
    out = lambda layer, i: f"{{x{i}_{s}}}" if layer == 0 else f"{{a{layer}_{i}_{s}}}"  # noqa: E731
    for layer in range(1, last + 1):
        name, nets = plan.activations[layer - 1], range(plan.sizes[layer])
        for j in nets:
            terms = [f"{{w{layer}_{i}_{j}}}*{out(layer - 1, i)}" for i in range(plan.sizes[layer - 1])]
            found[f"h{layer}_{j}_{s}"] = "+".join([*terms, *([f"{{b{layer}_{j}}}"] if plan.biases else [])])
        for j in nets:
            h = f"{{h{layer}_{j}_{s}}}"
            if name == "softmax":
                found[f"a{layer}_{j}_{s}"] = f"EXP({h})/(" + "+".join(f"EXP({{h{layer}_{k}_{s}}})" for k in nets) + ")"
            else:
                found[f"a{layer}_{j}_{s}"] = forms[name].replace("{h}", h)
    y, t = [f"{{a{last}_{q}_{s}}}" for q in range(plan.sizes[-1])], [f"{{t{q}_{s}}}" for q in range(plan.sizes[-1])]
    pairs = list(zip(y, t, strict=True))
    if plan.loss == "cross":
        found[f"E_{s}"] = "-(" + "+".join(f"{b}*LN({a})+(1-{b})*LN(1-{a})" for a, b in pairs) + ")"
    elif plan.loss == "softmax":
        found[f"E_{s}"] = "-(" + "+".join(f"{b}*LN({a})" for a, b in pairs) + ")"
    else:
        total = "+".join(f"({b}-{a})^2" for a, b in pairs)
        found[f"E_{s}"] = {"half": f"({total})/2", "full": total, "mean": f"({total})/{len(y)}"}[plan.loss]
    back = {}
    for q, (a, b) in enumerate(pairs):
        slope = _slope(plan, last, q, s)
        if plan.loss in ("cross", "softmax"):
            slope, factor = "1", ""
        else:
            factor = "" if _factor(plan) == 1 else f"{_factor(plan)!r}*"
        back[q] = f"{factor}({a}-{b})" + ("" if slope == "1" else f"*{slope}")
    for layer in range(last, 0, -1):
        for j in range(plan.sizes[layer]):
            if plan.deltas:
                found[f"D{layer}_{j}_{s}"] = back[j]
            delta = f"{{D{layer}_{j}_{s}}}" if plan.deltas else back[j]
            for i in range(plan.sizes[layer - 1]):
                found[f"g_w{layer}_{i}_{j}_{s}"] = f"{delta}*{out(layer - 1, i)}"
            if plan.biases:
                found[f"g_b{layer}_{j}_{s}"] = delta
            back[j] = delta
        if layer > 1:
            below = {}
            for i in range(plan.sizes[layer - 1]):
                total = "+".join(f"{back[j]}*{{w{layer}_{i}_{j}}}" for j in range(plan.sizes[layer]))
                slope = _slope(plan, layer - 1, i, s)
                below[i] = f"({total})" + ("" if slope == "1" else f"*{slope}")
            back = below
    return found


def _slope(plan, layer, j, s):
    name = plan.activations[layer - 1]
    if name == "softmax":
        return "1"
    return ACTIVATIONS[name][1].replace("{h}", f"{{h{layer}_{j}_{s}}}").replace("{a}", f"{{a{layer}_{j}_{s}}}")


def _write_cells(sheet, numbers):
    plan, count = sheet.plan, len(sheet.plan.samples)
    state = numbers.getstate()
    for s in range(count):
        numbers.setstate(state)  # all samples are written alike
        sheet.formulas |= write_sample(plan, numbers, s)
    totals = ["E", *(f"g_{w}" for w in sheet.weights)]
    for q in totals if count > 1 else ():
        sheet.formulas[q] = f"{plan.joined}({{{q}_0}}:{{{q}_{count - 1}}})"
    end = "" if count > 1 else "_0"
    for w in sheet.weights if plan.momentum else ():
        sheet.formulas[f"m_{w}"] = f"{plan.momentum}*{{<m_{w}}}+{{g_{w}{end}}}"
    rate = "0.5" if plan.rate == "typed" else "$C$1"
    step = "m_{w}" if plan.momentum else f"g_{{w}}{end}"
    form = numbers.choice(("{{<{w}}}-{eta}*{{<{g}}}", "-{eta}*{{<{g}}}+{{<{w}}}", "{{<{w}}}-{{<{g}}}*{eta}"))
    for w in sheet.weights:
        sheet.formulas[w] = form.format(w=w, eta=rate, g=step.format(w=w))
    data = {f"x{i}_{s}": v for s, (x, _) in enumerate(plan.samples) for i, v in enumerate(x)}
    data |= {f"t{q}_{s}": v for s, (_, t) in enumerate(plan.samples) for q, v in enumerate(t)}
    _place(sheet, [*data, *sheet.weights, *(q for q in sheet.formulas if q not in sheet.weights)])
    _fill(sheet, data, numbers)


def _place(sheet, names):
    plan, count = sheet.plan, len(sheet.plan.samples)
    if plan.layout == "update rows":
        _place_update_rows(sheet, names)
    elif plan.layout == "blocks":
        single = list(dict.fromkeys(q.rpartition("_")[0] for q in names if _is_sample(q)))
        column = {q: 2 + k for k, q in enumerate(single)}
        for q in names:
            base, _, s = q.rpartition("_")
            if _is_sample(q):
                sheet.spots[q] = int(s), column[base]
            elif q in column:
                sheet.spots[q] = count, column[q]
        for k, w in enumerate(sheet.weights):
            sheet.spots[w] = 0, 3 + len(single) + k
        sheet.stride = (count + 2, 0)
    else:
        # Samples of a quantity stand side by side, so that a range can add them.
        order = sorted(
            names, key=lambda q: names.index(q.rpartition("_")[0] + "_0") if _is_sample(q) else names.index(q)
        )
        for k, q in enumerate(order):
            sheet.spots[q] = (k, 2) if plan.layout == "right" else (0, 1 + k)
        sheet.stride = (0, 1) if plan.layout == "right" else (1, 0)


def _is_sample(quantity):
    """Return whether a quantity is one of a sample: x0_1, h1_0_1, E_1, g_w1_0_0_1."""
    parts = {"x": 1, "t": 1, "h": 2, "a": 2, "D": 2, "E": 1}.get(quantity[0])
    if quantity[0] == "g":
        parts = 4 if quantity[2] == "w" else 3
    return parts is not None and quantity.count("_") == parts


def _place_update_rows(sheet, names):
    """Put new weights and gradients into a second row; the next iteration repeats the new weights."""
    first = [q for q in names if q[0] != "g"]
    for k, q in enumerate(first):
        sheet.spots[q] = 0, 2 + k
    for k, w in enumerate(sheet.weights):
        sheet.spots[f"n_{w}"] = 1, sheet.spots[w][1]
        sheet.spots[f"g_{w}_0"] = 1, 3 + len(first) + k
    for w in sheet.weights:
        sheet.formulas[f"n_{w}"] = sheet.formulas[w].replace("{<", "{")
        sheet.formulas[w] = f"{{<n_{w}}}"
    sheet.stride = (2, 0)


class _Places(dict):
    def __init__(self, sheet, index):
        super().__init__()
        self.sheet, self.index = sheet, index

    def __missing__(self, name):
        _, row, column = self.sheet.cell(name.lstrip("<"), self.index - (name[0] == "<"))
        return f"{get_column_letter(column)}{row}"


def _fill(sheet, data, numbers):
    for k in range(sheet.rows):
        for q in sheet.spots:
            cell = sheet.cell(q, k)
            if q in data:
                sheet.cells[cell] = data[q]
            elif k == 0 and q in sheet.weights:
                sheet.cells[cell] = round(numbers.choice((-1, 1)) * numbers.uniform(0.1, 0.9), 2)
            elif k == 0 and q[:2] == "m_":
                sheet.cells[cell] = "=" + sheet.formulas[q].partition("+")[2].format_map(_Places(sheet, k))
            else:
                sheet.cells[cell] = "=" + sheet.formulas[q].format_map(_Places(sheet, k))
    for q in sheet.spots if sheet.plan.named else ():
        _, row, column = sheet.cell(q, 0)
        word = HEADERS.get(q[0], "new {}").format(q.split("_", 1)[-1] if q[0] in "gm" else q)
        label = (sheet.sheet, row, column - 1) if sheet.plan.layout == "right" else (sheet.sheet, sheet.top, column)
        sheet.cells.setdefault(label, word)


def _write_matrices(sheet, numbers):
    """Write each layer as matrix formulas: weights, net inputs, activations and factors in blocks side by side."""
    plan, last, left = sheet.plan, len(sheet.plan.sizes) - 1, 2
    areas = {"x": (0, left, plan.sizes[0], 1), "t": (0, left + 1, plan.sizes[-1], 1)}
    left += 3
    height = max(plan.sizes)
    for layer in range(1, last + 1):
        rows, columns = plan.sizes[layer], plan.sizes[layer - 1]
        areas[f"W{layer}"], left = (0, left, rows, columns), left + columns + 1
        for name in ("h", "a"):
            areas[f"{name}{layer}"], left = (0, left, rows, 1), left + 2
        areas[f"D{layer}"] = (height + 1, areas[f"h{layer}"][1], rows, 1)
        areas[f"g{layer}"] = (height + 1, areas[f"W{layer}"][1], rows, columns)
    areas["E"] = (0, left, 1, 1)
    sheet.stride = (2 * height + 3, 0)
    for name, (row, column, rows, columns) in areas.items():
        for i in range(rows):
            for j in range(columns):
                sheet.spots[_member(name, i, j)] = row + i, column + j
    activation = {"sigmoid": "1/(1+EXP(-{h}))", "tanh": "TANH({h})"}
    slope = {"sigmoid": "{a}*(1-{a})", "tanh": "(1-{a}^2)"}
    whole = {}
    for layer in range(1, last + 1):
        whole[f"h{layer}"] = f"MMULT({{W{layer}}},{{{f'a{layer - 1}' if layer > 1 else 'x'}}})"
        whole[f"a{layer}"] = activation[plan.activations[layer - 1]].replace("{h}", f"{{h{layer}}}")
        steep = slope[plan.activations[layer - 1]].replace("{a}", f"{{a{layer}}}")
        error = f"{_factor(plan)!r}*({{a{layer}}}-{{t}})"
        whole[f"D{layer}"] = (
            f"{error}*{steep}" if layer == last else f"MMULT(TRANSPOSE({{W{layer + 1}}}),{{D{layer + 1}}})*{steep}"
        )
        whole[f"g{layer}"] = f"MMULT({{D{layer}}},TRANSPOSE({{{f'a{layer - 1}' if layer > 1 else 'x'}}}))"
    share = {"half": "/2", "full": "", "mean": f"/{plan.sizes[-1]}"}[plan.loss]
    whole["E"] = f"SUMPRODUCT(({{t}}-{{a{last}}})*({{t}}-{{a{last}}})){share}"
    rate = "0.5" if plan.rate == "typed" else "$C$1"
    for layer in range(1, last + 1):
        whole[f"W{layer}"] = f"{{<W{layer}}}-{rate}*{{<g{layer}}}"
    sheet.weights = [q for name in areas if name[0] == "W" for q in _members(areas, name)]
    for k in range(sheet.rows):
        places = _Areas(sheet, areas, k)
        for name in areas:
            members = _members(areas, name)
            cells = [sheet.cell(q, k) for q in members]
            if name in ("x", "t"):
                sheet.cells |= dict(zip(cells, plan.samples[0][name == "t"], strict=True))
            elif k == 0 and name[0] == "W":
                sheet.cells |= {c: round(numbers.choice((-1, 1)) * numbers.uniform(0.1, 0.9), 2) for c in cells}
            else:
                sheet.cells[cells[0]] = "=" + whole[name].format_map(places)
                width = areas[name][3]
                if name != "E":
                    sheet.arrays[cells[0]] = [cells[n : n + width] for n in range(0, len(cells), width)]
    sheet.formulas = {_member(name, 0, 0): text for name, text in whole.items()}


def _member(name, i, j):
    return f"w{name[1:]}_{j}_{i}" if name[0] == "W" else f"{name}_{i}_{j}" if name != "E" else "E"


def _members(areas, name):
    _, _, rows, columns = areas[name]
    return [_member(name, i, j) for i in range(rows) for j in range(columns)]


class _Areas(dict):
    def __init__(self, sheet, areas, index):
        super().__init__()
        self.sheet, self.areas, self.index = sheet, areas, index

    def __missing__(self, name):
        index, members = self.index - (name[0] == "<"), _members(self.areas, name.lstrip("<"))
        ends = [self.sheet.cell(q, index) for q in (members[0], members[-1])]
        first, last = (f"{get_column_letter(c)}{r}" for _, r, c in ends)
        return first if len(members) == 1 else f"{first}:{last}"


def hold_against_differences(sheet, index, numbers):
    """Assert that the updates of an iteration follow the error's central differences, at random weights."""
    weights = {sheet.cell(w, index): numbers.choice((-1, 1)) * numbers.uniform(0.2, 0.9) for w in sheet.weights}
    momentum = {sheet.cell(q, index - 1): 0.0 for q in sheet.formulas if q[:2] == "m_"} if index else {}
    error = sheet.cell("E" if "E" in sheet.spots else "E_0", index)

    def value(changed, cell):
        contents = {**momentum, **weights, **changed}
        calculator = sheet.evaluator(contents)
        calculator.values |= contents  # a matrix formula fills these cells otherwise
        return calculator.value(cell)

    for w in sheet.weights:
        cell = sheet.cell(w, index)
        ends = [value({cell: weights[cell] + h}, error) for h in (1e-5, -1e-5)]
        after = value({}, sheet.cell(w, index + 1))
        right = weights[cell] - 0.5 * (ends[0] - ends[1]) / 2e-5
        assert math.isclose(after, right, rel_tol=1e-6, abs_tol=1e-7), (w, after, right)
