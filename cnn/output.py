"""Where the rows go: a CSV that is whole or not there, and what a stopped run has left of it.

Rows are added to `OUTPUT.partial`, a batch at a time, and only the whole file takes the place of OUTPUT.
"""

import contextlib
import csv
import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cnn

# Names that are not UTF-8 are written as the bytes that they are.
_ENCODING: Any = {"encoding": "utf-8", "errors": "surrogateescape"}
# What must not stay bare in a row.
_SPECIAL = frozenset(',"\r\n')

Write = Callable[[Iterable[Sequence[str]]], None]


class OutputError(cnn.Error):
    """An output that cannot be written, or continued."""


def partial_of(path: Path) -> Path:
    """Says where the rows of an output are until it is whole.

    Example:
      >>> partial_of(Path("digits.csv")).name
      'digits.csv.partial'
    """
    path = Path(os.path.realpath(path))
    return path.with_name(path.name + ".partial")


def line(row: Iterable[str]) -> str:
    r"""Writes a row of a CSV (RFC 4180).

    Python's own writer leaves a bare carriage return bare, which its reader takes for the end of a row.

    Example:
      >>> line(["a,b", 'say "7" twice', "7"])
      '"a,b","say ""7"" twice",7\n'
    """
    return ",".join(map(_cell, row)) + "\n"


def _cell(text: str) -> str:
    return text if _SPECIAL.isdisjoint(text) else '"' + text.replace('"', '""') + '"'


def whole_rows(path: Path) -> Iterator[tuple[list[str], int]]:
    """Reads the rows of a CSV that may have been torn anywhere.

    Args:
      path: of the file.

    Yields:
      Each whole row, its header too, and how many bytes of the file it ends after.
    """
    with open(path, "rb") as file:
        at, ended = 0, True

        def lines() -> Iterator[str]:
            nonlocal at, ended
            for raw in file:
                at, ended = at + len(raw), raw.endswith(b"\n")
                yield raw.decode(**_ENCODING)

        with contextlib.suppress(csv.Error):  # The last row ends within quotation marks.
            for row in csv.reader(lines(), strict=True):
                if ended:
                    yield row, at


def earlier_rows(path: Path, header: Sequence[str]) -> Iterator[list[str]]:
    """Reads the rows that a stopped run has left of an output.

    Raises:
      OutputError: they have other columns.
    """
    partial = partial_of(path)
    if not partial.exists():
        return
    rows = (row for row, _ in whole_rows(partial))
    found = next(rows, list(header))
    if found != list(header):
        raise OutputError(
            f"{partial}: has the columns {','.join(found)}, where {','.join(header)} are asked for; "
            "give the flags of the stopped run, or leave out --resume to begin anew"
        )
    yield from rows


@contextlib.contextmanager
def opened(path: Path | None, header: Sequence[str], resume: bool) -> Iterator[Write]:
    """Opens a CSV: `OUTPUT.partial` until it is whole, or stdout.

    Args:
      path: of the CSV; without it, stdout. What is no regular file (a pipe) is written to as it is.
      header: the names of its columns.
      resume: whether the rows that are there stay.

    Yields:
      A function that adds rows.

    Raises:
      OutputError: it cannot be written; what has been stays.
    """
    if path is None:
        if sys.stdout is None:
            raise OutputError("stdout is closed; give --output")
        write = _writer(sys.stdout.fileno())
        write([header])
        yield write
        return
    whole = Path(os.path.realpath(path))
    special = whole.exists() and not whole.is_file()
    partial = whole if special else partial_of(path)
    with contextlib.nullcontext() if special else _kept(partial):
        file = os.open(partial, os.O_WRONLY | (0 if special else os.O_CREAT), 0o666)
        try:
            if special or not _cut(file, partial, resume):
                _writer(file)([header])
            yield _writer(file)
        finally:
            os.close(file)
        if not special:
            os.replace(partial, whole)


def _cut(file: int, partial: Path, resume: bool) -> int:
    """Cuts off what is no whole row, or all; returns how many bytes are left, where writing goes on."""
    end = max((end for _, end in whole_rows(partial)), default=0) if resume else 0
    os.ftruncate(file, end)
    return os.lseek(file, end, os.SEEK_SET)


def _writer(file: int) -> Write:
    def write(rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO()
        text.writelines(map(line, rows))
        data = memoryview(text.getvalue().encode(**_ENCODING))
        # A signal that came between two pieces would leave half a row.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            while data:
                data = data[os.write(file, data) :]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    return write


@contextlib.contextmanager
def _kept(partial: Path) -> Iterator[None]:
    """Says of a disk that is full where the rows are, and how to go on."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise OutputError(
            f"{partial}: {error.strerror}; the rows so far are kept there: make room, then give the same "
            "command with --resume"
        ) from error
