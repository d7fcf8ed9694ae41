import subprocess
from pathlib import Path

import pytest
from programs import require

ROOT = Path(__file__).parents[1]


def test_a_checkout_that_converts_line_ends_has_the_same_bytes(tmp_path):
    git = require("git")
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    clones = []
    for convert in ("true", "false"):
        clones.append(tmp_path / convert)
        options = ["--quiet", "--config", f"core.autocrlf={convert}", "--config", "core.eol=crlf"]
        subprocess.run([git, "clone", *options, ROOT, clones[-1]], check=True)
    files = subprocess.run([git, "-C", clones[0], "ls-files"], capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        converted, plain = [(clone / name).read_bytes() for clone in clones]
        assert converted == plain, name
    assert b"\r" not in (clones[0] / ".ci" / "run").read_bytes()
