"""The trained network in formats that other tools read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import torch

from backprop.files import write_file
from mnist.constants import IMAGE_SIZE
from mnist.errors import MnistError
from mnist.model import ConvNet


def to_onnx(network: ConvNet) -> bytes:
    """Serialise the network as ONNX: `images` float32 (N, 1, 28, 28) from `mnist.model.normalise` → `logits` (N, 10).

    Raises MnistError where the packages for it are missing.
    """
    try:
        import onnxscript  # noqa: F401  torch's exporter needs it
    except ImportError:
        raise _missing("onnx") from None
    example = torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE)
    program = torch.onnx.export(
        network.eval().to(memory_format=torch.contiguous_format),
        (example,),
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("images")},),
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise MnistError("torch could not export the network: please report this")
    content: bytes = program.model_proto.SerializeToString()
    return content


def to_safetensors(network: ConvNet) -> bytes:
    """Serialise the network's weights and running statistics as safetensors, by the names of its state dictionary.

    Raises MnistError where the package for it is missing.
    """
    try:
        from safetensors.torch import save
    except ImportError:
        raise _missing("safetensors") from None
    return save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


def _missing(name: str) -> MnistError:
    return MnistError(f"{name} is not installed: run `.venv/bin/python -m pip install --editable '.[mnist,export]'`")


FORMATS: Mapping[str, Callable[[ConvNet], bytes]] = MappingProxyType({"onnx": to_onnx, "safetensors": to_safetensors})


def export(network: ConvNet, kind: str, path: Path) -> None:
    """Write the network in a format of `FORMATS`. Raises MnistError where that is not possible."""
    write_file(path, FORMATS[kind](network))
