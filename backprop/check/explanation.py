from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistaken:
    quantity: str
    expected: Any
    found: Any
    values: Any
    reads: Any


def explain(m):
    return "stub"
