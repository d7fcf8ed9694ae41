"""Backpropagation of a small sigmoid network: derived once with sympy, printed as formulas, simulated, put in a sheet."""
