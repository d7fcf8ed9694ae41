"""The network against the assignment's printed summary, torch's autograd and torch's operation counter."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mnist.constants import PIXEL_MEAN, PIXEL_STD
from mnist.data import Dataset
from mnist.model import count_parameters, layer_facts, new_network, normalise, summarise

GOLDEN = Path(__file__).parents[1] / "reference" / "model-summary.txt"
PARAMETERS = 15_662


def test_summary_is_the_assignments_to_the_byte() -> None:
    assert summarise(new_network(0)).encode() == GOLDEN.read_bytes()


def test_describing_a_network_does_not_change_it() -> None:
    network, untouched = new_network(0), new_network(0)
    summarise(network)
    layer_facts(network)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, untouched.state_dict()[name])


def test_parameters_of_the_layers_sum_to_the_networks() -> None:
    network = new_network(0)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS
    assert count_parameters(network) == PARAMETERS
    assert sum(layer.parameters for layer in layer_facts(network)) == PARAMETERS


def test_layers_have_the_summarys_kinds_shapes_and_parameters() -> None:
    rows = [line.split() for line in GOLDEN.read_text().splitlines() if "[-1" in line]
    assert [f"{facts.kind}-{number}" for number, facts in enumerate(layer_facts(new_network(0)), 1)] == [
        row[0] for row in rows
    ]
    for row, facts in zip(rows, layer_facts(new_network(0)), strict=True):
        assert row[1:] == ["[-1,", f"{facts.channels},", f"{facts.size},", f"{facts.size}]", f"{facts.parameters:,}"]


@pytest.mark.parametrize("depth", range(1, 18))
def test_receptive_field_is_the_region_from_which_autograd_brings_a_gradient(depth: int) -> None:
    network = new_network(0).eval()
    layers = torch.nn.Sequential(*list(network.children())[:depth])
    facts = layer_facts(network)[depth - 1]
    # Many random images, because ReLU and maximum let only some of the pixels through in each.
    images = torch.randn(400, 1, 28, 28, requires_grad=True)
    result = layers(images)
    middle = facts.size // 2
    result[:, :, middle, middle].sum().backward()
    assert images.grad is not None
    touched = images.grad.abs().sum((0, 1)) > 0
    for edge in (touched.any(0), touched.any(1)):
        places = edge.nonzero().flatten()
        assert int(places.max() - places.min()) + 1 == min(facts.receptive_field, 28)


def test_multiply_adds_are_half_the_operations_that_torch_counts() -> None:
    network = new_network(0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, 28, 28))
    assert 2 * sum(facts.multiply_adds for facts in layer_facts(network)) == counter.get_total_flops()


def test_initial_weights_follow_from_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = new_network(1), new_network(1), new_network(2)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


def test_normalised_training_images_have_mean_0_and_std_1(dataset: Dataset) -> None:
    values = normalise(dataset.train_images[:20_000])
    assert values.shape == (20_000, 1, 28, 28)
    assert values.mean().item() == pytest.approx(0, abs=0.01)
    assert values.std().item() == pytest.approx(1, abs=0.01)
    exact = dataset.train_images.double() / 255
    assert (round(exact.mean().item(), 4), round(exact.std().item(), 4)) == (PIXEL_MEAN, PIXEL_STD)
