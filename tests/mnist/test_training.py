"""Training in memory: that it learns, averages, and notices when it breaks."""

import dataclasses

import pytest
import torch

from mnist.data import Dataset
from mnist.errors import MnistError
from mnist.model import new_network
from mnist.recipe import Recipe
from mnist.training import Training, measure


def test_one_batch_can_be_learnt_by_heart(part: Dataset, tiny: Recipe) -> None:
    images, labels = part.train_images[:64], part.train_labels[:64]
    recipe = dataclasses.replace(tiny, epochs=60, shift=0, learning_rate=0.5, averaging_start=1.0)
    training = Training(recipe, 0, "float32", Dataset(images, labels, images, labels))
    for epoch in range(1, recipe.epochs + 1):
        progress = list(training.steps(epoch))[-1]
    assert progress.accuracy == 1.0
    assert progress.loss < 0.1
    assert measure(training.evaluated_network, images, labels).accuracy == 1.0


def test_every_image_is_seen_once_an_epoch(part: Dataset, tiny: Recipe) -> None:
    recipe = dataclasses.replace(tiny, epochs=1)
    steps = list(Training(recipe, 0, "float32", part).steps(1))
    assert len(steps) == 11  # 650 images in batches of 64, the last one of 10
    assert steps[-1].images == 650


def test_evaluated_weights_are_the_mean_of_those_on_the_way(part: Dataset, tiny: Recipe) -> None:
    recipe = dataclasses.replace(tiny, epochs=2, averaging_start=0.5, averaging_interval=5)
    training = Training(recipe, 0, "float32", part)
    met = []
    for epoch in (1, 2):
        for _ in training.steps(epoch):
            met.append([parameter.detach().double().clone() for parameter in training.network.parameters()])
        assert training.averaged == (epoch == 2)
    # 22 steps: averaging begins at step 11 and ends with the last, so that steps 11, 16 and 21 enter.
    expected = [torch.stack(values).mean(0) for values in zip(met[11], met[16], met[21], strict=True)]
    for ours, theirs in zip(training.evaluated_network.parameters(), expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-6)


def test_without_averaging_the_trained_weights_count(part: Dataset, tiny: Recipe) -> None:
    training = Training(dataclasses.replace(tiny, epochs=1, averaging_start=1.0), 0, "float32", part)
    record = training.run_epoch(1, lambda _: None)
    assert not record.averaged
    assert training.evaluated_network is training.network


def test_measuring_agrees_with_torchs_own_loss(part: Dataset) -> None:
    network = new_network(0).eval()
    pixels = (part.test_images.double() / 255 - 0.1307) / 0.3081
    with torch.no_grad():
        logits = network.double()(pixels[:, None])
    expected = torch.nn.CrossEntropyLoss()(logits, part.test_labels).item()
    found = measure(network.float(), part.test_images, part.test_labels)
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert found.correct == int((logits.argmax(1) == part.test_labels).sum())
    assert found.accuracy == found.correct / 300


def test_a_loss_that_is_no_number_ends_the_run(part: Dataset, tiny: Recipe) -> None:
    recipe = dataclasses.replace(tiny, learning_rate=1e30)
    with pytest.raises(MnistError, match=r"the loss became (nan|inf) in epoch 1, by step \d+: .* --restart"):
        list(Training(recipe, 0, "float32", part).steps(1))


def test_a_last_step_that_breaks_the_network_ends_the_run_too(part: Dataset, tiny: Recipe) -> None:
    # One step: its loss is from before it, so only measuring shows what it did.
    few = Dataset(part.train_images[:64], part.train_labels[:64], part.test_images, part.test_labels)
    training = Training(dataclasses.replace(tiny, epochs=1, learning_rate=1e30), 0, "float32", few)
    with pytest.raises(MnistError, match=r"the loss became .* on the images evaluated after epoch 1: "):
        training.run_epoch(1, lambda _: None)


def test_bfloat16_learns_as_float32_does(part: Dataset, tiny: Recipe) -> None:
    losses = [
        Training(tiny, 0, precision, part).run_epoch(1, lambda _: None).train_loss
        for precision in ("float32", "bfloat16")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert losses[0] != losses[1]


def test_states_of_another_network_are_refused(part: Dataset, tiny: Recipe) -> None:
    training = Training(tiny, 0, "float32", part)
    other = {**training.states(), "network": torch.nn.Linear(2, 2).state_dict()}
    for states in (other, {}, {**training.states(), "optimizer": 3}):
        with pytest.raises(MnistError, match="another network"):
            training.load_states(states)
