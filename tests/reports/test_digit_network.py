"""The page's own network against torch, in Chromium."""

import base64

import numpy as np
import torch
from torch.nn import functional


def test_logits_are_torchs_on_a_hundred_test_digits(field, digits):
    found = field.evaluate(
        """images => {
        const network = page.readNetwork(JSON.parse(document.getElementById("digit-data").textContent));
        return images.map(image => page.runImage(network, Uint8Array.from(image)).logits);
    }""",
        digits.learnt.images.flatten(1).tolist(),
    )
    assert len(digits.learnt.logits.argmax(1).unique()) >= 5  # the network tells images apart
    np.testing.assert_allclose(found, digits.learnt.logits.numpy(), rtol=0, atol=1e-4)


def test_strides_and_padding_are_torchs(field):
    """The assignment's network strides only where it pools; the page's functions take any facts."""
    generator = torch.Generator().manual_seed(5)
    weight, bias = torch.randn(3, 1, 3, 3, generator=generator), torch.randn(3, generator=generator)
    image = torch.randint(0, 256, (28, 28), generator=generator)
    facts = {"name": "a", "kind": "Conv2d", "kernel": 3, "stride": 2, "padding": 1, "channels": 3, "size": 14}
    pool = {"name": "b", "kind": "MaxPool2d", "kernel": 3, "stride": 2, "padding": 1, "channels": 3, "size": 7}
    tensors = {
        name: {"data": base64.b64encode(tensor.numpy().astype("<f4").tobytes()).decode()}
        for name, tensor in (("a.weight", weight), ("a.bias", bias))
    }
    found = field.evaluate(
        "([data, image]) => page.runImage(page.readNetwork(data), Uint8Array.from(image)).logits",
        [
            {"mean": 0.5, "standard_deviation": 0.25, "epsilon": 1e-5, "layers": [facts, pool], "tensors": tensors},
            image.flatten().tolist(),
        ],
    )
    convolved = functional.conv2d((image[None, None] / 255 - 0.5) / 0.25, weight, bias, stride=2, padding=1)
    expected = functional.max_pool2d(convolved, 3, stride=2, padding=1)
    np.testing.assert_allclose(found, expected.flatten().numpy(), atol=1e-5)


def test_a_layer_of_an_unknown_kind_is_named(field):
    message = field.evaluate(
        """() => {
        try { page.readNetwork({layers: [{kind: "toString"}], tensors: {}}); } catch (error) { return error.message; }
    }"""
    )
    assert "toString" in message
