"""What the machine can do, from files as Linux writes them."""

import pytest

from mnist import machine


@pytest.mark.parametrize(
    ("field", "line", "native"),
    [
        ("flags", "fpu avx2", False),
        ("flags", "fpu avx512_bf16 avx2", True),
        ("flags", "amx_bf16", True),
        ("Features", "fp asimd bf16", True),
        ("flags", "not_amx_bf16", False),
    ],
)
def test_bfloat16_is_used_only_where_the_cpu_has_it(
    monkeypatch: pytest.MonkeyPatch, field: str, line: str, native: bool
) -> None:
    monkeypatch.setattr(machine, "_cpu_field", lambda name: line if name == field else "")
    assert machine.has_native_bfloat16() is native
    assert machine.resolve_precision("auto", "cpu") == ("bfloat16" if native else "float32")
    assert machine.resolve_precision("float32", "cpu") == "float32"


def test_an_unknown_system_has_a_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_cpu_field", lambda _: "")
    assert machine.hardware(1, 2, "cpu", "float32").cpu
