"""Counts the usable cores."""

import math
import os
from pathlib import Path

# Number of files from which a process per core pays off.
MIN_FILES_FOR_ALL_CORES = 512

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cpu_count(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Counts the cores that the CPU affinity and the container's quota leave.

    Args:
      quota_file: `cpu.max` of a control group, `QUOTA PERIOD` in microseconds
        (https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files).

    Returns:
      At least 1.
    """
    cores = _count_scheduled_cores()
    try:
        quota, period = quota_file.read_text().split()
        quota_cores = math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # No such file, or no quota: "max PERIOD".
        return cores
    return max(1, min(cores, quota_cores))


def _count_scheduled_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS has no affinity.
