import re
import subprocess
import sys
from pathlib import Path

import pytest
import records

from backprop.networks.presets import PRESETS
from backprop.part1 import compute_part1
from reports.cli import main
from reports.view import DEFAULT_TITLE, Heading, view_page

PROJECT = Path(__file__).parents[2]


def run(*arguments):
    command = [sys.executable, "-m", "reports", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=120)


def refused(capsys, *arguments, expected=2):
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    shown = capsys.readouterr()
    assert code == expected
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    return shown.err


def test_build_tells_where_everything_is_and_never_imports_torch(built_copy):
    script = (
        "import sys; from reports.cli import main; "
        f"assert main(['build', '--output', {str(built_copy)!r}, '--author=Ada Lovelace', '--title=A title']) == 0; "
        "assert not {'torch', 'torchvision', 'torchsummary'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for name in ("report.html", "backprop.xlsx", "handin"):
        assert str(built_copy / name) in done.stdout


def test_the_module_is_a_command():
    done = run("build", "--nonsense")
    assert done.returncode == 2
    assert done.stderr.startswith("error: unrecognized arguments: --nonsense; ")


@pytest.mark.parametrize(
    ("package", "arguments", "lacks"),
    [("backprop", ["derive"], "sympy"), ("mnist", ["summary"], "torch"), ("reports", ["build"], "numpy")],
)
def test_a_missing_package_is_one_line(package, arguments, lacks):
    script = (
        f"import runpy, sys; sys.modules[{lacks!r}] = None; sys.argv = ['x', *{arguments!r}]\n"
        f"runpy.run_module({package!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(rf"error: {lacks} is not installed: `make report` installs [^\n]+\n", done.stderr)


def test_help_is_quick_and_teaches():
    script = (
        "import sys; sys.argv = ['reports', 'build', '--help']\n"
        "try:\n    from reports.cli import main; main()\n"
        "except SystemExit: pass\n"
        "assert not {'sympy', 'matplotlib', 'numpy', 'jinja2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for word in ("history.json", "make train", "report.html", "handin", "--author"):
        assert word in done.stdout


@pytest.mark.parametrize("option", ["--nonsense", "--learning-rate=0.5", "--preset=mazur"])
def test_an_unknown_option_names_the_help(capsys, option):
    """η and the preset are the workbook's: they are given once, to the command that writes it."""
    assert "--help" in refused(capsys, "build", option)


def test_nothing_there_yet_names_the_target(capsys, tmp_path):
    assert "make workbook" in refused(capsys, "build", "--output", tmp_path)


def test_a_missing_run_names_the_target_and_leaves_the_old_page(capsys, output):
    (output / "report.html").write_text("old")
    (output / "mnist" / "history.json").unlink()
    assert "make train" in refused(capsys, "build", "--output", output)
    assert (output / "report.html").read_text() == "old"


def test_an_unwritable_page_is_one_line(capsys, built_copy):
    (built_copy / "report.html").unlink()
    (built_copy / "report.html").mkdir()
    assert "report.html can't be written" in refused(capsys, "build", "--output", built_copy, expected=74)


def test_names_with_line_breaks_and_other_bytes_stay_on_one_line():
    page = view_page(
        Heading("\n", "Ada\n\x1b[31m\udcffLovelace"),
        compute_part1(PRESETS["class"], 1.0),
        records.inputs(),
    )
    assert page.author == "Ada [31m?Lovelace"
    assert page.title == DEFAULT_TITLE
