"""Where the rows go: a file that is whole or not there, and what a stopped run has left of it.

Rows are added to `OUTPUT.partial`, a batch at a time, and only the whole file takes the place of OUTPUT. Of
Parquet, which has no whole rows before its end, the partial is a CSV.
"""

import contextlib
import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cnn.atomic_write import atomic_write
from cnn.errors import Error
from cnn.inference import row_formats
from cnn.inference.row_formats import Format, Schema

Write = Callable[[Iterable[Sequence[str]]], None]


class OutputError(Error):
    """An output that cannot be written, or continued."""


def partial_path(path: Path) -> Path:
    """Says where the rows of an output are until it is whole.

    Example:
      >>> partial_of(Path("digits.csv")).name
      'digits.csv.partial'
    """
    path = Path(os.path.realpath(path))
    return path.with_name(path.name + ".partial")


def read_partial_rows(
    path: Path, columns: Schema, kind: Format
) -> Iterator[dict[str, str]]:
    """Reads the rows that a stopped run has left of an output, by column.

    Raises:
      OutputError: they have other columns.
    """
    partial = partial_path(path)
    if not partial.exists():
        return
    rows = (row for row, _ in _whole_rows(partial, kind))
    first = next(rows, None)
    if first is not None and list(first) != list(columns.names):
        raise OutputError(
            f"{partial}: has the columns {','.join(first)}, where {','.join(columns.names)} are asked for; "
            "give the flags of the stopped run, or leave out --resume to begin anew"
        )
    if first is not None and kind == "jsonl":
        yield first  # A CSV begins with its header.
    yield from rows


def _whole_rows(partial: Path, kind: Format) -> Iterator[tuple[dict[str, str], int]]:
    """Reads the rows of a partial, of a CSV the header too; and where each ends."""
    if kind == "jsonl":
        yield from row_formats.json_rows(partial)
        return
    names: list[str] = []
    for row, end in row_formats.csv_rows(partial):
        names = names or row
        yield dict(zip(names, row, strict=False)), end


@contextlib.contextmanager
def open_writer(
    path: Path | None, columns: Schema, kind: Format, resume: bool
) -> Iterator[Write]:
    """Opens an output: `OUTPUT.partial` until it is whole, or stdout.

    Args:
      path: of the output; without it, stdout. What is no regular file (a pipe) is written to as it is.
      columns: what its rows hold.
      kind: how they are written.
      resume: whether the rows that are there stay.

    Yields:
      A function that adds rows.

    Raises:
      OutputError: it cannot be written; what has been stays.
    """
    if path is None:
        if sys.stdout is None:
            raise OutputError("stdout is closed; give --output")
        yield _writer_with_header(sys.stdout.fileno(), columns, kind)
        return
    whole = Path(os.path.realpath(path))
    special = is_stream(whole)
    partial = whole if special else partial_path(path)
    with contextlib.nullcontext() if special else _explain_full_disk(partial):
        file = os.open(partial, os.O_WRONLY | (0 if special else os.O_CREAT), 0o666)
        try:
            going_on = not special and _truncate_to_whole_rows(
                file, partial, kind, resume
            )
            yield (
                _make_writer(file, columns, kind)
                if going_on
                else _writer_with_header(file, columns, kind)
            )
        finally:
            os.close(file)
        if not special:
            _finish(partial, columns, kind, whole)


def is_stream(path: Path) -> bool:
    """Tells whether something is there that is no file to be replaced: a pipe, a terminal."""
    return path.exists() and not path.is_file()


def _truncate_to_whole_rows(
    file: int, partial: Path, kind: Format, resume: bool
) -> int:
    """Cuts off what is no whole row, or all; returns how many bytes are left, where writing goes on."""
    end = (
        max((end for _, end in _whole_rows(partial, kind)), default=0) if resume else 0
    )
    os.ftruncate(file, end)
    return os.lseek(file, end, os.SEEK_SET)


def _writer_with_header(file: int, columns: Schema, kind: Format) -> Write:
    if kind != "jsonl":
        _write_all(file, row_formats.csv_line(columns.names))
    return _make_writer(file, columns, kind)


def _make_writer(file: int, columns: Schema, kind: Format) -> Write:
    def line(row: Sequence[str]) -> str:
        return (
            row_formats.json_line(columns, row)
            if kind == "jsonl"
            else row_formats.csv_line(row)
        )

    return lambda rows: _write_all(file, "".join(map(line, rows)))


def _write_all(file: int, text: str) -> None:
    """Writes all of it before a signal is heard, which would leave half a row."""
    data = memoryview(text.encode(**row_formats.ENCODING))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        while data:
            data = data[os.write(file, data) :]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _finish(partial: Path, columns: Schema, kind: Format, whole: Path) -> None:
    if kind != "parquet":
        os.replace(partial, whole)
        return
    with atomic_write(whole) as made:
        rows = itertools.islice(
            (row for row, _ in row_formats.csv_rows(partial)), 1, None
        )
        row_formats.write_parquet(rows, columns, made)
    partial.unlink()


@contextlib.contextmanager
def _explain_full_disk(partial: Path) -> Iterator[None]:
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
