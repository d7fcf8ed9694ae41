"""Networks for tests, made up by their files."""

from backprop.networks.presets import PRESETS, parse_network

CLASS_LIKE = [name for name, preset in PRESETS.items() if preset.network.description == "2-2-2 sigmoid"]
"""The shipped networks that the page tells."""


def write_network(sizes, activations="sigmoid", biases="none", learning_rate=0.5, loss="half squared error"):
    """Write the file of a network with starting values: the same ones every time, small and without a pattern."""
    return f"""
        [network]
        layers = {list(sizes)}
        activations = {activations!r}
        loss = "{loss}"
        biases = "{biases}"
        [[samples]]
        inputs = {[round(0.05 * place, 2) for place in range(1, sizes[0] + 1)]}
        targets = {[0.99 if place % 2 else 0.01 for place in range(sizes[-1])]}
        [start]
        init = {{ low = 0.1, high = 0.6, seed = 1 }}
        [training]
        learning_rate = {learning_rate}
    """


def invent(*what, **more):
    """Return such a network."""
    return parse_network(write_network(*what, **more), "a test", "made up")
