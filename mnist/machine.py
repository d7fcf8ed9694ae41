"""This machine: versions, hardware, and what of it a training uses. Imports torch only to ask for devices."""

import ctypes
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from backprop.cores import count_cores
from mnist.errors import MnistError
from mnist.recipe import Recipe
from mnist.records import Hardware, Versions

_TOP_PAD, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -2, -1, -3
"""Parameters of `mallopt`, from malloc.h."""
_MMAP_MAXIMUM = 32 * 2**20
"""The largest threshold that glibc accepts for allocating each block with mmap."""


def versions() -> Versions:
    """Return the versions of the software that computes."""
    return Versions(platform.python_version(), version("torch"), version("torchvision"), version("numpy"))


def hardware(processes: int, threads: int, device: str, precision: str) -> Hardware:
    """Describe this machine and how it is used; `precision` is the recipe's."""
    resolved = resolve_precision(precision, device)
    return Hardware(_cpu(), os.cpu_count() or 1, processes, threads, device, platform.platform(), resolved)


def _cpu() -> str:
    """Return the processor's name; Linux hides it where `platform` does not look."""
    return _cpu_field("model name") or platform.processor() or platform.machine()


def resolve_precision(precision: str, device: str) -> str:
    """Resolve a recipe's precision on this machine: `float32` or `bfloat16`."""
    if precision != "auto":
        return precision
    return "bfloat16" if device == "cuda" or (device == "cpu" and has_native_bfloat16()) else "float32"


def has_native_bfloat16() -> bool:
    """Return whether the CPU multiplies bfloat16 itself (AVX-512 BF16, AMX, or ARM's); else it is emulated, slowly.

    Only Linux can be asked; other systems count as without, which costs speed and nothing else.
    """
    flags = f"{_cpu_field('flags')} {_cpu_field('Features')}".split()
    return bool({"avx512_bf16", "amx_bf16", "bf16"}.intersection(flags))


def _cpu_field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name), "")


def choose_device(asked: str) -> str:
    """Resolve `auto`. Raises MnistError where the requested device does not exist."""
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available[asked]:
        raise MnistError(f"there is no {asked} device here: leave --device out, or take --device cpu")
    return asked


def choose_processes(recipe: Recipe, device: str, asked: int | None) -> int:
    """Return a process for each core, as far as they can share the ghost batches evenly; one on a GPU.

    Raises MnistError where the requested number doesn't divide the ghost batches of a batch.
    """
    possible = [count for count in range(1, recipe.groups + 1) if recipe.groups % count == 0]
    if asked is None:
        limit = count_cores() if device == "cpu" and os.name == "posix" else 1
        return max(count for count in possible if count <= limit)
    if asked not in possible:
        counts = ", ".join(map(str, possible))
        raise MnistError(
            f"{asked} processes can't share the {recipe.groups} ghost batches of a batch evenly: take one of {counts}"
        )
    return asked


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for the next step, which needs as much again.

    A step of training allocates and frees a few megabytes for each layer. glibc returns blocks that large at once, and
    gets them again page by page, cleared each time, in every step. Other C libraries have no such switch; there nothing
    happens.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, size in ((_MMAP_THRESHOLD, _MMAP_MAXIMUM), (_TRIM_THRESHOLD, 2**30), (_TOP_PAD, 2**28)):
            library.mallopt(parameter, size)
