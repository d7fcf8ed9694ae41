import math
import random
from xml.etree import ElementTree

import openpyxl
import pytest
import sympy as sp
from agreement import agrees
from browser import started
from matplotlib.mathtext import MathTextParser
from office import convert, read_values
from presets import CLASS_LIKE
from programs import require_browser

from backprop.activations import sigma
from backprop.derivation import derive
from backprop.errors import BackpropError
from backprop.network import SHEET_LEARNING_RATES
from backprop.networks.presets import PRESETS
from backprop.notation import Partial, Shifted, product, total
from backprop.panels import panels
from backprop.printers.excel import ExcelPrinter
from backprop.printers.javascript import JavaScriptPrinter, step_function, values_function
from backprop.printers.latex import LatexPrinter
from backprop.printers.mathml import MathMLPrinter
from backprop.printers.mathml import math as math_element
from backprop.printers.text import TextPrinter
from backprop.simulate import simulate

a, b, c = sp.symbols("a b c")
CELLS = {"a": "A1", "b": "B1", "c": "C1"}
EXCEL = ExcelPrinter(CELLS.__getitem__)
MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        (product((sp.Rational(1, 2), sp.Pow(total((a, -b)), 2, evaluate=False))), "=0.5*(A1-B1)^2"),
        (-(a**2), "=-(A1^2)"),
        ((-a) ** sp.Symbol("b"), "=(-A1)^B1"),
        (sp.Pow(sp.Pow(a, b, evaluate=False), c, evaluate=False), "=(A1^B1)^C1"),
        (sigma(a), "=1/(1+EXP(-A1))"),
        (total((a, product((-1, b, c)))), "=A1-B1*C1"),
        (product((a, sp.Pow(total((b, c)), -1, evaluate=False))), "=A1/(B1+C1)"),
        (sp.Rational(1, 3), "=1/3"),
        (sp.Integer(-2), "=-2"),
    ],
    ids=str,
)
def test_excel_formulas_read_as_people_write_them(expression, formula):
    assert EXCEL.formula(expression) == formula


def random_expression(rng, depth):
    """Grow a sum, product, power, quotient, exponential or leaf; nothing is simplified on the way."""
    if depth == 0:
        return rng.choice([a, b, c, sp.Integer(rng.randint(-3, 3)), sp.Rational(rng.randint(1, 9), 8)])
    parts = [random_expression(rng, depth - 1) for _ in range(rng.randint(2, 3))]
    kind = rng.randrange(6)
    if kind == 0:
        return product((-1, parts[0]))
    if kind == 1:
        return sp.Pow(parts[0], rng.choice([2, 3, -1, -2]), evaluate=False)
    if kind == 2:
        return sp.exp(sp.Mul(parts[0], sp.Rational(1, 10)))
    return sp.Add(*parts, evaluate=False) if kind < 5 else sp.Mul(*parts, evaluate=False)


def test_libreoffice_computes_from_printed_formulas_what_sympy_computes(tmp_path):
    rng = random.Random(20)
    point = {a: sp.Rational(7, 4), b: sp.Rational(-5, 8), c: sp.Rational(3, 2)}
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([float(point[symbol]) for symbol in (a, b, c)])
    expected = {}
    while len(expected) < 400:
        expression = random_expression(rng, rng.randint(1, 4))
        value = sp.N(expression.xreplace(point).doit(), 30)
        if not (value.is_real and value.is_finite and 1e-9 < abs(value) < 1e9):
            continue  # 1/0, or so large that the spreadsheet's own rounding would be measured
        cell = f"A{len(expected) + 2}"
        sheet[cell] = EXCEL.formula(expression)
        expected[cell] = float(value)
    book.save(tmp_path / "formulas.xlsx")
    convert(tmp_path / "formulas.xlsx", "xlsx", tmp_path / "results")
    got = read_values(tmp_path / "results" / "formulas.xlsx")[sheet.title]
    wrong = {sheet[k].value: (got.get(k), v) for k, v in expected.items() if not math.isclose(got[k], v, rel_tol=1e-9)}
    assert wrong == {}


@pytest.mark.parametrize("printer", [EXCEL, TextPrinter(), JavaScriptPrinter(), LatexPrinter(), MathMLPrinter()])
def test_an_unknown_node_is_named(printer):
    with pytest.raises(BackpropError, match="cannot print unheard"):
        printer.print(total((a, sp.Function("unheard")(b))))


def test_text_is_spelled_like_the_class_sheets_panels():
    text = TextPrinter()
    assert text.print(Partial(sp.Symbol("E1"), sp.Symbol("a_o1"))) == "∂E1/∂a_o1"
    assert text.print(product((sp.Symbol("w1"), sp.Symbol("i1")))) == "w1*i1"
    assert text.print(sp.Symbol("dE_dw1")) == "∂E_total/∂w1"


def lines():
    return [line for name in CLASS_LIKE for panel in panels(derive(PRESETS[name].network)) for line in panel.lines]


def test_mathml_is_wellformed_core():
    known = {"math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msub", "msup"}
    printer = MathMLPrinter()
    for line in lines():
        root = ElementTree.fromstring(math_element(*map(printer.print, line.terms)))
        assert root.tag == f"{MATHML}math"
        for element in root.iter():
            assert element.tag.removeprefix(MATHML) in known
            if element.tag.removeprefix(MATHML) in {"mfrac", "msub", "msup"}:
                assert len(element) == 2


@pytest.mark.slow
def test_latex_is_typeset_by_matplotlib():
    parser, printer = MathTextParser("path"), LatexPrinter()
    for line in lines():
        for term in line.terms:
            assert parser.parse(f"${printer.print(term)}$").width > 0


def test_javascript_computes_in_a_browser_what_python_computes():
    preset = PRESETS["mazur"]
    derivation = derive(preset.network)
    script = (
        step_function(derivation)
        + """
        ([values, eta, count]) => {
          const rows = [];
          let now = values;
          for (let k = 0; k < count; k++) {
            const row = step({...now, eta});
            rows.push(row);
            now = {...now, ...row.next};
          }
          return rows;
        }"""
    )
    with started(require_browser()) as browser:
        page = browser.new_page()
        runs = {
            eta: page.evaluate(
                f"args => {{ {script.replace('([values', 'return (([values')}).call(null, args); }}",
                [dict(preset.values), eta, 68],
            )
            for eta in SHEET_LEARNING_RATES
        }
    for eta, rows in runs.items():
        trace = simulate(derivation, preset, eta, 68)
        assert agrees([[row[name] for name in trace.columns] for row in rows], trace.values).all()


def test_javascript_calls_the_exponential_that_it_is_told_to():
    text = step_function(derive(PRESETS["class"].network), "go", "excelExp")
    assert text.startswith("function go(")
    assert "excelExp(-h1)" in text
    assert "Math.exp" not in text


def test_javascript_of_named_values_keeps_names_and_order():
    text = values_function("f", ("a", "b"), {"x": product((a, total((1, -a)))), "y": sp.Integer(1), "z": sp.exp(b)})
    assert text == "function f({a, b}) {\n  return {\n    x: a*(1 - a),\n    y: 1,\n    z: Math.exp(b)\n  };\n}\n"


def test_a_weight_of_the_next_iteration_is_printed_as_new():
    new = Shifted("w1", 1)
    assert TextPrinter().print(new) == "w1_new"
    assert LatexPrinter().print(new) == r"w1_{\mathrm{new}}"
    assert MathMLPrinter().print(new) == "<msup><msub><mi>w</mi><mn>1</mn></msub><mtext>new</mtext></msup>"


@pytest.mark.parametrize("printer", [TextPrinter(), LatexPrinter(), MathMLPrinter()], ids=lambda p: type(p).__name__)
def test_no_printer_has_a_notation_for_other_rows(printer):
    with pytest.raises(BackpropError, match="cannot print Shifted"):
        printer.print(Shifted("w1", -1))
