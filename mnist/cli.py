"""The commands of `python -m mnist`. What takes time to import, a command imports once it is sure to need it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from backprop.command import Parser, new_parser, run_command
from mnist.errors import MnistError
from mnist.options import (
    add_data,
    add_held_out,
    add_output,
    add_recipe,
    add_resources,
    natural,
    positive,
    read_recipe,
    read_resources,
)
from mnist.recipe import DEFAULT_SEED

AFTER_TRAINING = "the same command without --restart goes on after the last whole epoch"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code, as `run_command` describes it."""
    return run_command(parser, arguments)


def parser() -> Parser:
    """Return the parser of all commands."""
    parser = new_parser("python -m mnist", "The assignment's network of 15,662 parameters on MNIST.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_train(commands)
    _add_evaluate(commands)
    _add_study(commands)
    _add_export(commands)
    summary = commands.add_parser("summary", help="print the network, layer by layer, as torchsummary does")
    summary.set_defaults(run=_summary)
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
    bench.set_defaults(run=_bench)
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
    add_resources(train)
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
    add_resources(join)
    join.set_defaults(run=_join, after_interrupt="rank 0 handles the interrupt")


def _add_evaluate(commands: "argparse._SubParsersAction[Parser]") -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="evaluate the trained network on the 10,000 test images",
        description="Evaluate the network in OUTPUT/model.pt on the 10,000 test images: accuracy, loss, confusion "
        "matrix, all misclassified images, samples of each digit. Writes evaluation.json and weights.json beside it.",
    )
    add_data(evaluate)
    add_output(evaluate)
    evaluate.add_argument("--quiet", action="store_true", help="print one line only")
    evaluate.set_defaults(run=_evaluate)


def _add_study(commands: "argparse._SubParsersAction[Parser]") -> None:
    study = commands.add_parser(
        "study",
        help="train several seeds of a recipe and compute their statistics",
        description="Train seeds 0, 1, 2 … of a recipe, one after the other; print mean, standard deviation, "
        "confidence interval and time to 99.4 %. Finished seeds are kept and an unfinished one is resumed, so a study "
        "can be stopped and started again, or given more seeds. Runs go to "
        "OUTPUT/study/RECIPE, the result to OUTPUT/study/RECIPE.json.",
    )
    study.add_argument("--seeds", type=positive, default=10, help="how many (default: %(default)s)")
    add_recipe(study)
    add_resources(study)
    add_output(study)
    add_held_out(study)
    study.set_defaults(run=_study, after_interrupt="the same command goes on after the last whole epoch")


def _add_export(commands: "argparse._SubParsersAction[Parser]") -> None:
    export = commands.add_parser(
        "export",
        help="write the trained network as ONNX or safetensors, for other tools",
        description="Write the network in OUTPUT/model.pt in a format that other tools read. The input is float32 "
        "(N, 1, 28, 28), (byte / 255 - 0.1307) / 0.3081; the output is ten logits.",
    )
    export.add_argument("--format", choices=("onnx", "safetensors"), default="onnx", help="(default: %(default)s)")
    export.add_argument("--file", type=Path, help="(default: OUTPUT/model.onnx or OUTPUT/model.safetensors)")
    add_output(export)
    export.set_defaults(run=_export)


def _train(options: argparse.Namespace) -> None:
    recipe = read_recipe(options)
    from mnist import run
    from mnist.progress import Reporter

    settings = run.RunSettings(options.recipe, recipe, options.seed, options.held_out)
    folder = run.run_folder(options.output, options.held_out)
    policy = run.ExistingRunPolicy(options.keep_finished, options.restart)
    history = run.launch(settings, policy, read_resources(options), folder, Reporter())
    if history:
        last = history.epochs[-1]
        print(f"{history.measured_on.capitalize()} accuracy after epoch {last.epoch}: {last.test_accuracy:.2%}")
        print(f"The run is in {folder / 'model.pt'} and {folder / 'history.json'}")


def _join(options: argparse.Namespace) -> None:
    from mnist.run import work

    work(read_resources(options))


def _study(options: argparse.Namespace) -> None:
    recipe = read_recipe(options)
    from backprop.records import write_record
    from mnist import run, study
    from mnist.progress import Reporter

    histories, output = [], run.run_folder(options.output, options.held_out)
    for seed in range(options.seeds):
        folder = study.run_folder(output, options.recipe, seed)
        settings = run.RunSettings(options.recipe, recipe, seed, options.held_out)
        policy = run.ExistingRunPolicy(keep_finished=True)
        history = run.launch(settings, policy, read_resources(options), folder, Reporter())
        if history is None:  # a worker
            continue
        if run.list_differences(history, settings):
            raise MnistError(f"{folder} holds a run with other settings: move it away, or choose another --output")
        histories.append(history)
    if histories:
        found = study.make_study(histories)
        write_record(study.study_file(output, options.recipe), found)
        print(study.describe(found))


def _export(options: argparse.Namespace) -> None:
    from mnist.evaluation import load_network
    from mnist.export import export

    network, history = load_network(options.output / "model.pt")
    path = options.file or options.output / f"model.{options.format}"
    export(network, options.format, path)
    print(f"{path} holds the network after epoch {len(history.epochs)}")


def _evaluate(options: argparse.Namespace) -> None:
    from backprop.records import write_record
    from mnist import evaluation
    from mnist.data import load

    checkpoint = options.output / "model.pt"
    if not checkpoint.exists():
        raise MnistError(f"{checkpoint} does not exist: run `make train`, which writes it")
    found, weights = evaluation.evaluate(checkpoint, load(options.data))
    write_record(options.output / "evaluation.json", found)
    write_record(options.output / "weights.json", weights)
    print(evaluation.headline(found) if options.quiet else evaluation.describe(found))


def _summary(options: argparse.Namespace) -> None:
    from mnist.model import new_network, summarise

    print(summarise(new_network(DEFAULT_SEED)), end="")


def _bench(options: argparse.Namespace) -> None:
    from backprop.records import write_record
    from mnist import bench
    from mnist.data import load
    from mnist.progress import Reporter

    dataset = load(options.data)
    if options.full:
        race = bench.race(options.data, dataset, Reporter().say)
        write_record(options.output / bench.RACE_FILE, race)
        print(bench.describe_race(race))
    else:
        epochs = bench.measure_epochs(options.data)
        write_record(options.output / bench.EPOCHS_FILE, epochs)
        print(bench.describe_epochs(epochs))
