import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def make(tmp_path):
    """Run make with an environment that is already installed, and commands that are only written down."""
    venv, calls = tmp_path / "venv", tmp_path / "calls"
    venv.mkdir()
    python = venv / "python"
    record = f"import json, sys; open({str(calls)!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{record}" "$@"\n')
    python.chmod(0o755)
    for name in ("base", "report", "handin", "quick", "lint", "dev"):
        (venv / f"{name}.stamp").touch()

    def run(*arguments):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
        command = ["make", "-C", ROOT, f"VENV={venv}", f"PY={python}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else done.stdout

    return run


@pytest.mark.parametrize(("target", "last"), [("report", "build"), ("handin", "handin")])
def test_results_come_first_and_then_what_shows_them(make, tmp_path, target, last):
    calls = make(target, f"OUT={tmp_path}/out")
    assert [call[1:3] for call in calls] == [
        ["backprop", "workbook"],
        ["mnist", "train"],
        ["mnist", "evaluate"],
        ["backprop", "prove"],
        ["reports", last],
    ]
    assert not any("--author" in argument or "--epochs" in argument for call in calls for argument in call)


@pytest.mark.parametrize("name", ["O'Neil", 'a "quoted" name', "$(HOME) $HOME $$ `id`", "a; b & c | d", "漢字 Ω", "#x"])
def test_names_reach_the_commands_untouched(make, name):
    calls = make("report", f"AUTHOR={name}", f"OUT={name.replace('/', '')}", "ETA=0.5", "EPOCHS=1", "SEED=7")
    assert f"--author={name}" in calls[-1]
    assert f"--output={name}/backprop.xlsx" in calls[0]
    assert ["--learning-rate=0.5" in call for call in calls] == [True, False, False, False, False]
    assert {"--epochs=1", "--seed=7"} <= set(calls[1])


@pytest.mark.parametrize("name", ["my sheet.xlsx", "O'Neil $(HOME)", "-dash"])
def test_a_check_gets_its_page_and_its_copies(make, name):
    assert make("check", f"FILE={name}") == [["-m", "backprop", "check", "--", name]]
    (_, call) = make("check", f"FILE={name}", f"HTML={name}.html", f"ANNOTATE={name}", "FIXED=fixed", "FORCE=1")
    flags = [f"--html={name}.html", f"--annotate={name}", "--fixed=fixed", "--force"]
    assert call == ["-m", "backprop", "check", *flags, "--", name]


def test_a_network_reaches_the_workbook_alone(make):
    calls = make("report", "NETWORK=my network.toml")
    assert ["--network=my network.toml" in call for call in calls] == [True, False, False, False, False]


def test_the_scripts_of_make_find_the_packages_and_not_the_tests_folders_of_the_same_name():
    scripts = re.findall(r"\$\(PY\)(.*) (tests/\w+\.py)", (ROOT / "Makefile").read_text())
    assert {script for _, script in scripts} == {"tests/bench.py", "tests/gallery.py", "tests/campaign.py"}
    for options, script in scripts:
        code = f"import runpy; runpy.run_path({script!r}, run_name='imported')"
        command = [sys.executable, *options.split(), "-c", code]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (options, done.returncode, done.stderr) == (" -P", 0, "")


def test_help_lists_every_target(make):
    listed = re.findall(r"^  make (\w+)", make("help"), re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(phony.group(1).split())


def test_clean_leaves_what_is_not_ours(make, tmp_path):
    out = tmp_path / "out"
    for place in (
        "mnist/model.pt",
        "handin/README.md",
        "handin/backprop_report-0.1.0-py3-none-any.whl",
        "handin/pictures/sheet.png",
        "handin.zip",
        "report.html",
        "backprop.json",
        "pictures-of-tests/dark.png",
        "mine.txt",
    ):
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        (out / place).write_text("x")
    shutil.copy(ROOT / "LICENSE", out / "backprop.xlsx")
    make("clean", f"OUT={out}")
    assert [entry.name for entry in out.iterdir()] == ["mine.txt"]
    (out / "handin" / ".git").mkdir(parents=True)
    (out / "handin" / "README.md").write_text("x")
    make("clean", f"OUT={out}")
    assert [entry.name for entry in (out / "handin").iterdir()] == [".git"]
