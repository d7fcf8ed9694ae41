"""Seven engines that compute every number of a run, each from cases to one array of columns per case.

The first two run the derived equations in other arithmetic. torch differentiates a network that is written down here
once more, as matrices. Three spreadsheet engines compute the exported formulas, a JavaScript engine the printed
functions.
"""

import json
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import openpyxl

from backprop.crosscheck import spreadsheets
from backprop.crosscheck.spreadsheets import MissingEngineError, Spreadsheet
from backprop.derivation import Derivation, derive
from backprop.network import ACTIVATION_NAMES, CROSS_ENTROPY, MEAN_SQUARED, TOTAL_ERROR, Preset, gradient_name
from backprop.printers.javascript import step_function
from backprop.sheet.layout import main_table
from backprop.sheet.workbook import WorkbookOptions, build_workbook
from backprop.simulate import Floats, simulate_many, simulate_precisely

_TIMEOUT = 300  # seconds for an outside program


@dataclass(frozen=True)
class Case:
    """One run to compute: a network with its numbers, a learning rate, and how many iterations."""

    preset: Preset
    learning_rate: float
    iterations: int

    @property
    def derivation(self) -> Derivation:
        """The case's equations."""
        return derive(self.preset.network)


@dataclass(frozen=True)
class Engine:
    """A function from cases to one array (iterations, columns) per case."""

    name: str
    compute: Callable[[Sequence[Case]], list[Floats]]


def compute_with_sympy(cases: Sequence[Case]) -> list[Floats]:
    """Compute in 50-digit arithmetic and round once, at the end."""
    return [
        np.array(simulate_precisely(case.derivation, case.preset, case.learning_rate, case.iterations), float)
        for case in cases
    ]


def compute_with_numpy(cases: Sequence[Case]) -> list[Floats]:
    """Compute in NumPy's float64."""
    return [simulate_many(case.derivation, case.preset, [case.learning_rate], case.iterations)[0] for case in cases]


def compute_with_torch(cases: Sequence[Case]) -> list[Floats]:
    """Differentiate with torch. Raises MissingEngineError where torch is not installed."""
    if find_spec("torch") is None:
        raise MissingEngineError("torch")
    return [_run_in_torch(case) for case in cases]


def _run_in_torch(case: Case) -> Floats:
    import torch

    numbers = dict(case.preset.values)
    rows = []
    for _ in range(case.iterations):
        row = {**numbers, **_pass_in_torch(torch, case.preset, numbers)}
        rows.append([row[name] for name in case.derivation.columns])
        for name in case.preset.network.parameters:
            numbers[name] -= case.learning_rate * row[gradient_name(name)]
    return np.array(rows)


def _pass_in_torch(torch: Any, preset: Preset, numbers: dict[str, float]) -> dict[str, float]:
    """Run one forward and one backward pass and return every named number."""
    network = preset.network
    leaves = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in numbers.items()}
    leaky = torch.nn.functional.leaky_relu
    functions = dict(zip(ACTIVATION_NAMES, (torch.sigmoid, torch.tanh, torch.relu, leaky, lambda x: x), strict=True))
    known: dict[str, Any] = {}
    signal = torch.stack([leaves[name] for name in network.inputs])
    for layer, name in zip(network.layers, network.activations, strict=True):
        weights = torch.stack([torch.stack([leaves[w] for w in neuron.weights]) for neuron in layer])
        biases = [leaves[neuron.bias] if neuron.bias else torch.zeros((), dtype=torch.float64) for neuron in layer]
        net = weights @ signal + torch.stack(biases)
        signal = functions[name](net)
        for neuron, net_input, output in zip(layer, net, signal, strict=True):
            known |= {neuron.name: net_input, neuron.activation: output}
    targets = torch.stack([leaves[name] for name in network.targets])
    errors = _measure_in_torch(torch, network.loss, targets, signal)
    known |= dict(zip(network.errors, errors, strict=True)) | {TOTAL_ERROR: errors.sum()}
    known[TOTAL_ERROR].backward()
    known |= {gradient_name(name): leaves[name].grad for name in network.parameters}
    return {name: float(value.detach()) for name, value in known.items()}


def _measure_in_torch(torch: Any, loss: str, targets: Any, outputs: Any) -> Any:
    if loss == CROSS_ENTROPY:
        # torch's own function keeps logarithms and derivatives of saturated outputs within bounds.
        return -(targets * outputs.log() + (1 - targets) * (1 - outputs).log())
    squares = (targets - outputs).square()
    return squares / (len(targets) if loss == MEAN_SQUARED else 2)


def compute_with_libreoffice(cases: Sequence[Case]) -> list[Floats]:
    """Recalculate workbooks that hold formulas alone. Raises MissingEngineError where it is not installed."""
    soffice = _program("soffice")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{number}.xlsx" for number in range(len(cases))]
        for file, case in zip(files, cases, strict=True):
            options = WorkbookOptions(case.preset, case.learning_rate, case.iterations)
            file.write_bytes(build_workbook(options).book.to_bytes(with_values=False))
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        results = folder / "results"
        _run([soffice, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(results), *map(str, files)])
        if not all((results / file.name).exists() for file in files):  # its exit code is 0 even then
            raise MissingEngineError("a soffice that works; this one wrote nothing")
        return [_read_table(results / file.name, case) for file, case in zip(files, cases, strict=True)]


def _read_table(file: Path, case: Case) -> Floats:
    place = main_table(case.derivation, case.iterations)
    sheet = openpyxl.load_workbook(file, data_only=True)[place.sheet]
    values = [[sheet[place.cell(name, row)].value for name in place.columns] for row in range(case.iterations)]
    return _as_numbers(values)


def _as_numbers(values: Sequence[Sequence[object]]) -> Floats:
    """An empty cell or an error such as #NUM! is no number."""
    return np.array([[v if isinstance(v, int | float) else math.nan for v in row] for row in values], float)


def compute_with_ironcalc(cases: Sequence[Case]) -> list[Floats]:
    """Edit and recalculate workbooks with IronCalc. Raises MissingEngineError where it is not installed."""
    return _edit_all(cases, spreadsheets.open_in_ironcalc)


def compute_with_formualizer(cases: Sequence[Case]) -> list[Floats]:
    """Edit and recalculate workbooks with formualizer. Raises MissingEngineError where it is not installed."""
    return _edit_all(cases, spreadsheets.open_in_formualizer)


def _edit_all(cases: Sequence[Case], open_workbook: Callable[[bytes], Spreadsheet]) -> list[Floats]:
    """Type each case's numbers into a workbook that was made from others: no number in it is right beforehand."""
    found = []
    for case in cases:
        place, values = main_table(case.derivation, case.iterations), case.preset.values
        others = replace(case.preset, values=MappingProxyType(dict.fromkeys(values, 0.25)))
        options = WorkbookOptions(others, 2 * case.learning_rate, case.iterations)
        spreadsheet = open_workbook(build_workbook(options).book.to_bytes())
        spreadsheet.type(place.sheet, place.learning_rate, case.learning_rate)
        for name, value in values.items():
            spreadsheet.type(place.sheet, place.start(name), value)
        spreadsheet.recalculate()
        rows = range(case.iterations)
        table = [[spreadsheet.value(place.sheet, place.cell(name, row)) for name in place.columns] for row in rows]
        found.append(_as_numbers(table))
    return found


def compute_with_javascript(cases: Sequence[Case]) -> list[Floats]:
    """Run the printed functions in node, or else in Chromium. Raises MissingEngineError where neither is installed."""
    runs = ",".join(_javascript_run(case) for case in cases)
    script = f"const rows = JSON.stringify([{runs}]);"
    printed = _in_node(script) if shutil.which("node") else _in_chromium(script)
    return [np.array(rows, float) for rows in json.loads(printed)]


def _javascript_run(case: Case) -> str:
    columns = json.dumps(case.derivation.columns)
    return f"""(() => {{
      {step_function(case.derivation)}
      let now = {json.dumps({**case.preset.values, "eta": case.learning_rate})};
      return Array.from({{length: {case.iterations}}}, () => {{
        const row = step(now);
        now = {{...now, ...row.next}};
        return {columns}.map(name => row[name]);
      }});
    }})()"""


def _in_node(script: str) -> str:
    return _run([_program("node"), "-"], f"{script} process.stdout.write(rows);")


def _in_chromium(script: str) -> str:
    chromium = _program("chromium")
    with tempfile.TemporaryDirectory() as name:
        page = Path(name, "page.html")
        page.write_text(f"<pre></pre><script>{script} document.querySelector('pre').textContent = rows;</script>")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        dom = _run([chromium, *options, f"--user-data-dir={name}/profile", "--dump-dom", page.as_uri()])
    printed = re.search("<pre>(.+)</pre>", dom, re.DOTALL)
    if printed is None:
        raise MissingEngineError("a chromium that works; this one ran no script")
    return printed.group(1)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise MissingEngineError(name)
    return path


def _run(command: list[str], text: str | None = None) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        name, why = Path(command[0]).name, getattr(error, "returncode", None) or type(error).__name__
        raise MissingEngineError(f"a {name} that works; this one failed: {why}") from error
    return done.stdout


ENGINES = (
    Engine("sympy, 50 digits", compute_with_sympy),
    Engine("NumPy", compute_with_numpy),
    Engine("torch autograd", compute_with_torch),
    Engine("LibreOffice", compute_with_libreoffice),
    Engine("IronCalc", compute_with_ironcalc),
    Engine("formualizer", compute_with_formualizer),
    Engine("JavaScript", compute_with_javascript),
)
