"""The images against the sums and counts that MNIST is known by."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from mnist.data import Dataset, hold_out
from mnist.errors import MnistError
from mnist.idx import MD5_SUMS, decode, encode, raw_folder

# Images of each digit 0 to 9, as published in many places.
TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_files_are_mnist_to_the_byte(data_folder: Path) -> None:
    for name, md5 in MD5_SUMS.items():
        assert hashlib.md5((raw_folder(data_folder) / name).read_bytes()).hexdigest() == md5


def test_labels_have_the_published_counts(dataset: Dataset) -> None:
    assert dataset.train_labels.bincount().tolist() == TRAIN_COUNTS
    assert dataset.test_labels.bincount().tolist() == TEST_COUNTS


def test_tensors_are_those_that_torchvision_reads(data_folder: Path, dataset: Dataset) -> None:
    for train, images, labels in (
        (True, dataset.train_images, dataset.train_labels),
        (False, dataset.test_images, dataset.test_labels),
    ):
        theirs = torchvision.datasets.MNIST(str(data_folder), train=train)
        assert torch.equal(theirs.data, images)
        assert torch.equal(theirs.targets, labels)


def test_held_out_images_are_5000_training_images_and_no_test_images(dataset: Dataset) -> None:
    split = hold_out(dataset, 0)
    assert (len(split.train_labels), len(split.test_labels)) == (55_000, 5_000)

    def fingerprints(*parts: torch.Tensor) -> list[bytes]:
        return sorted(image.numpy().tobytes() for part in parts for image in part)

    assert fingerprints(split.train_images, split.test_images) == fingerprints(dataset.train_images)
    assert not set(fingerprints(split.test_images)) & set(fingerprints(dataset.test_images))


def test_idx_files_can_be_read_back() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(decode(encode(array)), array)


@pytest.mark.parametrize("content", [b"", b"abcdef", b"\0\0\x0d\1\0\0\0\1\0\0\0\0"])
def test_other_content_is_not_taken_for_idx(content: bytes) -> None:
    with pytest.raises(MnistError, match="no IDX file"):
        decode(content)
