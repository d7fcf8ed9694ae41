import pickle

import sympy as sp

from backprop.notation import Shifted, product, total


def test_a_quantity_of_another_iteration_is_a_symbol_of_its_own():
    before, after = Shifted("w1", -1), Shifted("w1", 1)
    assert (before.quantity, before.rows, after.rows) == ("w1", -1, 1)
    assert len({before, after, Shifted("w1", -1), sp.Symbol("w1"), Shifted("w2", -1)}) == 4
    assert pickle.loads(pickle.dumps(before)) == before


def test_sympy_calculates_with_quantities_of_other_iterations():
    update = total((Shifted("w1", -1), product((-1, sp.Symbol("eta"), Shifted("dE_dw1", -1)))))
    assert sp.diff(update, Shifted("dE_dw1", -1)) == -sp.Symbol("eta")
    compute = sp.lambdify([Shifted("w1", -1), sp.Symbol("eta"), Shifted("dE_dw1", -1)], update)
    assert compute(1.0, 0.5, 0.25) == 0.875
