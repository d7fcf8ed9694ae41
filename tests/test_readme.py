import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PACKAGES = {"backprop", "mnist", "reports"}
QUICK = ("derive", "trace", "workbook", "summary")


def commands():
    """Give every command line of the README's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def modules():
    """Give (module, arguments) of every `python -m` line for one of our packages."""
    found = [(words[words.index("-m") + 1], words[words.index("-m") + 2 :]) for words in commands() if "-m" in words]
    return [(module, arguments) for module, arguments in found if module in PACKAGES]


def test_the_readme_shows_commands_of_every_package():
    assert {module for module, _ in modules()} == PACKAGES


@pytest.mark.parametrize(("module", "arguments"), modules(), ids=lambda part: " ".join(part) if part else "-")
def test_every_command_line_is_understood(module, arguments):
    importlib.import_module(f"{module}.__main__")._parser().parse_args(arguments)


@pytest.mark.parametrize(
    ("module", "arguments"), [m for m in modules() if m[1][0] in QUICK], ids=lambda part: "".join(part)
)
def test_quick_commands_do_what_they_say(module, arguments, tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout
    assert process.stderr == ""


def test_every_make_target_exists():
    targets = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1).split())
    named = {word for words in commands() if words[:1] == ["make"] for word in words[1:] if "=" not in word}
    assert named <= targets
    assert {"report", "test"} <= named


def test_every_picture_and_path_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:backprop|mnist|reports|templates)/[\w./]*)`", README):
        assert (ROOT / path).exists(), path
