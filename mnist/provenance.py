"""What computed: versions and hardware. Needs no torch."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from mnist.history import Hardware, Versions


def versions() -> Versions:
    """Name the versions of what computes."""
    return Versions(platform.python_version(), version("torch"), version("torchvision"), version("numpy"))


def hardware(processes: int, threads: int, device: str, precision: str) -> Hardware:
    """Describe this machine and how it is used; `precision` is the recipe's."""
    here = precision_here(precision, device)
    return Hardware(_cpu(), os.cpu_count() or 1, processes, threads, device, platform.platform(), here)


def _cpu() -> str:
    """Name the processor; Linux hides the name where `platform` does not look."""
    return _cpu_field("model name") or platform.processor() or platform.machine()


def precision_here(precision: str, device: str) -> str:
    """Say what a recipe's precision comes to on this machine: `float32` or `bfloat16`."""
    if precision != "auto":
        return precision
    return "bfloat16" if device == "cuda" or (device == "cpu" and has_native_bfloat16()) else "float32"


def has_native_bfloat16() -> bool:
    """Tell whether the CPU multiplies bfloat16 itself (AVX-512 BF16, AMX, or ARM's); elsewhere it is emulated, slowly.

    Only Linux tells; other systems count as without, which costs speed and nothing else.
    """
    flags = f"{_cpu_field('flags')} {_cpu_field('Features')}".split()
    return bool({"avx512_bf16", "amx_bf16", "bf16"}.intersection(flags))


def _cpu_field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name), "")
