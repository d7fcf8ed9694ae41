"""Backpropagation derived once with sympy, and printed everywhere: workbook, trace, page, proof."""

__version__ = "0.1.0"
