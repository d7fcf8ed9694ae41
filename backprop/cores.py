"""How many processes this one may keep busy: fewer than the machine has, in containers and batch jobs."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_CGROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def count_cores(own: Path = _OWN, cgroups: Path = _CGROUPS) -> int:
    """Count the cores that the process may use, by its affinity and by the quotas of its control groups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min([cores, *_read_quotas(own, cgroups)])))


def _read_quotas(own: Path, cgroups: Path) -> Iterator[float]:
    """Yield the cores that each control group around the process grants it: cpu.max, or cpu.cfs_* of version 1."""
    with suppress(OSError, ValueError):
        for line in own.read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            names = controllers.split(",")
            if controllers and "cpu" not in names:
                continue
            root = cgroups / "cpu" if controllers else cgroups
            place = PurePosixPath(group.lstrip("/"))
            for folder in (root / place, *(root / parent for parent in place.parents)):
                yield from _read_quota(folder)


def _read_quota(folder: Path) -> Iterator[float]:
    with suppress(OSError, ValueError):
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii").strip() for name in ("quota", "period")
            )
        if quota not in ("max", "-1"):
            yield int(quota) / int(period)
