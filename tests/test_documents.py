"""README.md, CONTRIBUTING.md and CHANGELOG.md: their commands, paths, pictures and the example change."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from programs import require

from backprop import __version__
from backprop.networks import read_text

ROOT = Path(__file__).parents[1]
DOCUMENTS = {name: (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
PACKAGES = ("backprop", "mnist", "reports")
QUICK = ("derive", "networks", "trace", "workbook", "summary")
TARGETS = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1).split())


def blocks(language):
    """Return every fenced block of a language."""
    found = (re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for text in DOCUMENTS.values())
    return [block for document in found for block in document]


def commands():
    """Return the words of every command line, those within sentences too."""
    within = (re.findall(r"`((?:make|python -m|python tests/)[^`\n]*)`", text) for text in DOCUMENTS.values())
    lines = [line for block in blocks("sh") for line in block.splitlines()] + [line for text in within for line in text]
    return [shlex.split(line, comments=True) for line in lines]


def modules():
    """Return (module, arguments) of every `python -m` line for one of our packages."""
    found = [(words[words.index("-m") + 1], words[words.index("-m") + 2 :]) for words in commands() if "-m" in words]
    return [
        (module, arguments[: arguments.index(">")] if ">" in arguments else arguments)
        for module, arguments in found
        if module in PACKAGES and arguments[:1] not in ([], ["--help"])
    ]


def test_the_documents_show_commands_of_every_package():
    assert {module for module, _ in modules()} == set(PACKAGES)


@pytest.mark.parametrize(("module", "arguments"), modules(), ids=lambda part: " ".join(part) if part else "-")
def test_every_command_line_is_understood(module, arguments):
    importlib.import_module(f"{module}.__main__")._parser().parse_args(arguments)


@pytest.mark.parametrize(
    ("module", "arguments"), [m for m in modules() if m[1][0] in QUICK], ids=lambda part: "".join(part)
)
def test_quick_commands_do_what_they_say(module, arguments, tmp_path):
    (tmp_path / "my.toml").write_text(read_text("relu"), encoding="utf-8")  # as the line before says
    process = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout
    assert process.stderr == ""


def test_every_make_target_exists():
    named = {word for words in commands() if words[:1] == ["make"] for word in words[1:] if "=" not in word}
    assert named <= TARGETS
    assert {"report", "test", "quick", "lint"} <= named


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_picture_and_path_exists(name):
    for target in re.findall(r"\]\(((?!https:)[^)#]+)\)", DOCUMENTS[name]):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:backprop|mnist|reports|templates|tests)/[\w./]*)`", DOCUMENTS[name]):
        assert (ROOT / path).exists(), path


def test_every_room_is_described():
    described = DOCUMENTS["CONTRIBUTING.md"]
    for package in PACKAGES:
        assert f"`{package}/" in described
    for room in (ROOT / "backprop").glob("*/__init__.py"):
        assert f"`backprop/{room.parent.name}/`" in described


def test_the_changelog_knows_the_present_version():
    assert f"## [{__version__}]" in DOCUMENTS["CHANGELOG.md"]


def test_the_example_change_applies_and_its_own_test_sees_it(tmp_path):
    require("git")
    (command,) = [line for block in blocks("sh") for line in block.splitlines() if "git apply" in line]
    for folder in ("backprop", "mnist", "reports", "templates", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    for name in ("pyproject.toml", "Makefile", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path)
    test = "tests/reports/test_render.py::test_the_epoch_log_shows_the_steps"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    pytest_call = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", test]
    assert "test_the_epoch_log_shows_the_steps" not in (tmp_path / "tests" / "reports" / "test_render.py").read_text()
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    after = subprocess.run(pytest_call, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert after.returncode == 0, after.stdout
    assert re.search(r"^\d+ passed in", after.stdout, re.MULTILINE)
