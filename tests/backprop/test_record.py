import hashlib
import json
import re
import signal
import subprocess
import sys

import pytest

from backprop import __version__
from backprop.__main__ import main
from backprop.errors import BackpropError
from backprop.networks import read_text
from backprop.networks.presets import PRESETS
from backprop.sheet.record import read_workbook_record


def export(path, *options):
    assert main(["workbook", "--iterations=2", *options, f"--output={path}"]) == 0
    return path


def test_a_workbook_has_a_record_of_what_it_was_made_from(tmp_path):
    path = export(tmp_path / "x.xlsx", "--preset=mazur", "--learning-rate=0.3", "--as-taught")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["x.json", "x.xlsx"]
    content = json.loads((tmp_path / "x.json").read_text())
    assert content["workbook_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert content["preset"] == "mazur"
    assert content["values"]["b2"] == 0.6
    assert [neuron["weights"] for neuron in content["network"]["layers"][0]] == [["w1", "w2"], ["w3", "w4"]]
    assert (content["learning_rate"], content["iterations"], content["as_taught"]) == (0.3, 2, True)
    assert content["version"] == __version__


@pytest.mark.parametrize("preset", PRESETS)
def test_the_record_leads_back_to_the_shipped_preset(preset, tmp_path):
    path = export(tmp_path / "x.xlsx", f"--preset={preset}")
    record = read_workbook_record(path)
    assert record.shipped_preset() == PRESETS[preset]
    assert record.learning_rate == PRESETS[preset].learning_rate


@pytest.mark.parametrize("old, new", [("title", "title"), ("t1", "t1"), ("sigmoid", "tanh"), ("0.15", "0.16")])
def test_another_network_is_no_shipped_preset(old, new, tmp_path):
    own = tmp_path / "class.toml"
    own.write_text(read_text("class").replace(old, new), encoding="utf-8")
    assert read_workbook_record(export(tmp_path / "x.xlsx", f"--network={own}")).shipped_preset() is None


def test_other_starting_values_are_no_shipped_preset(tmp_path):
    path = export(tmp_path / "x.xlsx")
    content = json.loads((tmp_path / "x.json").read_text())
    content["values"]["w5"] = 0.41
    (tmp_path / "x.json").write_text(json.dumps(content))
    assert read_workbook_record(path).shipped_preset() is None


@pytest.mark.parametrize("moment", ["_remove_record", "write_file", "write_record"])
def test_a_kill_in_between_leaves_no_wrong_claim(moment, tmp_path):
    path = export(tmp_path / "x.xlsx")
    old, new = path.read_bytes(), export(tmp_path / "new.xlsx", "--learning-rate=0.5").read_bytes()
    code = (
        "import os, signal, sys\nfrom backprop.__main__ import main\nfrom backprop.sheet import record\n"
        f"step = record.{moment}\n"
        f"record.{moment} = lambda *given: (step(*given), os.kill(os.getpid(), signal.SIGKILL))\n"
        "main(['workbook', '--iterations=2', '--learning-rate=0.5', '--output', sys.argv[1]])"
    )
    killed = subprocess.run([sys.executable, "-c", code, path], timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == (old if moment == "_remove_record" else new)
    if moment == "write_record":
        assert read_workbook_record(path).workbook_sha256 == hashlib.sha256(new).hexdigest()
    else:
        with pytest.raises(BackpropError, match=r"x\.json does not exist: run `make workbook`"):
            read_workbook_record(path)
    export(path, "--learning-rate=0.5")
    assert path.read_bytes() == new
    assert read_workbook_record(path).learning_rate == 0.5


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"workbook_sha256": 1}', b"[" * 100_000])
def test_a_damaged_record_names_its_remedy(content, tmp_path):
    path = export(tmp_path / "x.xlsx")
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(BackpropError, match=r"x\.json is damaged .*: run `make workbook`, which writes it"):
        read_workbook_record(path)


@pytest.mark.parametrize("content", [b"", b"{", b'{\n "preset": "cl', b'{"workbook_sha256": 1}'])
def test_the_remedy_replaces_a_damaged_record(content, tmp_path):
    (tmp_path / "x.json").write_bytes(content)
    path = export(tmp_path / "x.xlsx")
    assert read_workbook_record(path).preset == "class"


@pytest.mark.parametrize("content", ["[1, 2]", '{"my": "notes"}', '{"a": 1}\n{"a": 2}', "// mine", "[" * 100_000])
def test_a_file_of_another_kind_is_never_replaced(content, tmp_path, capsys):
    (tmp_path / "x.json").write_text(content)
    assert main(["workbook", "--iterations=2", f"--output={tmp_path / 'x.xlsx'}"]) == 2
    assert re.fullmatch(r"error: .*x\.json is no record of a workbook: .*--output\n", capsys.readouterr().err)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_text() == content


def test_a_record_that_cannot_be_removed_is_one_line(tmp_path, capsys):
    (tmp_path / "x.json").mkdir()
    assert main(["workbook", "--iterations=2", f"--output={tmp_path / 'x.xlsx'}"]) == 74
    assert re.fullmatch(
        rf"error: {re.escape(str(tmp_path))}/x\.json can't be written [^\n]+\n", capsys.readouterr().err
    )


def test_a_record_is_read_without_sympy_or_openpyxl(tmp_path):
    path = export(tmp_path / "x.xlsx")
    code = (
        "import sys; from pathlib import Path; from backprop.sheet.record import read_workbook_record\n"
        "read_workbook_record(Path(sys.argv[1]))\n"
        "assert not {'sympy', 'openpyxl', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, path], timeout=60, check=True)
