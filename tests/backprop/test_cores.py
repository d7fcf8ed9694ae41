"""A process counts the cores that its control groups leave it."""

import pytest

from backprop.cores import count_cores


@pytest.mark.parametrize(
    ("group", "files", "most"),
    [
        ("0::/jobs/mine", {"jobs/mine/cpu.max": "max 100000", "jobs/cpu.max": "150000 100000"}, 1),
        ("0::/jobs/mine", {"jobs/mine/cpu.max": "20000 100000"}, 1),  # a fifth of a core is one process
        ("3:cpu,cpuacct:/a", {"cpu/a/cpu.cfs_quota_us": "100000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 1),
        ("3:cpu:/a", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, None),
        ("2:memory:/a", {"cpu/a/cpu.max": "100000 100000"}, None),
        ("nonsense", {}, None),
    ],
)
def test_quotas_of_control_groups_count(group, files, most, tmp_path):
    own, root = tmp_path / "cgroup", tmp_path / "fs"
    own.write_text(group + "\n")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    without = count_cores(tmp_path / "none", root)
    assert count_cores(own, root) == (without if most is None else most)
