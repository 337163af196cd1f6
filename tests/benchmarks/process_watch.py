"""Watches memory, descriptors and children of a process."""

import os
from pathlib import Path
from typing import NamedTuple

_PAGE_MEGABYTES = os.sysconf("SC_PAGE_SIZE") / 1e6


class Usage(NamedTuple):
    """What a process uses.

    Attributes:
      megabytes: memory of the process itself.
      children_megabytes: memory of its children.
      descriptors: files and sockets that the process has open.
      children: number of its children.
      threads: number of its threads.
    """

    megabytes: float
    children_megabytes: float
    descriptors: int
    children: int
    threads: int


def measure_usage(pid: int) -> Usage:
    """Measures what a process uses now."""
    children = child_pids(pid)
    return Usage(
        megabytes=_megabytes(pid),
        children_megabytes=sum(map(_megabytes, children)),
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        children=len(children),
        threads=len(os.listdir(f"/proc/{pid}/task")),
    )


def child_pids(pid: int) -> list[int]:
    """Returns the numbers of the children of all threads of a process.

    Of a process that has ended, there are none.
    """
    if not is_running(pid):
        return []
    pids = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def is_running(pid: int) -> bool:
    """Tells whether a process has not ended."""
    return Path(f"/proc/{pid}").exists()


def _megabytes(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MEGABYTES
    except FileNotFoundError:  # It has just been replaced.
        return 0.0
