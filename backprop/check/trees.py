"""Right formulas as small trees of numbers, which can be changed in one place and computed again at once."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from backprop.check.functions import Floats
from backprop.notation import is_negative, negate

Values = Callable[[Any], Floats | None]
"""The numbers of a symbol at the points, or None for one that is not known."""
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"exp": np.exp, "tanh": np.tanh, "log": np.log, "Abs": np.abs}


class Node(NamedTuple):
    """An operation on nodes: + * ^ negative, a function's name, or a leaf, which is a number or a symbol."""

    operation: str
    parts: tuple["Node", ...] = ()
    leaf: Any = None
    """A float or a sympy symbol."""
    source: Any = None
    """The sympy expression that the node was made from."""

    @property
    def is_symbol(self) -> bool:
        """Return whether the node is a quantity."""
        return not self.operation and not isinstance(self.leaf, float)


def to_tree(expression: Any) -> Node:
    """Convert a sympy expression, in its own order. Raises KeyError for a function that is not known."""
    if expression.is_Number:
        return Node("", leaf=float(expression), source=expression)
    if expression.is_Symbol:
        return Node("", leaf=expression, source=expression)
    if expression.is_Add or expression.is_Mul or expression.is_Pow:
        if expression.is_Mul and is_negative(expression):
            return Node("negative", (to_tree(negate(expression)),), source=expression)
        operation = "+" if expression.is_Add else "*" if expression.is_Mul else "^"
        return Node(operation, tuple(map(to_tree, expression.args)), source=expression)
    name = type(expression).__name__
    if name not in _FUNCTIONS:
        raise KeyError(name)
    return Node(name, tuple(map(to_tree, expression.args)), source=expression)


def compute(node: Node, values: Values) -> Any:
    """Compute a tree at the points. Raises KeyError for a symbol that has no numbers."""
    if not node.operation:
        found = node.leaf if isinstance(node.leaf, float) else values(node.leaf)
        if found is None:
            raise KeyError(str(node.leaf))
        return found
    numbers = [compute(part, values) for part in node.parts]
    if node.operation == "+":
        return sum(numbers)
    if node.operation == "*":
        product = 1.0
        for number in numbers:
            product = product * number
        return product
    if node.operation == "^":
        return np.power(np.asarray(numbers[0], dtype=float), numbers[1])
    return -numbers[0] if node.operation == "negative" else _FUNCTIONS[node.operation](numbers[0])


def walk(node: Node) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    """Yield each node of a tree, and a function that returns the tree with another one in its place."""
    yield node, lambda other: other
    for place, part in enumerate(node.parts):
        for inner, rebuild in walk(part):
            yield inner, _rebuild(node, place, rebuild)


def _rebuild(node: Node, place: int, rebuild: Callable[[Node], Node]) -> Callable[[Node], Node]:
    def replace(other: Node) -> Node:
        return node._replace(parts=(*node.parts[:place], rebuild(other), *node.parts[place + 1 :]), source=None)

    return replace


def exchange(node: Node, used: dict[Any, Any]) -> Node:
    """Return a tree with other symbols in the place of some, everywhere."""
    if node.is_symbol:
        return node._replace(leaf=used.get(node.leaf, node.leaf))
    return node._replace(parts=tuple(exchange(part, used) for part in node.parts))


def find_symbols(node: Node) -> set[Any]:
    """Return the symbols of a tree."""
    return {node.leaf} if node.is_symbol else set().union(*(find_symbols(part) for part in node.parts))


def power(node: Node, exponent: float) -> Node:
    """Return a node raised to a power."""
    return Node("^", (node, Node("", leaf=exponent)))


ONE = Node("", leaf=1.0, source=sp.Integer(1))
