"""Training recipes as data: every hyperparameter with its meaning, its unit and its reason. Needs no torch."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from mnist.errors import MnistError

ONE_CYCLE, STEPS = "one-cycle", "steps"
SCHEDULES = (ONE_CYCLE, STEPS)
PRECISIONS = ("auto", "float32", "bfloat16")
FULL_SIZE = 28
"""Edge of an MNIST image in pixels."""
MOST_RATE = 1e6
"""Far beyond what trains anything, and far below what single precision can't hold."""


def _means(name: str, meaning: str, *choices: str) -> dict[str, object]:
    """Describe a field for people: the page's table and `python -m mnist train --help` both read it."""
    return {"name": name, "meaning": meaning, "choices": choices}


@dataclass(frozen=True)
class Recipe:
    """Say how to train; together with a seed it fixes a run."""

    epochs: int = field(
        metadata=_means("Epochs", "Passes over the training images; one that leaves easy images out counts as one too.")
    )
    batch_size: int = field(
        metadata=_means("Batch size", "Images per step, over all processes: the gradient is averaged over them.")
    )
    norm_size: int = field(
        metadata=_means("Normalised together", "Images that batch normalisation sees at once: a batch's equal parts.")
    )
    small_size: int = field(
        metadata=_means("Small images", "Edge in pixels of the middle that the first epochs are cut down to.")
    )
    small_share: float = field(
        metadata=_means("Share of small images", "Of the epochs, rounded down; 0 for full images throughout.")
    )
    hard_share: float = field(
        metadata=_means(
            "Hardest images",
            "Share of the training images that every epoch sees: those with the largest losses when last seen; "
            "1 for all.",
        )
    )
    easy_share: float = field(
        metadata=_means("Other images", "Share of the others, drawn at random for each epoch, that it sees too.")
    )
    whole_first: int = field(
        metadata=_means("Whole epochs at the start", "Epochs that see every training image, to find the hard ones.")
    )
    whole_last: int = field(
        metadata=_means("Whole epochs at the end", "Epochs that see every training image, so that none is forgotten.")
    )
    learning_rate: float = field(metadata=_means("Learning rate η", "The highest rate of the schedule."))
    muon_rate: float = field(
        metadata=_means(
            "Muon's rate",
            "The same for the kernels between the first and the last convolution, whose steps Muon makes orthogonal; "
            "0 for SGD there too.",
        )
    )
    schedule: str = field(
        metadata=_means(
            "Schedule",
            "How η changes on the way: up and down once over the whole run (one-cycle), or constant with a fall every "
            "few epochs (steps).",
            *SCHEDULES,
        )
    )
    warm_up: float = field(
        metadata=_means("Warm-up", "One-cycle: the share of all steps in which η rises from 1/25 of its highest value.")
    )
    decay_epochs: int = field(
        metadata=_means("Epochs between falls", "Steps: how many epochs η stays before it falls; 0 for ever.")
    )
    decay_factor: float = field(metadata=_means("Factor of a fall", "Steps: what η is multiplied with when it falls."))
    momentum: float = field(metadata=_means("Momentum", "How much of the last step is carried into the next one."))
    nesterov: bool = field(
        metadata=_means("Nesterov momentum", "Whether the gradient is taken where momentum is about to lead.")
    )
    weight_decay: float = field(
        metadata=_means("Weight decay", "A pull of every parameter towards 0, per unit of its size.")
    )
    label_smoothing: float = field(
        metadata=_means("Label smoothing", "Probability that the target spreads over all ten digits.")
    )
    shift: int = field(
        metadata=_means("Random shift", "Pixels that each training image moves by at most, anew in every epoch.")
    )
    averaging_start: float = field(
        metadata=_means(
            "Weight averaging",
            "From this share of the steps on, weights are averaged, and the average is what is measured and kept; "
            "1 for never.",
        )
    )
    averaging_interval: int = field(
        metadata=_means("Averaging interval", "Steps between two sets of weights that enter the average.")
    )
    precision: str = field(
        metadata=_means(
            "Precision",
            "Of the convolutions, weights stay float32; “auto” takes bfloat16 where the processor has it.",
            *PRECISIONS,
        )
    )

    @property
    def groups(self) -> int:
        """Say into how many parts a batch is cut, each normalised by itself; they can be shared among processes."""
        return max(1, self.batch_size // self.norm_size)


# What is not the assignment's was chosen on held-out training images, 5,000 or 10,000 for each of two seeds, others for
# each seed:
#   python -m mnist study --held-out --seeds 2 --recipe fast --muon-rate 0.1
# compares a change with what it gives without. They preferred epochs that leave most easy images out to whole ones
# that took as long, full images to small ones in most epochs, Muon's rate of 0.05 to 0.02 and 0.1 and to SGD alone, the
# other rate of 0.1 to 0.03, batches of 64 to 128, and small images cut out to small images scaled down. Digits turned
# and stretched, and smoothed labels, gave nothing. They can't tell differences of less than about a tenth of a percent.
_ACCURATE = Recipe(
    # All that the assignment allows.
    epochs=20,
    # The assignment's.
    batch_size=64,
    # Two processes with one thread each share a batch; smaller groups cost a CPU more time an image.
    norm_size=32,
    # The middle of an image holds the digit and costs less; the first two epochs only find out which images are hard.
    small_size=22,
    small_share=0.1,
    # Every image is forgotten now and then, so each comes up again, and the last epochs see them all.
    hard_share=0.2,
    easy_share=0.2,
    whole_first=2,
    whole_last=4,
    # High in the middle, near 0 at the end, so that the last epoch is the best and nothing needs to be picked.
    learning_rate=0.1,
    # Every direction of a kernel moves by the same amount, so fewer epochs do.
    muon_rate=0.05,
    schedule=ONE_CYCLE,
    warm_up=0.2,
    decay_epochs=0,
    decay_factor=1.0,
    momentum=0.9,
    nesterov=True,
    # A network this small has little to spare: stronger penalties cost it accuracy.
    weight_decay=1e-5,
    label_smoothing=0.0,
    # Digits are centred by their mass, so they lie a pixel off here and there.
    shift=1,
    # Where the rate is low already; from the middle on, the average still carried worse weights along.
    averaging_start=0.75,
    averaging_interval=8,
    precision="auto",
)
RECIPES: Mapping[str, Recipe] = {
    "fast": dataclasses.replace(_ACCURATE, epochs=11, small_share=0.3, easy_share=0.1, whole_first=1, whole_last=1),
    "accurate": _ACCURATE,
    # As the assignment's author trained: SGD 0.05, momentum 0.9, StepLR(15, 0.1), no augmentation.
    "course": Recipe(
        epochs=20,
        batch_size=64,
        norm_size=64,
        small_size=FULL_SIZE,
        small_share=0.0,
        hard_share=1.0,
        easy_share=1.0,
        whole_first=0,
        whole_last=0,
        learning_rate=0.05,
        muon_rate=0.0,
        schedule=STEPS,
        warm_up=0.0,
        decay_epochs=15,
        decay_factor=0.1,
        momentum=0.9,
        nesterov=False,
        weight_decay=0.0,
        label_smoothing=0.0,
        shift=0,
        averaging_start=1.0,
        averaging_interval=1,
        precision="float32",
    ),
}
DEFAULT_RECIPE = "fast"
# Fixed before any run on all 60,000 images was measured.
DEFAULT_SEED = 0


def recipe_named(name: str) -> Recipe:
    """Look a recipe up. Raises MnistError that names those there are."""
    if name not in RECIPES:
        raise MnistError(f"there is no recipe {name!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def is_changed(name: str, recipe: Recipe) -> bool:
    """Tell whether a recipe has other values than those of its name."""
    return recipe != RECIPES.get(name)


def checked(recipe: Recipe) -> Recipe:
    """Return the recipe. Raises MnistError that names the first value with which nothing can be trained."""
    demands = {
        "epochs": (recipe.epochs >= 1, "is at least 1"),
        "batch_size": (recipe.batch_size >= 2, "is at least 2"),
        "norm_size": (
            recipe.norm_size >= 2 and recipe.batch_size % recipe.norm_size == 0,
            f"is at least 2 and divides the batch size of {recipe.batch_size}",
        ),
        "small_size": (
            10 <= recipe.small_size <= FULL_SIZE and recipe.small_size % 2 == 0,
            "is even and from 10 to 28",
        ),
        "small_share": (recipe.small_share <= 1, "is at most 1"),
        "hard_share": (
            recipe.hard_share <= 1 and recipe.hard_share + recipe.easy_share > 0,
            "is at most 1, and more than 0 where --easy-share is 0",
        ),
        "easy_share": (recipe.easy_share <= 1, "is at most 1"),
        "warm_up": (recipe.warm_up <= 1, "is at most 1"),
        "averaging_start": (recipe.averaging_start <= 1, "is at most 1"),
        "averaging_interval": (recipe.averaging_interval >= 1, "is at least 1"),
        "learning_rate": (0 < recipe.learning_rate <= MOST_RATE, "is more than 0 and at most a million"),
        "muon_rate": (recipe.muon_rate <= MOST_RATE, "is at most a million"),
        "label_smoothing": (recipe.label_smoothing < 1, "is less than 1"),
        "shift": (recipe.shift < FULL_SIZE, "is less than 28"),
        "nesterov": (recipe.momentum > 0 or not recipe.nesterov, "needs a momentum"),
    }
    for name, (met, words) in demands.items():
        if not met:
            raise MnistError(f"--{name.replace('_', '-')} {getattr(recipe, name)} can't be: it {words}")
    return recipe
