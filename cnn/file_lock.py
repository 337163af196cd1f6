"""Locks a file between processes, and goes on without where the disk has no locks."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def lock_file(path: Path, wait: bool = False) -> Iterator[int]:
    """Locks a file, and creates it if necessary.

    The kernel releases the lock when the process ends. On a file system without locks,
    such as some of NFS and Lustre, a line on stderr says so, and the block is run
    without a lock.

    Args:
      path: the file. Its folder must exist.
      wait: whether to wait for another process that holds the lock.

    Yields:
      A descriptor of the file, open for reading and writing.

    Raises:
      BlockingIOError: another process holds the lock.
      OSError: the file cannot be opened.
    """
    descriptor = _open_locked(path, wait)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_locked(path: Path, wait: bool) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor, path, wait)
        except BaseException:
            os.close(descriptor)
            raise
        if is_file_at(descriptor, path):
            return descriptor
        # The earlier holder has renamed or removed the file meanwhile.
        os.close(descriptor)


def _lock(descriptor: int, path: Path, wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError as error:  # ENOLCK, ENOSYS, EOPNOTSUPP and others.
        print(
            f"warning: {path.parent}: this file system has no locks "
            f"({error.strerror}); do not run two commands there at once",
            file=sys.stderr,
        )


def is_file_at(descriptor: int, path: Path) -> bool:
    """Tells whether the file at a path is the one that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
