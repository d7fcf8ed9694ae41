"""What built the page: versions, and the commit of the project."""

import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Provenance:
    """What a reader needs to build the same page again, beside what the run recorded of itself."""

    software: Mapping[str, str]
    """Versions by name."""
    commit: str | None
    """Of the project; None where it is no git checkout."""


def view_provenance() -> Provenance:
    """Collect what builds the page."""
    packages = {"SymPy": "sympy", "NumPy": "numpy", "Matplotlib": "matplotlib"}
    versions = {name: version(package) for name, package in packages.items()}
    return Provenance({"Python": platform.python_version(), **versions}, project_commit(_PROJECT))


def project_commit(project: Path) -> str | None:
    """Return the commit of a git checkout, with `-dirty` where files differ; None where there is no checkout."""
    if not (project / ".git").exists():
        return None
    describe = ["describe", "--always", "--abbrev=40", "--match=", "--dirty"]
    command = ["git", "--no-optional-locks", "-C", str(project), *describe]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
