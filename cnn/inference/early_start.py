"""Starts the processes of a run before this process imports what it needs itself.

The imports of a process that decodes, of one that draws and of this one take a third of
a second each. Side by side they take as long as one of them, on as many cores.
"""

import itertools
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from cnn.child_process import start_ahead
from cnn.config import InferConfig
from cnn.parallel import MIN_FILES_FOR_ALL_CORES, cpu_count
from cnn.plot_process import PLOTTER

_DECODER = ("cnn.image_files.decode_worker", "run_worker")


def start_processes(config: InferConfig) -> AbstractContextManager[None]:
    """Starts the processes that a run will need, for the time of a `with` block."""
    has_plot = str(config.plot).lower() != "none"
    num_decoders = _count_decoders(config.inputs, config.workers)
    return start_ahead([_DECODER] * num_decoders + [PLOTTER] * has_plot)


def _count_decoders(inputs: Iterable[Path], workers: int | None) -> int:
    """Returns a number of processes that the files will not leave idle."""
    count = _count_files(map(str, inputs), MIN_FILES_FOR_ALL_CORES)
    if workers is None:
        workers = cpu_count() if count == MIN_FILES_FOR_ALL_CORES else 1
    return min(workers, count)


def _count_files(paths: Iterable[str], limit: int) -> int:
    """Counts files and those in folders, up to a limit."""
    remaining = list(paths)
    count = 0
    while remaining and count < limit:
        try:
            with os.scandir(remaining.pop()) as entries:
                for entry in itertools.islice(entries, limit - count):
                    if entry.is_dir(follow_symlinks=False):
                        remaining.append(entry.path)
                    else:
                        count += 1
        except OSError:  # A file, or nothing that can be read.
            count += 1
    return count
