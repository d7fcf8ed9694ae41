"""Which images an epoch sees: the hardest of what was seen, and a random part of the rest."""

import torch

from mnist.difficulty import Difficulty
from mnist.team import ALONE, Team


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def seen(losses: list[float]) -> Difficulty:
    found = Difficulty(len(losses))
    places = torch.randperm(len(losses), generator=generator())
    found.note(places, torch.tensor(losses)[places])
    found.exchange(ALONE)
    return found


def test_the_hardest_are_always_chosen_and_the_others_change() -> None:
    losses = torch.rand(1000, generator=generator()).tolist()
    hardest = set(sorted(range(1000), key=lambda place: -losses[place])[:100])
    draws = [set(seen(losses).choose(100, 300, generator(seed)).tolist()) for seed in range(20)]
    assert all(len(draw) == 300 and hardest < draw for draw in draws)
    # 200 of 900 others each time: in twenty draws nearly all of them come up.
    assert len(set().union(*draws)) > 980


def test_images_never_seen_count_as_the_hardest() -> None:
    found = Difficulty(6)
    found.note(torch.tensor([1, 3, 4]), torch.tensor([9.0, 8.0, 7.0]))
    found.exchange(ALONE)
    assert sorted(found.choose(4, 4, generator()).tolist()) == [0, 1, 2, 5]


def test_a_whole_epoch_sees_each_image_once_whatever_the_losses() -> None:
    places = seen([5.0, 1.0, 3.0]).choose(3, 3, generator(7))
    assert sorted(places.tolist()) == [0, 1, 2]
    assert torch.equal(places, Difficulty(3).choose(3, 3, generator(7)))


def test_processes_learn_from_each_other() -> None:
    class Two(Team):
        """Two processes, of which the other has seen image 2."""

        def sum(self, tensor: torch.Tensor) -> torch.Tensor:
            return tensor + torch.tensor([[0.0, 0.0, 4.0], [0.0, 0.0, 1.0]])

    found = Difficulty(3)
    found.note(torch.tensor([0]), torch.tensor([2.0]))
    found.exchange(Two(0, 2))
    assert found.losses.tolist() == [2.0, float("inf"), 4.0]
