"""When two numbers agree: |a - b| ≤ max(1e-11·|b|, 1e-12); and how to read those to compare."""

import csv
import re
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


def read_number(text):
    """Read a number as people write it: −1.5 × 10⁻³."""
    mantissa, _, power = re.sub(r"\s", "", text).replace("−", "-").partition("×10")
    return float(f"{mantissa}e{power.translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789')) or 0}")
