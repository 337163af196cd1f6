"""How many cores this process may use."""

import math
import os
from pathlib import Path


def available(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Counts the cores left by the scheduler's affinity and by a container's quota.

    Args:
      quota: a control group's `cpu.max`: microseconds of computing a period of microseconds
        (https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files).

    Returns:
      At least 1.
    """
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    try:
        time, period = quota.read_text().split()
        allowed = math.ceil(int(time) / int(period))
    except (OSError, ValueError):  # No such file, or "max": no quota.
        allowed = len(affinity)
    return max(1, min(len(affinity), allowed))
