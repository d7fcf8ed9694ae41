"""What a training run shows: a bar on a terminal, plain lines in a file. Needs no torch."""

import sys
from dataclasses import dataclass
from types import TracebackType

from tqdm import tqdm

from mnist.history import TEST_IMAGES, EpochRecord, History


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands: means over what it has seen so far."""

    images: int
    loss: float
    accuracy: float
    learning_rate: float


class EpochBar:
    """The bar of one epoch, with loss, accuracy and learning rate; invisible unless standard error is a terminal."""

    def __init__(self, epoch: int, epochs: int, images: int) -> None:
        title = f"epoch {epoch}/{epochs}"
        self._bar = tqdm(total=images, desc=title, unit=" images", leave=False, disable=not sys.stderr.isatty())

    def show(self, progress: Progress) -> None:
        """Move on to where the epoch stands."""
        text = f"loss {progress.loss:.4f}, accuracy {progress.accuracy:.2%}, rate {progress.learning_rate:.3g}"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(progress.images - self._bar.n)

    def __enter__(self) -> "EpochBar":
        """Show the bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.close()


class Reporter:
    """Tells people how a run goes, on standard error."""

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)

    def begin(self, history: History, images: int) -> None:
        """Say what starts."""
        verb = f"Going on after epoch {len(history.epochs)} with" if history.epochs else "Training"
        hardware = f"{history.hardware.precision}, threads: {history.hardware.threads}"
        run = f"recipe {history.recipe_name}, seed {history.seed}, {history.recipe.epochs} epochs of {images:,} images"
        self.say(f"{verb} {run} ({hardware})")

    def epoch(self, epoch: int, epochs: int, images: int) -> EpochBar:
        """Begin an epoch."""
        return EpochBar(epoch, epochs, images)

    def epoch_done(self, record: EpochRecord, epochs: int, measured_on: str) -> None:
        """Print an epoch's figures."""
        measured = "test" if measured_on == TEST_IMAGES else "held-out"
        self.say(
            f"epoch {record.epoch:2}/{epochs}  training loss {record.train_loss:.4f}, {record.train_accuracy:.2%}"
            f"  {measured} loss {record.test_loss:.4f}, {record.test_accuracy:.2%}  {record.seconds:.1f} s"
        )
