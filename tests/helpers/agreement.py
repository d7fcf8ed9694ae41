"""When two numbers agree: |a - b| ≤ max(1e-11·|b|, 1e-12)."""

import csv
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parents[1] / "reference"


def agrees(a, b):
    """Compare element by element; NaN agrees with NaN."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    return (np.abs(a - b) <= np.maximum(1e-11 * np.abs(b), 1e-12)) | (np.isnan(a) & np.isnan(b))


def read_reference(name):
    """Return the header and the values, shape (rows, columns), of a reference CSV."""
    header, *rows = csv.reader((REFERENCE / name).read_text().splitlines())
    return tuple(header), np.array(rows, float)
