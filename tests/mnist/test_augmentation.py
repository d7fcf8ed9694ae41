"""Shifts against torchvision's, one image at a time."""

import torch
from torchvision.transforms.functional import affine

from mnist.augmentation import draw_offsets, shifted
from mnist.data import Dataset


def test_each_image_moves_as_torchvision_moves_it(part: Dataset) -> None:
    images = part.train_images[:50]
    offsets = draw_offsets(50, 2, torch.Generator().manual_seed(0))
    for image, moved, (down, right) in zip(images, shifted(images, offsets), offsets.tolist(), strict=True):
        expected = affine(image[None], angle=0, translate=[right, down], scale=1, shear=[0.0])[0]
        assert torch.equal(moved, expected)


def test_every_offset_occurs_about_equally_often() -> None:
    offsets = draw_offsets(90_000, 1, torch.Generator().manual_seed(0))
    places, counts = offsets.unique(dim=0, return_counts=True)
    assert len(places) == 9
    assert ((counts - 10_000).abs() < 500).all()


def test_no_shift_leaves_images_alone(part: Dataset) -> None:
    offsets = draw_offsets(len(part.train_images), 0, torch.Generator())
    assert torch.equal(shifted(part.train_images, offsets), part.train_images)
