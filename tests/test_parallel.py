import os
import subprocess
import sys

import pytest

from cnn import parallel


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 2),
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("", 2),
    ],
)
def test_a_containers_quota_counts(tmp_path, monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    (tmp_path / "cpu.max").write_text(quota)
    assert parallel.cpu_count(tmp_path / "cpu.max") == expected


def test_affinity_counts():
    script = """
import os
from cnn import parallel

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(parallel.cpu_count())
"""
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
