"""Where the page's numbers come from: versions, machine, data, checkpoint, commit."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from mnist.records import Evaluation, History
from reports.views.recipe_words import Fact

_PROJECT = Path(__file__).resolve().parents[2]


def provenance(history: History, evaluation: Evaluation) -> tuple[Fact, ...]:
    """List what a reader needs to get the same numbers again."""
    versions, hardware = history.versions, history.hardware
    trained = (
        f"Python {versions.python}, torch {versions.torch}, torchvision {versions.torchvision}, NumPy {versions.numpy}"
    )
    built = f"Python {platform.python_version()}, " + ", ".join(
        f"{name} {version(package)}"
        for name, package in (("SymPy", "sympy"), ("NumPy", "numpy"), ("Matplotlib", "matplotlib"))
    )
    facts = [
        Fact("Training", trained, "The software that trained and measured the network."),
        Fact("Page", built, "The software that derived, drew and wrote this page."),
        Fact("Seed", str(history.seed), "Fixes the initial weights, the order of the images and their shifts."),
        Fact("Processor", hardware.cpu or "unknown", f"{hardware.description}."),
        Fact("System", hardware.platform, f"Convolutions computed in {hardware.precision}."),
        Fact("Checkpoint", evaluation.checkpoint_sha256, "SHA-256 of model.pt, whose weights were measured."),
        *(Fact(name, digest, "MD5 of the uncompressed MNIST file.") for name, digest in evaluation.data.items()),
    ]
    commit = project_commit(_PROJECT)
    if commit:
        facts.append(Fact("Commit", commit, "Of the project whose code built this page."))
    return tuple(facts)


def project_commit(project: Path) -> str | None:
    """Name the commit of a git checkout, with `-dirty` where files differ from it; None where there is no checkout."""
    if not (project / ".git").exists():
        return None
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(project),
        "describe",
        "--always",
        "--abbrev=40",
        "--match=",
        "--dirty",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
