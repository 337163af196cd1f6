"""Counts the usable cores, and starts and ends child processes."""

import math
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# Imported once by the fork server, so that each child process starts quickly.
_PRELOADED_MODULES = ["cnn.preprocessing.pipeline"]
_PACKAGE_PARENT = Path(__file__).parent.parent


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


def mp_context() -> ForkServerContext:
    """Starts the fork server if needed, and returns its `multiprocessing` context.

    "fork" would copy locks that threads of JAX hold. Nobody would release the copies.
    """
    start_fork_server()
    return multiprocessing.get_context("forkserver")


def start_fork_server() -> None:
    """Starts the server, unless it runs, so that it finds this very package.

    It preloads modules while this process goes on. The server does not receive
    `sys.path`. It would preload another, installed version of the package when
    `bin/infer` of a clone runs.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOADED_MODULES)
    inherited = os.environ.get("PYTHONPATH")
    folders = [str(_PACKAGE_PARENT), inherited or ""]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
    try:
        forkserver.ensure_running()
    finally:
        if inherited is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = inherited


def remove_socket_folder() -> None:
    """Removes the folder of multiprocessing's sockets, as an orderly exit would.

    `os._exit` skips that clean-up.
    """
    process = multiprocessing.current_process()
    folder = getattr(process, "_config", {}).get("tempdir")
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def exit_with_parent() -> None:
    """Makes this child process ignore Ctrl-C, and exit as soon as its parent exits.

    The parent handles Ctrl-C. A parent that is killed cannot end its children itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_after_parent()


def exit_after_parent(clean_up: Callable[[], None] | None = None) -> None:
    """Makes this child process exit as soon as its parent exits.

    Args:
      clean_up: called before the exit.
    """
    threading.Thread(target=_exit_after_parent, args=(clean_up,), daemon=True).start()


def _exit_after_parent(clean_up: Callable[[], None] | None) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        if clean_up is not None:
            clean_up()
        os._exit(1)
