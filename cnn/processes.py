"""How other processes are started, and how they end."""

import multiprocessing
import os
import signal
import threading
from typing import Any


def context() -> Any:
    """Returns the `multiprocessing` context that processes are started with.

    Not "fork": JAX has threads, and a forked copy of a thread's lock may never be released.
    """
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    chosen = multiprocessing.get_context(method)
    chosen.set_forkserver_preload(["cnn.images"])
    return chosen


def follow_parent() -> None:
    """Ends this process with the one that started it, which alone minds Ctrl-C, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
