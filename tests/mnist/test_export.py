"""Exported networks against torch: the same logits."""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from mnist.cli import main
from mnist.data import Dataset
from mnist.evaluation import load_network
from mnist.model import new_network, normalise


@pytest.fixture(scope="module")
def logits(finished_run: Path, dataset: Dataset) -> torch.Tensor:
    network = load_network(finished_run / "model.pt")[0].eval()
    with torch.inference_mode():
        found: torch.Tensor = network(normalise(dataset.test_images[:100]))
    return found


def exported(kind: str, finished_run: Path, folder: Path) -> Path:
    path = folder / f"network.{kind}"
    assert main(["export", "--format", kind, "--output", str(finished_run), "--file", str(path)]) == 0
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_onnxruntime_computes_torchs_logits(
    finished_run: Path, dataset: Dataset, logits: torch.Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = onnxruntime.InferenceSession(exported("onnx", finished_run, tmp_path))
    for count in (1, 100):
        images = normalise(dataset.test_images[:count]).numpy()
        (found,) = session.run(["logits"], {"images": images})
        np.testing.assert_allclose(found, logits[:count].numpy(), rtol=0, atol=1e-4)
    assert capsys.readouterr().out.count("\n") == 1


def test_safetensors_give_torchs_logits(
    finished_run: Path, dataset: Dataset, logits: torch.Tensor, tmp_path: Path
) -> None:
    network = new_network(9)
    network.load_state_dict(load_file(exported("safetensors", finished_run, tmp_path)))
    with torch.inference_mode():
        found = network.eval()(normalise(dataset.test_images[:100]))
    torch.testing.assert_close(found, logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kind", "package"), [("onnx", "onnxscript"), ("safetensors", "safetensors.torch")])
def test_a_missing_package_is_one_line_that_says_what_to_install(
    kind: str,
    package: str,
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["export", "--format", kind, "--output", str(finished_run), "--file", str(tmp_path / "n")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {kind} is not installed")
    assert "export]" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
