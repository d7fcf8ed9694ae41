# The cells of S6.ipynb, in order: "# %% [markdown] NAME" begins one of text, "# %% NAME" one of code.

# %% [markdown] title
# # {{ page.title }}
#
# {% if page.author %}
# by {{ page.author }}
#
# {% endif %}
# Two parts, as the assignment has them: backpropagation through a network small enough to follow by hand, and a
# network of {{ mnist.evaluation.parameters | thousands }} parameters that reads handwritten digits.
#
# Every number and every picture below comes out of the cell above it. The notebook trains nothing, so it runs from top
# to bottom in less than a minute: Part 1 is computed anew, Part 2 reads what training recorded in `results/`.

# %% [markdown] setup-text
# ## Setup
#
# The project is a Python package. Where it is not installed, for instance in Colab, the next cell installs it from the
# wheel that lies beside this notebook. In Colab, upload `handin.zip` first and unpack it with `!unzip -oq handin.zip`.

# %% setup
import importlib
import subprocess
import sys
from pathlib import Path

FOLDERS = (Path(), Path("handin"))
FOLDER = next((path for path in FOLDERS if (path / "results" / "history.json").exists()), None)
if FOLDER is None:
    raise FileNotFoundError(
        "The folder results/ does not lie beside this notebook. Put everything that was handed in "
        "here. In Colab: upload handin.zip, then run `!unzip -oq handin.zip` in a cell above."
    )
try:
    importlib.import_module("backprop.derivation")
    importlib.import_module("mnist.records")
except ModuleNotFoundError:
    wheels = sorted(FOLDER.glob("backprop_report-*.whl"))
    if not wheels:
        raise FileNotFoundError(
            "The project is not installed, and its wheel, backprop_report-*.whl, does not lie beside "
            "this notebook. Put everything that was handed in here."
        ) from None
    install = [sys.executable, "-m", "pip", "install", "--quiet", f"{wheels[-1]}[mnist,report]"]
    subprocess.run(install, check=True)
    importlib.invalidate_caches()

# %% imports
import base64
import inspect
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, Math, display

from backprop.derivation import derive, verify_gradients
from backprop.network import SHEET_ITERATIONS
from backprop.networks.presets import PRESETS
from backprop.panels import panels
from backprop.part1 import compute_part1
from backprop.simulate import simulate
from mnist.data import load
from mnist.idx import raw_folder, read_genuine
from mnist.model import ConvNet, summarise
from mnist.records import read_evaluation, read_history, read_weights
from mnist.training import Training, probabilities_and_loss
from reports.drawings.backprop import comparison_drawing, curve_drawing, network_drawing
from reports.drawings.mnist import accuracy_drawing, confusion_drawing, loss_drawing
from reports.formats import learning_rate, percent, share, significant
from reports.handin.markdown import table
from reports.prose import prose, sentences
from reports.views.backprop import view_backprop
from reports.views.formulas import print_formula
from reports.views.mnist import view_mnist, view_recipe


def show(drawing):
    """Show one of the project's figures, with the words that stand for it."""
    width = round(72 * drawing.figure.get_size_inches()[0])
    picture = base64.b64encode(drawing.png()).decode()
    metadata = {"image/png": {"width": width, "alt": drawing.description}}
    display({"image/png": picture, "text/plain": drawing.description}, metadata=metadata, raw=True)


def show_code(*things):
    """Show how classes or functions of the project are written."""
    for thing in things:
        display(Markdown(f"```python\n{textwrap.dedent(inspect.getsource(thing))}```"))


# %% [markdown] part-1
# ## Part 1: Backpropagation
#
# ### The network
#
# Two inputs, two hidden neurons, two outputs, each neuron with a sigmoid, and eight weights. These are the starting
# values; the same numbers stand in the workbook, `backprop.xlsx`.

# %% settings
PRESET = "class"
LEARNING_RATE = 1.0

# %% network
preset = PRESETS[PRESET]
part_1 = view_backprop(compute_part1(preset, LEARNING_RATE))
show(network_drawing(part_1))
Markdown(table(["", *preset.values], [["starting value", *preset.values.values()]]))

# %% [markdown] derivation-text
# ### The derivation, in six steps
#
# `derive` writes down the forward pass and lets sympy differentiate one step of it at a time; the chain rule multiplies
# what comes out. The workbook's formulas, the page's JavaScript and the numbers below are all printed from these
# equations, so none of them was typed twice.

# %% derivation
derivation = derive(preset.network)
for panel in panels(derivation):
    lines = [print_formula(line.terms).latex.replace(" = ", " &= ", 1) for line in panel.lines]
    display(Markdown(f"**{panel.number}. {panel.title}**"))
    display(Math(r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"))

# %% [markdown] proof-text
# Is the product of the factors really the derivative? sympy also differentiates the whole error at once, as one long
# expression in weights, inputs and targets, and subtracts: nothing may be left.

# %% proof
proofs = [[proof.statement, "yes" if proof.holds else "NO"] for proof in verify_gradients(derivation)]
Markdown(table(["statement", "holds"], proofs))

# %% [markdown] table-text
# ### The numbers
#
# One iteration is one row of the class sheet: forward pass, error, eight gradients, one step of every weight. Here are
# the first rows and the last one, turned on their side.

# %% table
trace = simulate(derivation, preset, LEARNING_RATE, SHEET_ITERATIONS)
shown = [*range(5), SHEET_ITERATIONS - 1]
numbers = [[name, *(significant(trace.column(name)[row], 9) for row in shown)] for name in trace.columns]
Markdown(table(["iteration", *shown], numbers))

# %% [markdown] autograd-text
# ### Held against torch
#
# torch knows nothing of the derivation: it records the forward pass and differentiates that. All eight gradients in all
# rows, computed from the same weights:


# %% autograd
def gradients_by_torch(values):
    """Run the network once in float64 and let autograd find ∂E/∂w1 … ∂E/∂w8."""
    numbers = {name: torch.tensor(float(value), dtype=torch.float64) for name, value in values.items()}
    weights = {f"w{n}": numbers[f"w{n}"].requires_grad_() for n in range(1, 9)}
    w1, w2, w3, w4, w5, w6, w7, w8 = weights.values()
    hidden_bias, output_bias = numbers.get("b1", 0.0), numbers.get("b2", 0.0)
    h1 = torch.sigmoid(w1 * numbers["i1"] + w2 * numbers["i2"] + hidden_bias)
    h2 = torch.sigmoid(w3 * numbers["i1"] + w4 * numbers["i2"] + hidden_bias)
    o1 = torch.sigmoid(w5 * h1 + w6 * h2 + output_bias)
    o2 = torch.sigmoid(w7 * h1 + w8 * h2 + output_bias)
    error = ((numbers["t1"] - o1) ** 2 + (numbers["t2"] - o2) ** 2) / 2
    error.backward()
    return [weight.grad.item() for weight in weights.values()]


names = [f"w{n}" for n in range(1, 9)]
biases = {name: preset.values[name] for name in preset.values if name.startswith("b")}
largest = 0.0
for row in trace.complete:
    values = dict(zip(trace.columns, row, strict=True))
    ours = np.array([values[f"dE_d{name}"] for name in names])
    torchs = np.array(gradients_by_torch(values | biases))
    largest = max(largest, float(np.max(np.abs(ours - torchs) / np.maximum(np.abs(torchs), 1e-300))))
print(f"{8 * len(trace.complete)} gradients; the largest relative difference is {largest:.1e}")

# %% [markdown] slip-text
# ### A slip in the class sheet
#
# The class sheet's own cells for two of the hidden gradients take the slope of the wrong hidden neuron. The workbook
# here follows the derivation. At iteration 0:

# %% slip
slips = [
    [
        slip.name,
        significant(slip.taught_value, 9),
        significant(slip.derived_value, 9),
        share(slip.relative_error, 2),
    ]
    for slip in part_1.slip.lines
]
display(Markdown(table(["gradient", "class sheet", "derivation", "off by"], slips)))
print(f"E_total moves by at most {part_1.slip.largest_shift:.1e} in {part_1.slip.rows} rows.")

# %% [markdown] rates-text
# ### The error graph for each learning rate
#
# The same network, the same start, another η: what the assignment asks for, first together, then one by one.

# %% rates
comparison = part_1.comparison
show(comparison_drawing(comparison, logarithmic=False))
show(comparison_drawing(comparison, logarithmic=True))

# %% rates-table
results = [
    [
        significant(curve.learning_rate, 3),
        significant(curve.final, 6),
        share(curve.share),
        "–" if curve.halved_at is None else curve.halved_at,
    ]
    for curve in comparison.curves
]
display(Markdown(table(["η", "final error", "of the initial error", "halved in iteration"], results)))
Markdown("\n\n".join(sentences("learning_rates.reading", comparison)))

# %% rates-one-by-one
for curve in comparison.curves:
    display(Markdown(f"**{curve.label}**"))
    show(curve_drawing(comparison, curve))

# %% [markdown] part-2
# ## Part 2: MNIST
#
# 60,000 images of handwritten digits to learn from, 10,000 to be measured on, 28 × 28 pixels each. Asked for: a test
# accuracy of at least {{ least_accuracy | percent(1) }}, with fewer than {{ most_parameters | thousands }}
# parameters, in at most {{ most_epochs }} epochs.
#
# ### The network

# %% summary
print(summarise(ConvNet()))

# %% network-code
show_code(ConvNet)

# %% [markdown] recipe-text
# ### How it was trained
#
# `python -m mnist train` trains it, and can be stopped and goes on where it was. Every value below is one of its flags.

# %% recipe
history = read_history(FOLDER / "results" / "history.json")
evaluation = read_evaluation(FOLDER / "results" / "evaluation.json")
facts = [[row.label, prose("mnist.hyperparameter", row), row.meaning] for row in view_recipe(history.recipe)]
Markdown(table(["", "value", "meaning"], facts))

# %% [markdown] step-text
# An epoch goes through batches like this one, forward, backward, step:

# %% step-code
show_code(Training.steps, Training._step)

# %% [markdown] train-text
# To see it train, set `TRAIN` to `True`: one epoch takes between half a minute and some minutes, and fetches MNIST
# first where it is missing. The results below stay those of the recorded run.

# %% train
TRAIN = False
if TRAIN:
    options = ["--epochs", "1", "--restart", "--output", "one-epoch"]
    subprocess.run([sys.executable, "-m", "mnist", "train", *options], check=True)

# %% [markdown] log-text
# ### The log
#
# Every epoch as it was recorded. With hard-example mining, its training figures are of the images it saw, the hardest
# ones among them. The test images are measured after it; nothing is chosen by them.

# %% log
part_2 = view_mnist(history, evaluation)
header = [
    "epoch",
    "images",
    "learning rate at its end",
    "training loss",
    "training accuracy",
    "test loss",
    "test accuracy",
    "seconds",
]
log = [
    [
        record.epoch,
        f"{record.images:,}",
        learning_rate(record.learning_rate),
        f"{record.train_loss:.4f}",
        percent(record.train_accuracy),
        f"{record.test_loss:.4f}",
        percent(record.test_accuracy),
        f"{record.seconds:.1f}",
    ]
    for record in history.epochs
]
Markdown(table(header, log))

# %% curves
show(accuracy_drawing(history))
show(loss_drawing(history))
Markdown(prose("mnist.training", part_2))

# %% [markdown] weights-text
# ### The trained network, run again
#
# `results/weights.json` holds the weights of the last epoch. Put into the network, they must make the same mistakes
# that the evaluation recorded, with the same probabilities.

# %% weights
weights = read_weights(FOLDER / "results" / "weights.json")
network = ConvNet()
state = {name: torch.tensor(tensor.numbers()) for name, tensor in weights.tensors.items()}
missing, unknown = network.load_state_dict(state, strict=False)
assert not unknown and all(name.endswith("num_batches_tracked") for name in missing)

mistakes = evaluation.misclassified
if mistakes:
    pixels = b"".join(base64.b64decode(mistake.pixels) for mistake in mistakes)
    images = torch.tensor(np.frombuffer(pixels, np.uint8)).reshape(-1, 28, 28)
    truth = torch.tensor([mistake.true for mistake in mistakes])
    recorded = torch.tensor([mistake.probabilities for mistake in mistakes])
    probabilities, _ = probabilities_and_loss(network, images, truth)
    again = int((probabilities.argmax(1) == recorded.argmax(1)).sum())
    difference = float((probabilities - recorded).abs().max())
    print(f"{again} of the {len(mistakes)} recorded mistakes are made again")
    print(f"Their probabilities differ from the recorded ones by {difference:.1g} at most")

# %% [markdown] test-text
# The 10,000 test images are not part of this folder. Where MNIST is already there (in `data/`), the cell below measures
# the weights on all of them; set `DOWNLOAD` to `True` to fetch it (12 MB).

# %% test
DOWNLOAD = False
DATA = Path("data")
if DOWNLOAD or read_genuine(raw_folder(DATA)) is not None:
    dataset = load(DATA)
    probabilities, loss = probabilities_and_loss(network, dataset.test_images, dataset.test_labels)
    right = int((probabilities.argmax(1) == dataset.test_labels).sum())
    print(f"Measured: {right} of {len(dataset.test_labels)} test images classified correctly, loss {loss:.4f}")
else:
    print("MNIST is not in data/, so nothing is measured here.")
recorded = f"{evaluation.correct} of {evaluation.images} test images classified correctly, loss {evaluation.loss:.4f}"
print(f"Recorded: {recorded}")

# %% [markdown] confusion-text
# ### What it confuses
#
# Rows are the true digits, columns the network's predictions.

# %% confusion
show(confusion_drawing(part_2))
Markdown(prose("mnist.confusions", part_2))

# %% [markdown] mistakes-text
# ### Some of its mistakes
#
# Those it was most sure of, with the true digit, the prediction and its probability.

# %% mistakes
COLUMNS = 8
worst = sorted(mistakes, key=lambda mistake: -mistake.probabilities[mistake.predicted])[: 3 * COLUMNS]
if worst:
    lines = -(-len(worst) // COLUMNS)
    figure, places = plt.subplots(lines, COLUMNS, figsize=(10, 1.75 * lines), squeeze=False)
    for place in places.flat:
        place.axis("off")
    for place, mistake in zip(places.flat, worst, strict=False):
        ink = np.frombuffer(base64.b64decode(mistake.pixels), np.uint8).reshape(28, 28)
        place.imshow(ink, cmap="gray_r", vmin=0, vmax=255)
        sure = percent(mistake.probabilities[mistake.predicted], 0)
        place.set_title(f"{mistake.true} read as {mistake.predicted}\n{sure}", fontsize=9)
    figure.tight_layout()
    plt.show()
else:
    print("It makes none.")

# %% [markdown] results-text
# ### Results

# %% results
verdicts = []
for requirement in part_2.requirements:
    asked, reached, remark = (prose(f"mnist.{name}", requirement, part_2) for name in ("asked", "reached", "remark"))
    words = ". ".join(filter(None, (prose("mnist.verdict", requirement), remark)))
    verdicts.append([asked, reached, words])
Markdown(table(["asked", "reached", ""], verdicts))
