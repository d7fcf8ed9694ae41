"""The steps of a run that follow from a recipe: images and size of each epoch, learning rate of each step.

Needs no torch.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from mnist.constants import IMAGE_SIZE
from mnist.recipe import STEPS, Recipe


@dataclass(frozen=True)
class TrainingPlan:
    """The steps of a run before it begins. Epochs are counted from 1, steps from 0 over the whole run.

    The learning rate is a function of the step, so it has no state that a resumed run could lose.
    """

    recipe: Recipe
    images: int
    """In the training set."""

    def image_size(self, epoch: int) -> int:
        """Return height and width in pixels of an epoch's training images."""
        recipe = self.recipe
        return recipe.crop_size if epoch <= int(recipe.crop_epoch_fraction * recipe.epochs) else IMAGE_SIZE

    def hard_examples(self, epoch: int) -> int:
        """Return the number of images that an epoch sees for their losses; all without mining."""
        recipe = self.recipe
        full = epoch <= recipe.full_epochs_at_start or epoch > recipe.epochs - recipe.full_epochs_at_end
        return self.images if full else round(recipe.hard_example_fraction * self.images)

    def images_in(self, epoch: int) -> int:
        """Return the number of images that an epoch sees."""
        hard = self.hard_examples(epoch)
        return max(1, hard + round(self.recipe.easy_example_fraction * (self.images - hard)))

    def steps_in(self, epoch: int) -> int:
        """Return the number of steps of an epoch."""
        return math.ceil(self.images_in(epoch) / self.recipe.batch_size)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Return for each epoch the number of steps done at its end."""
        return tuple(accumulate(map(self.steps_in, range(1, self.recipe.epochs + 1))))

    @property
    def steps(self) -> int:
        """Return the number of steps of the run."""
        return self.ends[-1]

    def steps_before(self, epoch: int) -> int:
        """Return the number of steps of all earlier epochs."""
        return self.ends[epoch - 1] - self.steps_in(epoch)

    def learning_rate_at(self, step: int) -> float:
        """Compute the learning rate of a step.

        `one-cycle` is torch.optim.lr_scheduler.OneCycleLR (div_factor 25, final_div_factor 1e4), `steps` is StepLR.
        """
        recipe = self.recipe
        if recipe.schedule == STEPS:
            decays = bisect_right(self.ends, step) // recipe.decay_epochs if recipe.decay_epochs else 0
            return float(recipe.learning_rate * recipe.decay_factor**decays)
        lowest, top, end = recipe.learning_rate / 25, recipe.warm_up * self.steps - 1, self.steps - 1
        if step < top:
            return _cosine(lowest, recipe.learning_rate, step / top)
        return _cosine(recipe.learning_rate, lowest / 1e4, (step - top) / (end - top) if end > top else 0)


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * fraction))
