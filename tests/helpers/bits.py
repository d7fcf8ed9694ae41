"""Whether two trainings ended in the same bits."""

from typing import Any

import torch


def assert_same_bits(one: Any, other: Any) -> None:
    """Compare tensors, and dictionaries and lists of them, bit by bit."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key, value in one.items():
            assert_same_bits(value, other[key])
    elif isinstance(one, list | tuple):
        for left, right in zip(one, other, strict=True):
            assert_same_bits(left, right)
    else:
        assert one == other
