"""How all three commands start and end: version, exit codes, one line for whatever goes wrong."""

import os
import re
import signal
import subprocess
import sys

import pytest

from backprop import __version__
from backprop.command import new_parser, run_command
from backprop.errors import BackpropError, OutputError

PACKAGES = ("backprop", "mnist", "reports")


def run(*arguments, **options):
    """Run a module as a user does."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def in_shell(command, unbuffered="", **options):
    """Run a shell's redirections with this Python as $PY."""
    environment = {**os.environ, "PY": sys.executable, "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False, env=environment, **options
    )


def ending(action):
    """Return a command that does one thing."""

    def parser():
        made = new_parser("python -m example", "An example.")
        made.set_defaults(run=lambda _: action())
        return made

    return run_command(parser, [])


def fail(error):
    raise error


@pytest.mark.parametrize("package", PACKAGES)
def test_each_has_a_version(package):
    done = run(package, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"backprop-report {__version__}\n", "")


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("arguments", [[], ["guess"], ["--guess"]], ids=" ".join)
def test_a_wrong_call_is_one_line_that_names_the_help(package, arguments):
    done = run(package, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"error: [^\n]+; `python -m {package} --help` shows what is possible\n", done.stderr)


@pytest.mark.parametrize(
    ("action", "code", "line"),
    [
        (lambda: None, 0, ""),
        (lambda: 1, 1, ""),
        (lambda: fail(BackpropError("wrong: mend it")), 2, "error: wrong: mend it\n"),
        (lambda: fail(KeyboardInterrupt), 130, "\ninterrupted: run the same command again\n"),
        (
            lambda: fail(OutputError("x", OSError(28, "No space left on device"))),
            74,
            "error: x can't be written (No space left on device): free some space there or name another place\n",
        ),
        (
            lambda: fail(ModuleNotFoundError("No module named 'numpy'", name="numpy")),
            2,
            "error: numpy is not installed: `make report` installs all into .venv; by hand, "
            "`pip install --editable '.[mnist,report]'`\n",
        ),
    ],
)
def test_each_ending_has_its_code_and_line(capsys, action, code, line):
    assert ending(action) == code
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("odd\nlines"), ModuleNotFoundError("No module named 'backprop.x'", name="backprop.x")],
)
def test_a_fault_of_ours_names_the_file_with_its_traceback(capsys, tmp_path, monkeypatch, error):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert ending(lambda: fail(error)) == 70
    line = capsys.readouterr().err
    assert re.fullmatch(rf"error: a fault of ours, {type(error).__name__} \([^\n]+\n", line)
    (named,) = tmp_path.iterdir()
    assert line.endswith(f"please report it with {named}\n")
    assert named.read_text().startswith("Traceback")
    assert "in fail" in named.read_text()


def test_a_fault_of_ours_where_nothing_can_be_written_is_still_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert ending(lambda: fail(ZeroDivisionError("odd"))) == 70
    assert re.fullmatch(
        r"error: a fault of ours, ZeroDivisionError \(odd\): please report it \([^\n]+\)\n", capsys.readouterr().err
    )


FULL = "error: the output can't be written (No space left on device): free some space there or name another place\n"


@pytest.mark.parametrize(
    "command",
    ["backprop trace", "backprop trace --iterations 3", "backprop check .", "backprop --help", "reports --version"],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_one_line_and_74(command, unbuffered, tmp_path):
    (tmp_path / "sheet.xlsx").write_bytes(b"no workbook")
    done = in_shell(f'"$PY" -m {command} >/dev/full', unbuffered, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (74, FULL)


@pytest.mark.parametrize("arguments", ["trace", "derive"])
def test_a_reader_that_has_seen_enough_ends_it_silently(arguments):
    done = in_shell(f'"$PY" -m backprop {arguments} | head -1; echo ${{PIPESTATUS[0]}}')
    assert done.stdout.splitlines()[-1] in ("74", "0")  # 0 where all was written before the reader went
    assert done.stderr == ""
    with subprocess.Popen(
        [sys.executable, "-m", "backprop", "trace"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 74


def test_a_closed_output_is_refused_before_anything_is_done(tmp_path):
    done = in_shell('"$PY" -m backprop workbook >&-', cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (74, [])
    assert re.fullmatch(r"error: standard output is closed: [^\n]+\n", done.stderr)


def test_a_closed_error_output_keeps_results_clean(tmp_path):
    done = in_shell('"$PY" -m backprop trace --learning-rate 1e8 2>&-')
    assert done.returncode == 0
    assert "warning" not in done.stdout


def test_a_full_error_output_changes_neither_results_nor_exit_codes():
    overflowing = '"$PY" -m backprop trace --learning-rate 1e300 --iterations 50'
    expected = in_shell(f"{overflowing} 2>/dev/null")
    assert expected.stdout
    assert in_shell(f"{overflowing} 2>/dev/full").stdout == expected.stdout
    assert in_shell('"$PY" -m backprop nonsense 2>/dev/full').returncode == 2


def test_a_line_break_in_a_name_stays_within_the_line():
    done = run("backprop", "workbook", "-o", "no\nfolder.txt")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_machine_that_cannot_write_is_no_fault_of_ours(capsys):
    assert ending(lambda: fail(OSError(30, "Read-only file system", "/there"))) == 74
    assert capsys.readouterr().err.startswith("error: /there can't be written (Read-only file system)")


def test_ctrl_c_is_one_line_and_130():
    code = "import os, signal, sys; from backprop.__main__ import main\n"
    code += (
        "import backprop.simulate; backprop.simulate.simulate = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)\n"
    )
    code += "sys.exit(main(['trace']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130
    assert done.stderr == "\ninterrupted: run the same command again\n"
