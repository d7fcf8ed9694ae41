"""The commands of `python -m mnist`. torch is imported only once a command is sure to need it."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mnist.errors import MnistError
from mnist.options import (
    Parser,
    add_data,
    add_held_out,
    add_output,
    add_place,
    add_recipe,
    asked_place,
    asked_recipe,
    natural,
    positive,
)
from mnist.progress import Reporter
from mnist.recipe import DEFAULT_SEED

INTERRUPTED = 130  # what shells give for a program ended by Ctrl-C
AFTER_TRAINING = "`make train`, or the same command without --restart, goes on after the last whole epoch"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0 done, 2 impossible as asked, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        command: int = options.run(options)
        return command
    except MnistError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\ninterrupted: {options.after_interrupt}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough. Python would complain once more while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m mnist", description="The assignment's network of 15,662 parameters on MNIST.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_train(commands)
    _add_evaluate(commands)
    _add_study(commands)
    _add_export(commands)
    summary = commands.add_parser("summary", help="print the network, layer by layer, as torchsummary does")
    summary.set_defaults(run=_summary, after_interrupt="run the same command again")
    bench = commands.add_parser(
        "bench",
        help="time training: the assignment's recipe as its author ran it, and ours",
        description="Time a whole epoch of the assignment's recipe, run as its author ran it, and of ours, or with "
        "--full both trainings until an epoch ends at 99.4 %. Writes OUTPUT/bench-epochs.json or "
        "OUTPUT/bench-race.json, which the page shows.",
    )
    bench.add_argument("--full", action="store_true", help="train both until an epoch ends at 99.4 %% or more")
    add_data(bench)
    add_output(bench)
    bench.set_defaults(run=_bench, after_interrupt="run the same command again")
    return parser


def _add_train(commands: "argparse._SubParsersAction[Parser]") -> None:
    train = commands.add_parser(
        "train",
        help="train the network, or go on with an unfinished training",
        description="Train the network. An unfinished run of the same settings goes on after its last whole epoch; "
        "a finished one is moved to OUTPUT/earlier/N before a new one begins. Writes model.pt and history.json.",
    )
    add_recipe(train)
    train.add_argument("--seed", type=natural, default=DEFAULT_SEED, help="of everything random (default: %(default)s)")
    add_place(train)
    add_output(train)
    train.add_argument(
        "--keep-finished", action="store_true", help="if the run there is finished, keep it and do nothing"
    )
    train.add_argument(
        "--restart", action="store_true", help="move the run there aside, finished or not, and begin anew"
    )
    add_held_out(train)
    train.set_defaults(run=_train, after_interrupt=AFTER_TRAINING)
    # Without a line in the help: `train` starts these itself.
    join = commands.add_parser("join")
    add_place(join)
    join.set_defaults(run=_join, after_interrupt="the leader goes on alone")


def _add_evaluate(commands: "argparse._SubParsersAction[Parser]") -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="measure the trained network on the 10,000 test images",
        description="Measure the network in OUTPUT/model.pt on the 10,000 test images: accuracy, loss, confusion "
        "matrix, every misclassified image, some of each digit. Writes evaluation.json and weights.json beside it.",
    )
    add_data(evaluate)
    add_output(evaluate)
    evaluate.add_argument("--quiet", action="store_true", help="print one line only")
    evaluate.set_defaults(run=_evaluate, after_interrupt="run the same command again")


def _add_study(commands: "argparse._SubParsersAction[Parser]") -> None:
    study = commands.add_parser(
        "study",
        help="train several seeds of a recipe and say what they have in common",
        description="Train seeds 0, 1, 2 … of a recipe, one after the other; print mean, spread and time to 99.4 %. "
        "Finished seeds are kept and an unfinished one goes on, so a study can be stopped and started again, or given "
        "more seeds. Runs go to OUTPUT/study/RECIPE, the result to OUTPUT/study/RECIPE.json.",
    )
    study.add_argument("--seeds", type=positive, default=10, help="how many (default: %(default)s)")
    add_recipe(study)
    add_place(study)
    add_output(study)
    add_held_out(study)
    study.set_defaults(run=_study, after_interrupt="the same command goes on after the last whole epoch")


def _add_export(commands: "argparse._SubParsersAction[Parser]") -> None:
    export = commands.add_parser(
        "export",
        help="write the trained network as ONNX or safetensors, for other tools",
        description="Write the network in OUTPUT/model.pt in a format that other tools read. The input is float32 "
        "(N, 1, 28, 28), bytes after (byte / 255 - 0.1307) / 0.3081; the output is ten logits.",
    )
    export.add_argument("--format", choices=("onnx", "safetensors"), default="onnx", help="(default: %(default)s)")
    export.add_argument("--file", type=Path, help="where to (default: OUTPUT/model.onnx or OUTPUT/model.safetensors)")
    add_output(export)
    export.set_defaults(run=_export, after_interrupt="run the same command again")


def _train(options: argparse.Namespace) -> int:
    recipe = asked_recipe(options)
    from mnist import run
    from mnist.launch import launch

    settings = run.Settings(options.recipe, recipe, options.seed, options.held_out)
    folder, reporter = run.run_folder(options.output, options.held_out), Reporter()
    handling = run.Handling(options.keep_finished, options.restart)
    history = launch(settings, handling, asked_place(options), folder, reporter)
    if history:
        last = history.epochs[-1]
        print(f"{last.test_accuracy:.2%} of the {history.measured_on} images right after epoch {last.epoch}")
        print(f"The run is in {folder / 'model.pt'} and {folder / 'history.json'}")
    return 0


def _join(options: argparse.Namespace) -> int:
    from mnist.launch import follow

    follow(asked_place(options))
    return 0


def _study(options: argparse.Namespace) -> int:
    recipe = asked_recipe(options)
    from mnist import run, study
    from mnist.launch import launch

    histories, output = [], run.run_folder(options.output, options.held_out)
    for seed in range(options.seeds):
        folder = study.run_folder(output, options.recipe, seed)
        settings = run.Settings(options.recipe, recipe, seed, options.held_out)
        handling = run.Handling(keep_finished=True)
        history = launch(settings, handling, asked_place(options), folder, Reporter())
        if history is None:  # a process that only helps
            continue
        if run.differences(history, settings):
            raise MnistError(f"{folder} holds a run with other settings: move it away, or choose another --output")
        histories.append(history)
    if histories:
        found = study.study_of(histories)
        study.write_study(study.study_file(output, options.recipe), found)
        print(study.describe(found))
    return 0


def _export(options: argparse.Namespace) -> int:
    from mnist.evaluation import load_network
    from mnist.export import export

    network, history = load_network(options.output / "model.pt")
    path = options.file or options.output / f"model.{options.format}"
    export(network, options.format, path)
    print(f"{path} holds the network after epoch {len(history.epochs)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from mnist import evaluation, results
    from mnist.data import load

    checkpoint = options.output / "model.pt"
    if not checkpoint.exists():
        raise MnistError(f"{checkpoint} does not exist: run `make train`, which writes it")
    found, weights = evaluation.evaluate(checkpoint, load(options.data))
    results.write_evaluation(options.output / "evaluation.json", found)
    results.write_weights(options.output / "weights.json", weights)
    print(evaluation.headline(found) if options.quiet else evaluation.describe(found))
    return 0


def _summary(options: argparse.Namespace) -> int:
    from mnist.model import new_network, summarise

    print(summarise(new_network(DEFAULT_SEED)), end="")
    return 0


def _bench(options: argparse.Namespace) -> int:
    from mnist import bench, costs
    from mnist.data import load

    dataset = load(options.data)
    if options.full:
        race = bench.races(options.data, dataset, Reporter().say)
        costs.write_race(options.output, race)
        print(costs.describe_race(race))
    else:
        epochs = bench.epoch_costs(options.data)
        costs.write_epochs(options.output, epochs)
        print(costs.describe_epochs(epochs))
    return 0
