"""Writes rows to `OUTPUT.partial`, renames it when complete, and resumes from it.

A kill at any moment leaves complete rows, and at most one torn row at the end. An
output that cannot be replaced by renaming is written in place: it is its own partial
file.
"""

import contextlib
import errno
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from cnn.atomic_write import (
    forget_temporary_file,
    is_written_in_place,
    remember_temporary_file,
)
from cnn.file_lock import is_file_at, lock_file
from cnn.inference.row_formats import OutputError, RowFormat
from cnn.inference.schema import Row

WriteRows = Callable[[Iterable[Row]], None]

_DESCRIPTOR_FOLDERS = ("/dev/fd/", "/dev/std", "/proc/")
# Errors of a disk or quota that is full, and of a limit on the size of files.
_FULL_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def open_writer(
    output: Path | None, row_format: RowFormat, keep_bytes: int = 0
) -> AbstractContextManager[WriteRows]:
    """Opens an output for writing.

    A regular file takes its place at the end of the `with` block. Until then its
    rows are in `partial_path(output)`, where they stay if the block raises. A pipe
    or a terminal is written to directly.

    Args:
      output: path of the output, or None for stdout.
      row_format: format of the rows.
      keep_bytes: size of the complete rows in the partial file, where writing
        continues. 0 begins a new file.

    Returns:
      A context manager. Its value is a function that appends rows.

    Raises:
      OutputError: the output cannot be written.
    """
    if output is None:
        return _open_stdout(row_format)
    if is_stream(output):
        return _open_stream(output, row_format)
    return _open_partial(output, row_format, keep_bytes)


@contextlib.contextmanager
def lock_output(output: Path | None) -> Iterator[None]:
    """Keeps other runs from writing an output until the end of the `with` block.

    The lock is on the partial file, which is created if necessary, and removed at the
    end if it has no rows.

    Args:
      output: path of the output. Stdout and special files have no lock.

    Raises:
      OutputError: another run writes the output.
    """
    if output is None or is_stream(output):
        yield
        return
    partial = partial_path(output)
    with contextlib.ExitStack() as stack:
        try:
            descriptor = stack.enter_context(lock_file(partial))
        except BlockingIOError as error:
            raise OutputError(
                f"{output}: another run is writing it; wait for its end, or give "
                "another --output"
            ) from error
        stack.enter_context(_remove_if_empty(descriptor, partial))
        yield


@contextlib.contextmanager
def _remove_if_empty(descriptor: int, partial: Path) -> Iterator[None]:
    """Removes the partial file after the block, or at an early exit, if it is new."""
    is_new = os.fstat(descriptor).st_size == 0 and not is_written_in_place(partial)
    if is_new:
        remember_temporary_file(partial)
    try:
        yield
    finally:
        forget_temporary_file(partial)
        if is_new and os.fstat(descriptor).st_size == 0:
            partial.unlink(missing_ok=True)


def partial_path(output: Path) -> Path:
    """Returns the path of the rows of an output that is not complete.

    Example:
      >>> partial_path(Path("digits.csv")).name
      'digits.csv.partial'
    """
    target = _resolve_links(output)
    if is_written_in_place(target):
        return target
    return target.with_name(target.name + ".partial")


def is_stream(path: Path) -> bool:
    """Tells whether a path is that of a pipe, a terminal or another special file.

    A descriptor is one, also of a regular file.
    """
    is_special = path.exists() and not path.is_file() and not path.is_dir()
    return is_special or is_descriptor(path)


def is_descriptor(path: Path) -> bool:
    """Tells whether a path is that of an open file of this process, like /dev/fd/3."""
    return str(path).startswith(_DESCRIPTOR_FOLDERS)


def read_partial_rows(output: Path, row_format: RowFormat) -> Iterator[tuple[Row, int]]:
    """Reads the complete rows that an interrupted run has written.

    Yields:
      Each row, and its end in the partial file as an offset in bytes.

    Raises:
      OutputError: the rows have other columns, or cannot be parsed.
    """
    partial = partial_path(output)
    if not partial.exists():
        return
    try:
        yield from row_format.recover(partial)
    except ValueError as error:
        raise OutputError(
            f"{partial}: cannot be continued: {error}; leave out --resume to begin anew"
        ) from error


@contextlib.contextmanager
def _open_stdout(row_format: RowFormat) -> Iterator[WriteRows]:
    if sys.stdout is None:
        raise OutputError("stdout is closed; give --output")
    is_redirected = sys.stdout is not sys.__stdout__
    if is_redirected:  # A notebook has a stream of its own.
        _print(row_format.header())
        yield lambda rows: _print(row_format.encode(rows))
        return
    yield _begin(sys.stdout.fileno(), row_format)


def _print(data: bytes) -> None:
    sys.stdout.write(data.decode("utf-8", "surrogateescape"))


@contextlib.contextmanager
def _open_stream(output: Path, row_format: RowFormat) -> Iterator[WriteRows]:
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    try:
        yield _begin(descriptor, row_format)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _open_partial(
    output: Path, row_format: RowFormat, keep_bytes: int
) -> Iterator[WriteRows]:
    partial = partial_path(output)
    with _explain_full_disk(partial):
        # Appending never leaves a gap, whoever else writes on a disk without locks.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(partial, flags, 0o666)
        forget_temporary_file(partial)
        try:
            os.ftruncate(descriptor, keep_bytes)
            if keep_bytes == 0:
                _write_all(descriptor, row_format.header())

            def write_rows(rows: Iterable[Row]) -> None:
                _check_is_own(descriptor, partial)
                _append_rows(descriptor, row_format, rows)

            yield write_rows
            _check_is_own(descriptor, partial)
        finally:
            os.close(descriptor)
        row_format.finish(partial, _resolve_links(output))


def _check_is_own(descriptor: int, partial: Path) -> None:
    """Checks that no other run has finished the file, on a disk without locks."""
    if not is_file_at(descriptor, partial):
        raise OutputError(
            f"{partial}: another run has written it meanwhile; give another --output"
        )


def _resolve_links(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _begin(descriptor: int, row_format: RowFormat) -> WriteRows:
    """Writes the header and returns the function that appends rows."""
    _write_all(descriptor, row_format.header())
    return functools.partial(_append_rows, descriptor, row_format)


def _append_rows(descriptor: int, row_format: RowFormat, rows: Iterable[Row]) -> None:
    _write_all(descriptor, row_format.encode(rows))


def _write_all(descriptor: int, data: bytes) -> None:
    """Writes bytes with signals deferred, so that no row is torn."""
    remaining = memoryview(data)
    deferred = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, deferred)
    try:
        while remaining:
            written = os.write(descriptor, remaining)
            remaining = remaining[written:]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


@contextlib.contextmanager
def _explain_full_disk(partial: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL_DISK_ERRORS:
            raise
        raise OutputError(
            f"{partial}: {error.strerror}; the rows so far are kept there: make room, "
            "then give the same command with --resume"
        ) from error
