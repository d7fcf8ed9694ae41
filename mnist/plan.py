"""What follows from a recipe and a number of images: what each epoch sees, and each step's rate. Needs no torch."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from mnist.recipe import FULL_SIZE, STEPS, Recipe

TRAINING_IMAGES = 60_000
"""In MNIST."""


@dataclass(frozen=True)
class Plan:
    """A run, step by step, before it begins. Epochs are counted from 1, steps from 0 over the whole run.

    The learning rate is a function of the step, so it has no state that a resumed run could lose.
    """

    recipe: Recipe
    images: int
    """In the training set."""

    def image_size(self, epoch: int) -> int:
        """Give the edge in pixels of the images that an epoch trains on."""
        return self.recipe.small_size if epoch <= int(self.recipe.small_share * self.recipe.epochs) else FULL_SIZE

    def hardest_in(self, epoch: int) -> int:
        """Count the images that an epoch sees because they are the hardest ones; all, where it leaves none out."""
        recipe = self.recipe
        whole = epoch <= recipe.whole_first or epoch > recipe.epochs - recipe.whole_last
        return self.images if whole else round(recipe.hard_share * self.images)

    def images_in(self, epoch: int) -> int:
        """Count the images that an epoch sees."""
        hardest = self.hardest_in(epoch)
        return max(1, hardest + round(self.recipe.easy_share * (self.images - hardest)))

    def steps_in(self, epoch: int) -> int:
        """Count the steps of an epoch."""
        return math.ceil(self.images_in(epoch) / self.recipe.batch_size)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Give for each epoch the number of steps that are done at its end."""
        return tuple(accumulate(map(self.steps_in, range(1, self.recipe.epochs + 1))))

    @property
    def steps(self) -> int:
        """Count the steps of the run."""
        return self.ends[-1]

    def steps_before(self, epoch: int) -> int:
        """Count the steps of all earlier epochs."""
        return self.ends[epoch - 1] - self.steps_in(epoch)

    def learning_rate_at(self, step: int) -> float:
        """Give the learning rate of a step.

        `one-cycle` is torch.optim.lr_scheduler.OneCycleLR (div_factor 25, final_div_factor 1e4), `steps` is StepLR.
        """
        recipe = self.recipe
        if recipe.schedule == STEPS:
            falls = bisect_right(self.ends, step) // recipe.decay_epochs if recipe.decay_epochs else 0
            return float(recipe.learning_rate * recipe.decay_factor**falls)
        lowest, top, end = recipe.learning_rate / 25, recipe.warm_up * self.steps - 1, self.steps - 1
        if step < top:
            return _cosine(lowest, recipe.learning_rate, step / top)
        return _cosine(recipe.learning_rate, lowest / 1e4, (step - top) / (end - top) if end > top else 0)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
