"""Usable cores, and how processes are started and end."""

import math
import multiprocessing
import os
import signal
import threading
from pathlib import Path
from typing import Any


def cpu_count(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Counts the cores left by the scheduler's affinity and by a container's quota.

    Args:
      quota: a control group's `cpu.max`: microseconds of computing a period of microseconds
        (https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files).

    Returns:
      At least 1.
    """
    affinity = (
        os.sched_getaffinity(0)
        if hasattr(os, "sched_getaffinity")
        else range(os.cpu_count() or 1)
    )
    try:
        time, period = quota.read_text().split()
        allowed = math.ceil(int(time) / int(period))
    except (OSError, ValueError):  # No such file, or "max": no quota.
        allowed = len(affinity)
    return max(1, min(len(affinity), allowed))


def mp_context() -> Any:
    """Returns the `multiprocessing` context that processes are started with.

    Not "fork": JAX has threads, and a forked copy of a thread's lock may never be released.
    """
    method = (
        "forkserver"
        if "forkserver" in multiprocessing.get_all_start_methods()
        else "spawn"
    )
    chosen = multiprocessing.get_context(method)
    chosen.set_forkserver_preload(["cnn.preprocessing.pipeline"])
    return chosen


def exit_with_parent() -> None:
    """Ends this process with the one that started it, which alone minds Ctrl-C, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
