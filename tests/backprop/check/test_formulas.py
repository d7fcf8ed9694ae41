"""Formulas are parsed and computed as spreadsheets do; LibreOffice is asked."""

import numpy as np
import openpyxl
import pytest
from office import recalculate
from openpyxl.worksheet.formula import ArrayFormula

from backprop.check.cells import Address
from backprop.check.evaluation import Evaluation
from backprop.check.formulas import NoNumberError, UnreadableError, parse
from backprop.check.reading import read_workbook
from backprop.check.references import Formulas, Scope

CELLS = {"A1": 0.25, "A2": -1.5, "A3": 2, "B1": 0.75, "B2": 3, "B3": -0.5, "C1": "text", "D1": 0.4, "D2": "0.5x"}
FORMULAS = (
    "=-A2^2", "=2^3^2", "=-2*3", "=10E-3*100", "=50%*A1", "=2--3", "=1-2-3", "=8/4/2", "=+A1", "=-A1%", "=2^-1",
    "=A1*B1+A2*B2", "=SUM(A1*B1,A2*B2)", "=SUM(A1:B3)", "=SUM(A1:C2)", "=SUMPRODUCT(A1:A3,B1:B3)", "=PRODUCT(A1:B2)",
    "=SUMPRODUCT((A1:A3-B1:B3)^2)/2", "=SUMPRODUCT(A1:A3*B1:B3)", "=SUMXMY2(A1:A3,B1:B3)", "=SUMSQ(A1:A3)",
    "=AVERAGE(A1:A3,B1)", "=COUNT(A1:D2)", "=MAX(0,A2)", "=MAX(A1:B3)", "=MIN(A1:B3)", "=IF(A2>0,A2,0)", "=IF(A1>0,A1)",
    "=(A1>0)*A1", "=(A1<>A1)+(A1=A1)", "=IF(C1=\"TEXT\",1,2)", "=IF(C2=\"\",5,C2)", "=AND(A1>0,B1>0)*1",
    "=OR(A2>0,B3>0)*1",
    "=NOT(A1>0)*1", "=1/(1+EXP(-A1))", "=EXP(A1)/(1+EXP(A1))", "=TANH(A2)", "=SINH(A1)+COSH(A1)", "=LN(A3)",
    "=LOG10(A3)",
    "=LOG(8,2)", "=LOG(100)", "=ABS(A2)", "=SIGN(A2)", "=INT(A2)", "=MOD(A2,A3)", "=ROUND(A1,1)", "=SQRT(A3)", "=PI()",
    "=POWER(A3,-2)", "=POWER(A2,3)", "=INDEX(A1:A3,2)", "=INDEX(A1:B3,3,2)", "=INDEX(A1:A3,ROW()-ROW()+1)", "=ROW(A3)",
    "=COLUMN(B1)*10+ROWS(A1:B3)+COLUMNS(A1:B3)", "=OFFSET(A1,1,1)", "=SUM(OFFSET(A1,0,0,2,2))", "=MMULT(A1:B1,A1:A2)",
    "=SUM(MMULT(A1:B2,A1:B2))", "=SUMPRODUCT(TRANSPOSE(A1:A2),A1:B1)", "=IFERROR(1/0,7)", "=IFERROR(A1,7)",
    "=rate*A1", "=E9*2", "=$A$1+A$2+$A3", "=Data!A1*2", "='Other one'!A1*2", "=(A1:A3)*2", "=0.1+0.2", "=1E3+1e-2",
)  # fmt: skip
ERRORS = (
    "=1/0",
    "=A1/A9",
    "=EXP(710)",
    "=1/(1+EXP(1000))",
    "=LN(-1)",
    "=SQRT(A2)",
    "=C1*2",
    "=A2^0.5",
    "=MMULT(A1:B1,A1:B1)",
)
ARRAYS = (
    "=1/(1+EXP(-A1:B1))",
    "=A1:A2*A1:B1",
    "=MMULT(A1:B2,A1:B2)",
    "=TRANSPOSE(A1:B2)-A1:B2",
    "=IF(A1:B2>0,A1:B2,0)",
)


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """Our numbers and LibreOffice's, by cell."""
    folder = tmp_path_factory.mktemp("formulas")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for place, content in CELLS.items():
        sheet[place] = content
    book.create_sheet("Other one")["A1"] = 17
    book.defined_names["rate"] = openpyxl.workbook.defined_name.DefinedName("rate", attr_text="Data!$D$1")
    # In rows 1 to 3, where an area of those rows means its cell in the formula's own row.
    places = {f"{openpyxl.utils.get_column_letter(10 + k // 3)}{k % 3 + 1}": f for k, f in enumerate(FORMULAS + ERRORS)}
    for place, formula in places.items():
        sheet[place] = formula
    for number, formula in enumerate(ARRAYS):
        first = f"J{20 + 3 * number}"
        sheet[first] = ArrayFormula(f"{first}:K{21 + 3 * number}", formula)
    path = folder / "formulas.xlsx"
    book.save(path)
    theirs = recalculate(path, folder)["Data"]
    workbook = read_workbook(path)
    scope = Scope(Formulas(workbook), lambda _: None, runs_on=True)
    ours = {}
    for address in workbook.addresses():
        if address.sheet == "Data" and workbook.formula(address):
            try:
                ours[address.a1] = scope.value(address)
            except NoNumberError as error:
                ours[address.a1] = error
    return places, ours, theirs


def test_every_formula_gives_libreoffices_number(computed):
    places, ours, theirs = computed
    wrong = {f: (ours[p], theirs[p]) for p, f in places.items() if f in FORMULAS and not agrees(ours[p], theirs[p])}
    assert wrong == {}


def agrees(ours, theirs):
    return isinstance(ours, float) and isinstance(theirs, int | float) and ours == pytest.approx(theirs, rel=1e-12)


def test_what_is_an_error_there_is_no_number_here(computed):
    places, ours, theirs = computed
    for place, formula in places.items():
        if formula in ERRORS:
            assert str(theirs[place]).startswith("#"), formula
            assert isinstance(ours[place], NoNumberError), formula


def test_array_formulas_fill_their_cells(computed):
    _, ours, theirs = computed
    cells = [f"{column}{row + 3 * k}" for k in range(len(ARRAYS)) for row in (20, 21) for column in "JK"]
    assert {cell: ours[cell] for cell in cells} == pytest.approx({cell: theirs[cell] for cell in cells})


def evaluate(formula, **cells):
    def resolve(name, origin):
        raise UnreadableError(f"the name {name} is not defined")

    origin = Address("Sheet1", 5, 5)
    tree = parse(formula, origin, resolve)
    return Evaluation(origin, lambda address: cells.get(address.a1)).number(tree)


def test_arrays_of_points_are_computed_at_once():
    points = np.array([-2.0, 0.5, 3.0])
    assert evaluate("=IF(A1>0,A1,0)", A1=points) == pytest.approx(np.maximum(points, 0))
    assert evaluate("=MAX(0,A1,B1)", A1=points, B1=1.0) == pytest.approx(np.maximum(points, 1))
    assert evaluate("=1/(1+EXP(-A1))", A1=points) == pytest.approx(1 / (1 + np.exp(-points)))
    with pytest.raises(NoNumberError, match="negative number"):
        evaluate("=LN(A1)", A1=-np.abs(points))
    with pytest.raises(NoNumberError):
        evaluate("=LN(A1)", A1=points)  # at one point


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("==1+2", 3),
        ("==+-1", -1),
        ("=@A1*2", 1),
        ("=_xlfn.SINGLE(A1)*2", 1),
        ("=POW(A1,2)", 0.25),
        ("=@SUM(A1,1)", 1.5),
    ],
)
def test_what_other_programs_write_is_read(formula, value):
    assert evaluate(formula, A1=0.5) == value


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("=" + "(" * 500 + "1" + ")" * 500, "nested too deeply"),
        ("=VLOOKUP(A1,A1:B2,2)", "VLOOKUP is not understood"),
        ("=A1&B1", "“&” is not understood"),
        ("=[1]Sheet1!A1", "another workbook"),
        ("=INDEX(A1:A9,B1)", "depends on the numbers"),
        ("=A1+", "ends too early"),
    ],
)
def test_what_is_not_understood_is_named(formula, words):
    with pytest.raises(UnreadableError, match=words):
        evaluate(formula, A1=0.5, B1=np.array([1.0, 2.0]))
