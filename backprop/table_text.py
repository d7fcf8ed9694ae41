"""A run's numbers as CSV or JSON, to the last digit."""

import json
from collections.abc import Iterator

from backprop.simulate import Trace


def as_csv(trace: Trace) -> Iterator[str]:
    """Give a header and one line per complete iteration; numbers as repr(float(x))."""
    yield ",".join(trace.columns) + "\n"
    for row in trace.complete:
        yield ",".join(map(repr, row.tolist())) + "\n"


def as_json(trace: Trace) -> Iterator[str]:
    """Give a list of objects, one per complete iteration, one iteration a line."""
    separator = "["
    for row in trace.complete:
        yield separator + json.dumps(dict(zip(trace.columns, row.tolist(), strict=True)))
        separator = ",\n"
    yield "]\n" if separator != "[" else "[]\n"
