import csv
import io
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from agreement import agrees, read_reference
from office import read_values
from presets import write_network

from backprop.__main__ import main
from backprop.networks import read_text
from backprop.networks.presets import PRESETS


def run(*arguments, **options):
    """Run the command as a user does."""
    command = [sys.executable, "-m", "backprop", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_trace_prints_the_reference_file_as_csv(capsys):
    assert main(["trace", "--learning-rate", "0.2"]) == 0
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    columns, expected = read_reference("class_eta0.2.csv")
    assert tuple(header) == columns
    assert agrees([[float(x) for x in row] for row in rows], expected).all()
    assert all(x == repr(float(x)) for row in rows for x in row)


def test_trace_prints_the_same_numbers_as_json(capsys):
    main(["trace", "--iterations", "3", "--as-taught"])
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    main(["trace", "--iterations", "3", "--as-taught", "--format", "json"])
    records = json.loads(capsys.readouterr().out)
    assert [list(map(repr, record.values())) for record in records] == rows
    assert all(list(record) == header for record in records)


def test_trace_stops_before_an_overflow_and_warns(capsys):
    assert main(["trace", "--learning-rate", "1e8"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert re.fullmatch(r"warning: at η = 1e\+08 .* overflows in iteration 1; .*\n", printed.err)


def test_each_preset_has_its_own_learning_rate(capsys):
    for preset, eta in (("class", "1"), ("mazur", "0.5")):
        main(["trace", "--preset", preset, "--iterations", "2"])
        implicit = capsys.readouterr().out
        main(["trace", "--preset", preset, "--iterations", "2", "--learning-rate", eta])
        assert capsys.readouterr().out == implicit


OWN = {
    "3,4,2": (("tanh", "per neuron"), 3 + 2 + 12 + 8 + 8 + 4 + 2 + 1 + 20 + 6 + 6),
    "2,2,2": ((), 31),
    "2,3,2,1": (("relu",), 2 + 1 + 6 + 6 + 2 + 6 + 4 + 2 + 1 + 1 + 14),
    "1,1,1": (("sigmoid", "per neuron"), 1 + 1 + 2 + 4 + 1 + 1 + 2 + 2 + 2),
    "2,2,1": ((["leaky relu", "linear"], "per layer"), 2 + 1 + 6 + 6 + 1 + 1 + 6 + 2 + 2),
}


@pytest.fixture(params=OWN)
def own(request, tmp_path):
    """Return the file of a network of one's own, its sizes, and how many columns it has."""
    options, width = OWN[request.param]
    sizes = [int(size) for size in request.param.split(",")]
    path = tmp_path / "own.toml"
    path.write_text(write_network(sizes, *options), encoding="utf-8")
    return str(path), sizes, width


def test_a_network_of_ones_own_is_traced_with_every_number(own, capsys):
    file, sizes, width = own
    assert main(["trace", "--network", file, "--iterations", "3"]) == 0
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert {f"t{sizes[-1]}", f"i{sizes[0]}"} <= set(header)
    assert {f"t{sizes[-1] + 1}", f"i{sizes[0] + 1}"}.isdisjoint(header)
    assert len(header) == len(set(header)) == width
    assert len(rows) == 3
    errors = [float(row[header.index("E_total")]) for row in rows]
    assert errors == sorted(errors, reverse=True)  # the made-up numbers are such that training helps


def test_a_network_of_ones_own_becomes_a_workbook(own, tmp_path, capsys):
    file, path = own[0], tmp_path / "own.xlsx"
    assert main(["workbook", "--network", file, "--iterations", "3", "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path}: η = 0.5, 3 iterations a sheet\n"
    main(["trace", "--network", file, "--iterations", "3"])
    _, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    first, *_ = read_values(path).values()
    assert {float(value) for row in rows for value in row} <= set(first.values())


def test_biases_that_are_trained_are_traced_and_those_that_stay_are_not(tmp_path, capsys):
    columns, trained = {}, tmp_path / "trained.toml"
    trained.write_text(read_text("mazur").replace("train_biases = false", "train_biases = true"), encoding="utf-8")
    for network in ("mazur", str(trained)):
        assert main(["trace", "--network", network, "--iterations", "2"]) == 0
        columns[network != "mazur"], *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert columns[True] == [*columns[False], "b1", "b2", "dE_db1", "dE_db2"]
    before, after = (dict(zip(columns[True], map(float, row), strict=True)) for row in rows)
    assert (before["b1"], before["b2"]) == (0.35, 0.6)
    assert agrees(after["b2"], before["b2"] - 0.5 * before["dE_db2"])


def test_networks_are_listed_and_printed_as_they_are(capsys):
    assert main(["networks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    assert main(["networks", "mazur"]) == 0
    assert capsys.readouterr().out == read_text("mazur")


@pytest.mark.parametrize(
    ("options", "written"),
    [
        (["--layers", "3,4,2"], "layers = [3, 4, 2]"),
        (["--layers=3,x"], "layers = [3]"),
        (["--layers"], "layers = [3, 4, 2]"),
        (["--activation", "tanh"], 'activations = "tanh"'),
        (["--biases"], 'biases = "per neuron"'),
        (["--preset", "mazur", "--update-biases"], "train_biases = true"),
    ],
)
def test_options_that_are_gone_say_what_to_write(options, written, capsys):
    assert main(["workbook", *options]) == 2
    error = capsys.readouterr().err
    assert f"write {written} below [network] there" in error
    assert error.count("\n") == 1


def test_derive_prints_every_format(capsys):
    printed = {}
    for kind in ("text", "latex", "mathml", "json"):
        assert main(["derive", "--format", kind]) == 0
        printed[kind] = capsys.readouterr().out
    assert printed["text"].count("holds:") == 9
    assert "∂E_total/∂w5 = (a_o1 - t1) * a_o1 * (1 - a_o1) * a_h1" in printed["text"]
    assert printed["latex"].count(r"\begin{align*}") == printed["latex"].count(r"\end{align*}") == 7
    assert len(ElementTree.fromstring(f"<p>{printed['mathml']}</p>")) == 33
    record = json.loads(printed["json"])
    assert [panel["number"] for panel in record["panels"]] == [1, 2, 3, 4, 5, 6]
    assert {e["symbol"]: e["excel"] for e in record["gradients"]}["dE_dw5"] == "=(R33-A33)*R33*(1-R33)*J33"
    assert all(proof["holds"] for proof in record["proofs"])


def test_workbook_is_written_where_asked(tmp_path, capsys):
    path = tmp_path / "new folder" / "sheet η.xlsx"
    assert main(["workbook", "--iterations", "2", "-o", str(path)]) == 0
    assert path.read_bytes().startswith(b"PK")
    assert f"wrote {path}" in capsys.readouterr().out
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["sheet η.json", path.name]


def test_workbook_warns_of_an_overflow(tmp_path, capsys):
    assert main(["workbook", "--learning-rate", "1e8", "--iterations", "3", "-o", str(tmp_path / "a.xlsx")]) == 0
    assert "overflows in iteration 1; its cells show #NUM!" in capsys.readouterr().err


BAD = [
    ["workbook", "--learning-rate", "nan"],
    ["workbook", "--learning-rate", "inf"],
    ["workbook", "--learning-rate=-1"],
    ["workbook", "--learning-rate", "0"],
    ["workbook", "--learning-rate", "0,5"],
    ["workbook", "--iterations", "0"],
    ["workbook", "--output", "README.md"],
    ["workbook", "--iterations", "10001"],
    ["workbook", "--iterations", "many"],
    ["workbook", "--preset", "unknown"],
    ["trace", "--learning-rate=-inf"],
    ["trace", "--iterations", "-5"],
    ["trace", "--iterations", "1000000000000"],
    ["derive", "--format", "xml"],
    ["workbook", "--network", "unknown"],
    ["workbook", "--network", ""],
    ["workbook", "--network", "no/such.toml"],
    ["workbook", "--network", "line\nbreak.toml"],
    ["workbook", "--network", "class", "--preset", "class"],
    ["trace", "--network", "relu", "--as-taught"],
    ["workbook", "--network", "relu", "--as-taught"],
    ["networks", "unknown"],
    ["networks", "../network"],
    ["prove", "--cases", "0"],
    ["prove", "--iterations", "-1"],
    ["prove", "--iterations", "20000"],
    ["guess"],
    [],
]


@pytest.mark.parametrize("arguments", BAD, ids=lambda arguments: " ".join(arguments)[:40])
def test_bad_input_ends_with_one_line_and_two(arguments, tmp_path):
    kept = tmp_path / "out" / "backprop.xlsx"
    kept.parent.mkdir()
    kept.write_text("an earlier file")
    process = run(*arguments, cwd=tmp_path)
    assert process.returncode == 2
    assert re.fullmatch(r"error: [^\n]+\n", process.stderr)
    assert process.stdout == ""
    assert kept.read_text() == "an earlier file"


@pytest.mark.parametrize("place", ["a file/backprop.xlsx", "folder.xlsx"])
def test_an_unwritable_path_leaves_everything_as_it_was(place, tmp_path):
    (tmp_path / "a file").write_text("kept")
    (tmp_path / "folder.xlsx").mkdir()
    process = run("workbook", "--iterations", "1", "-o", place, cwd=tmp_path)
    assert process.returncode == 74
    assert re.fullmatch(r"error: [^\n]+ can't be written [^\n]+another place\n", process.stderr)
    assert (tmp_path / "a file").read_text() == "kept"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a file", "folder.xlsx"]


@pytest.mark.parametrize("room", [10_000, 90_000], ids=["for nothing", "for all but the result"])
def test_a_disk_without_room_leaves_the_earlier_workbook(room, tmp_path):
    kept = tmp_path / "backprop.xlsx"
    kept.write_text("an earlier file")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}));"
        "from backprop.__main__ import main; sys.exit(main(['workbook', '-o', sys.argv[1], '--iterations', '20']))"
    )
    process = subprocess.run([sys.executable, "-c", code, kept], capture_output=True, text=True, timeout=120)
    assert process.returncode == 74
    assert re.fullmatch(r"error: [^\n]+ can't be written [^\n]+\n", process.stderr)
    assert [entry.name for entry in tmp_path.iterdir()] == [kept.name]
    assert kept.read_text() == "an earlier file"


@pytest.mark.parametrize("command", [[], ["workbook"], ["derive"], ["trace"]], ids=" ".join)
def test_help_needs_nothing_heavy(command):
    code = (
        "import sys; from backprop.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'sympy', 'numpy', 'openpyxl'} & sys.modules.keys()), file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True, timeout=60
    )
    assert process.stderr == "[]\n"
    assert "usage" in process.stdout
