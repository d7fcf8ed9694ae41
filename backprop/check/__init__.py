"""Finding what is wrong in a hand-made sheet: formulas are read back into sympy and compared with the derivation."""
