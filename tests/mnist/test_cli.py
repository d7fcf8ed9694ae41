"""The commands as people type them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mnist.cli import main
from mnist.data import Dataset

GOLDEN = Path(__file__).parents[1] / "reference" / "model-summary.txt"
COMMAND = [sys.executable, "-m", "mnist"]
ONE_THREAD = ["--processes", "1", "--threads", "1"]


@pytest.fixture
def few_images(part: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist.data.load", lambda _: part)
    monkeypatch.setattr("mnist.run.load", lambda _: part)


def test_summary_prints_the_reference_to_the_byte(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["summary"]) == 0
    assert capfdbinary.readouterr() == (GOLDEN.read_bytes(), b"")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["fly"], "fly"),
        (["train", "--epochs", "0"], "--epochs"),
        (["train", "--epochs", "many"], "'many' is not a whole number from 0"),
        (["train", "--epochs", ""], "--epochs"),
        (["train", "--epochs", "1e3"], "--epochs"),
        (["train", "--seed", "-1"], "--seed"),
        (["train", "--seed", "²"], "--seed"),
        (["train", "--seed", "9" * 30], "--seed"),
        (["train", "--threads", "0"], "--threads"),
        (["train", "--recipe", "magic"], "choose one of fast, accurate, course"),
        (["evaluate", "--output", "/nowhere"], "run `make train`"),
        (["evaluate", "--loudly"], "--loudly"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: int | str | None = main(arguments)
    except SystemExit as leaving:
        code = leaving.code
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+\n", shown.err)
    assert named in shown.err


@pytest.mark.usefixtures("few_images")
def test_train_evaluate_and_keep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ["--output", str(tmp_path)]
    assert main(["train", "--epochs", "2", *ONE_THREAD, *output]) == 0
    shown = capsys.readouterr()
    assert re.match(r"Test accuracy after epoch 2: \d+\.\d\d%\n", shown.out)
    assert str(tmp_path / "model.pt") in shown.out
    # Not a terminal, so plain lines: one to begin with, one per epoch.
    assert [line.split()[0] for line in shown.err.splitlines()] == ["Training", "epoch", "epoch"]
    assert main(["evaluate", *output, "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert {path.name for path in tmp_path.glob("[!.]*")} == {
        "model.pt",
        "history.json",
        "evaluation.json",
        "weights.json",
    }
    assert main(["evaluate", *output]) == 0
    assert "Confusion matrix" in capsys.readouterr().out
    assert main(["train", "--epochs", "1", "--keep-finished", *output]) == 0
    assert "epochs 2 (asked for: 1)" in capsys.readouterr().err


@pytest.mark.usefixtures("few_images")
def test_held_out_runs_write_to_a_folder_of_their_own(tmp_path: Path) -> None:
    assert main(["train", "--epochs", "1", *ONE_THREAD, "--held-out", "--output", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["held-out"]


def test_help_names_what_there_is_and_imports_nothing_slow() -> None:
    code = (
        "import sys, mnist.cli, contextlib\nwith contextlib.suppress(SystemExit): mnist.cli.main(['train', '--help'])"
    )
    code += "\nassert not {'torch', 'numpy', 'tqdm', 'msgspec'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for word in ("--recipe", "fast, accurate, course", "--held-out", "OUTPUT/earlier/N", "(default: data)"):
        assert word in " ".join(done.stdout.split())


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, "summary"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
