"""Flags that several commands share, and the types of their values."""

import argparse
import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mnist.recipe import DEFAULT_RECIPE, RECIPES, Recipe, check, recipe_named

if TYPE_CHECKING:
    from mnist.run import Resources


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add --recipe, and a flag for each hyperparameter."""
    names = ", ".join(RECIPES)
    parser.add_argument("--recipe", default=DEFAULT_RECIPE, help=f"hyperparameters: {names} (default: %(default)s)")
    values = parser.add_argument_group("hyperparameters", "By default they are the recipe's.")
    for field in dataclasses.fields(Recipe):
        kind, choices = _KINDS[field.type], field.metadata["choices"]
        values.add_argument(
            f"--{field.name.replace('_', '-')}",
            dest=f"recipe_{field.name}",
            type=kind,
            choices=choices or None,
            metavar=None if choices else kind.__name__.strip("_").upper(),
            help=field.metadata["meaning"].replace("%", "%%"),
        )


def read_recipe(options: argparse.Namespace) -> Recipe:
    """Return the recipe with the flags' changes. Raises MnistError where it can't be trained."""
    asked = {field.name: getattr(options, f"recipe_{field.name}") for field in dataclasses.fields(Recipe)}
    changes = {name: value for name, value in asked.items() if value is not None}
    recipe = dataclasses.replace(recipe_named(options.recipe), **changes)
    check(recipe)
    return recipe


def add_resources(parser: argparse.ArgumentParser) -> None:
    """Add --data, --device, --processes and --threads."""
    add_data(parser)
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="device of torch (default: auto)"
    )
    parser.add_argument(
        "--processes",
        type=positive,
        help="processes that share each batch (default: one for each core, as far as its ghost batches can be shared "
        "evenly); torchrun overrides it",
    )
    parser.add_argument("--threads", type=positive, help="threads of each process (default: cores / processes)")


def read_resources(options: argparse.Namespace) -> "Resources":
    """Return what the flags of `add_resources` request."""
    from mnist.run import Resources

    return Resources(options.data, options.device, options.processes, options.threads)


def add_held_out(parser: argparse.ArgumentParser) -> None:
    """Add --held-out."""
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="train on 55,000 training images and evaluate on the other 5,000, which differ from seed to seed, not on "
        "test images: to choose hyperparameters with; writes to OUTPUT/held-out",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add --data."""
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the images (default: %(default)s)")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add --output."""
    default = Path("out/mnist")
    parser.add_argument("--output", type=Path, default=default, help="folder of the run's files (default: %(default)s)")


def positive(text: str) -> int:
    """Parse a whole number from 1."""
    return _whole_number(text, 1, 10_000)


def _int(text: str) -> int:
    return _whole_number(text, 0, 10_000)


def natural(text: str) -> int:
    """Parse a whole number from 0 that fits 63 bits."""
    return _whole_number(text, 0, 2**63 - 1)


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return value


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


def _text(text: str) -> str:
    return text


_KINDS: Mapping[object, Callable[[str], object]] = {int: _int, float: _float, bool: _yes_or_no, str: _text}


def _whole_number(text: str, lowest: int, highest: int) -> int:
    # Plain digits only: int() would also take "1_000" and " 7 ".
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {lowest:,} to {highest:,}")
    return int(text)
