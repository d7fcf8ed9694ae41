"""The images of an epoch: the hardest ones and a random part of the rest, shifted as torchvision shifts them."""

import torch
from torchvision.transforms.functional import affine

from mnist.batches import HardExamples, draw_offsets, shift_images
from mnist.data import Dataset
from mnist.distributed import SINGLE_PROCESS, ProcessGroup


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def record(losses: list[float]) -> HardExamples:
    found = HardExamples(len(losses))
    indices = torch.randperm(len(losses), generator=generator())
    found.record(indices, torch.tensor(losses)[indices])
    found.exchange(SINGLE_PROCESS)
    return found


def test_the_hardest_are_always_sampled_and_the_others_change() -> None:
    losses = torch.rand(1000, generator=generator()).tolist()
    hardest = set(sorted(range(1000), key=lambda index: -losses[index])[:100])
    draws = [set(record(losses).sample(100, 300, generator(seed)).tolist()) for seed in range(20)]
    assert all(len(draw) == 300 and hardest < draw for draw in draws)
    # 200 of 900 others each time: in twenty draws nearly all of them come up.
    assert len(set().union(*draws)) > 980


def test_images_never_seen_count_as_the_hardest() -> None:
    found = HardExamples(6)
    found.record(torch.tensor([1, 3, 4]), torch.tensor([9.0, 8.0, 7.0]))
    found.exchange(SINGLE_PROCESS)
    assert sorted(found.sample(4, 4, generator()).tolist()) == [0, 1, 2, 5]


def test_a_full_epoch_sees_each_image_once_whatever_the_losses() -> None:
    indices = record([5.0, 1.0, 3.0]).sample(3, 3, generator(7))
    assert sorted(indices.tolist()) == [0, 1, 2]
    assert torch.equal(indices, HardExamples(3).sample(3, 3, generator(7)))


def test_processes_exchange_losses() -> None:
    class Two(ProcessGroup):
        """Two processes, of which the other has seen image 2."""

        def sum(self, tensor: torch.Tensor) -> torch.Tensor:
            return tensor + torch.tensor([[0.0, 0.0, 4.0], [0.0, 0.0, 1.0]])

    found = HardExamples(3)
    found.record(torch.tensor([0]), torch.tensor([2.0]))
    found.exchange(Two(0, 2))
    assert found.losses.tolist() == [2.0, float("inf"), 4.0]


def test_each_image_moves_as_torchvision_moves_it(part: Dataset) -> None:
    images = part.train_images[:50]
    offsets = draw_offsets(50, 2, torch.Generator().manual_seed(0))
    for image, moved, (down, right) in zip(images, shift_images(images, offsets), offsets.tolist(), strict=True):
        expected = affine(image[None], angle=0, translate=[right, down], scale=1, shear=[0.0])[0]
        assert torch.equal(moved, expected)


def test_every_offset_occurs_about_equally_often() -> None:
    offsets = draw_offsets(90_000, 1, torch.Generator().manual_seed(0))
    places, counts = offsets.unique(dim=0, return_counts=True)
    assert len(places) == 9
    assert ((counts - 10_000).abs() < 500).all()


def test_no_shift_leaves_images_alone(part: Dataset) -> None:
    offsets = draw_offsets(len(part.train_images), 0, torch.Generator())
    assert torch.equal(shift_images(part.train_images, offsets), part.train_images)
