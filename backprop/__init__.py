"""Backpropagation of a small sigmoid network, derived once with sympy and printed everywhere."""
