"""The words that teach the derivation: why each panel is there, and why the lines that carry the idea are true."""

from dataclasses import dataclass

from backprop.network import Network


@dataclass(frozen=True)
class PanelWords:
    """What to say around the formulas of one panel."""

    introduction: str
    reasons: dict[int, str]
    """Why a line holds, by its place in the panel."""
    conclusion: str


def panel_words(network: Network) -> tuple[PanelWords, ...]:
    """Give the words for panels 1 to 6 of a network with one hidden layer of two neurons and two outputs."""
    hidden, output = (layer[0] for layer in network.layers)
    return (
        _forward(network),
        _chain(output.weights[0], output.name, output.activation, network.errors, hidden.activation),
        _output_layer(output.weights[0], output.weights[1], output.name),
        _hidden_activations(hidden.activation, network.errors),
        _hidden_chain(),
        _hidden_layer(hidden.activation),
    )


def _forward(network: Network) -> PanelWords:
    bias = " plus a bias" if network.biases else ""
    return PanelWords(
        f"Read from left to right, the network is plain arithmetic. A neuron multiplies each value that comes in by a "
        f"weight and adds the products{bias}: its net input. The sigmoid σ squeezes that sum, however large, into a "
        "value between 0 and 1: its output. Two layers of this turn the inputs into two outputs, and the error says "
        "in one number how far these are from the targets.",
        {
            2: "σ rises smoothly from 0 to 1. Without such a bend two layers would be no more than one, because sums "
            "of sums are sums.",
            8: "One number to make small, so that “better” has a meaning for all weights at once.",
            9: "Squaring makes misses on both sides count alike. The ½ is there to cancel the 2 that differentiation "
            "brings down.",
        },
        "",
    )


def _chain(weight: str, net: str, out: str, errors: tuple[str, ...], source: str) -> PanelWords:
    mine, others = errors[0], errors[1]
    return PanelWords(
        f"If {weight} grows by a hair, how much does the error grow? That ratio is the partial derivative, and its "
        f"sign says which way to turn {weight}. But {weight} does not touch the error directly: it moves {net}, "
        f"{net} moves {out}, and {out} moves {mine}. Like meshing gears, the ratios along that path multiply. "
        "This is the chain rule, and there is nothing else to backpropagation.",
        {
            0: "Write out what the total error is before differentiating it.",
            1: f"{others} is computed from the other output, in which {weight} does not occur; its derivative is 0.",
            3: f"The square brings down a 2 that cancels the ½. The inner derivative of minus {out} is −1, and turns "
            "target minus output into output minus target: positive when the output is too high.",
            4: "The sigmoid’s slope can be written with its own output, which the forward pass has already computed. "
            "It is largest in the middle, ¼ at an output of ½, and fades towards 0 and 1.",
            5: f"The net input is a sum, and {weight} stands in one of its terms, times {source}. So {source} is how "
            f"fast {net} follows {weight}.",
        },
        "",
    )


def _output_layer(first: str, second: str, net: str) -> PanelWords:
    return PanelWords(
        "Multiply the three factors, and do the same for the other weights of this layer.",
        {},
        f"Look at what repeats. The weights that lead into one output share everything but the last factor: {first} "
        f"and {second} both begin with the error signal of {net}, that is output minus target times slope. What "
        "differs is the value that came in through the weight. Every gradient in every network of this kind has this "
        "form: error signal at the far end of the weight, times value at its near end.",
    )


def _hidden_activations(activation: str, errors: tuple[str, ...]) -> PanelWords:
    return PanelWords(
        f"No target says what {activation} should be. It can only be judged by what it does to the neurons behind it, "
        "and it feeds both of them.",
        {
            0: f"One way leads to {errors[0]}: the error signal of that output, sent back through the weight between.",
            1: f"The other leads to {errors[1]}, through another weight.",
            2: "Where a value acts in two ways, its effects add up: the chain rule multiplies along a path and adds "
            "over paths.",
        },
        "This step gave the method its name. The error signals travel back over the same weights that carried the "
        "activations forward.",
    )


def _hidden_chain() -> PanelWords:
    return PanelWords(
        "With panel 4 in hand, the hidden weights are no harder than the output weights: from the hidden activation "
        "it is two more steps back to the weight, through the sigmoid and through the sum, as in panel 2.",
        {},
        "",
    )


def _hidden_layer(activation: str) -> PanelWords:
    return PanelWords(
        "Put in what panel 4 found, and the slopes from panel 2. Everything on the right is a number that the forward "
        f"pass has left in the sheet, so a gradient costs a few multiplications. The bracket is the same for both "
        f"weights that lead to {activation}; only the input at the end differs.",
        {},
        "",
    )
