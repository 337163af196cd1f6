r"""Formats of an output: CSV, JSON lines and Parquet.

A format is a subclass of `RowFormat` with an entry in `ROW_FORMATS`. Its name is
also a value of `InferConfig.format`.

A path that is not UTF-8 keeps its bytes in a CSV. JSON has escapes for such
bytes, from which Python restores the same path ("surrogateescape", PEP 383).
Parquet text must be UTF-8 and shows such bytes as `\xff`.
"""

import abc
import csv
import functools
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, ClassVar

from cnn.atomic_write import atomic_write
from cnn.errors import Error, UsageError
from cnn.inference.cells import (
    Cell,
    from_json_value,
    parse_csv_text,
    to_json_text,
    to_parquet_value,
)
from cnn.inference.csv_lines import ENCODING, csv_line, read_csv_rows
from cnn.inference.schema import Row, Schema

# Rows per row group of a Parquet file. One row group is held in memory.
_ROWS_PER_GROUP = 65_536


class OutputError(Error):
    """An output that cannot be written, or continued."""


class RowFormat(abc.ABC):
    """Converts rows to the bytes of a file, and back.

    Rows are appended to a partial file as they come. The partial file becomes the
    output at the end.

    Attributes:
      name: name of the format.
      endings: endings of its files, without a dot.
      needs_regular_file: whether the output may be neither a pipe nor stdout.
      schema: columns of the output.
    """

    name: ClassVar[str]
    endings: ClassVar[Sequence[str]]
    needs_regular_file: ClassVar[bool] = False

    def __init__(self, schema: Schema) -> None:
        """Creates a format for rows of the schema's columns."""
        self.schema = schema

    @abc.abstractmethod
    def header(self) -> bytes:
        """Returns the bytes of a file before its first row."""

    @abc.abstractmethod
    def encode(self, rows: Iterable[Row]) -> bytes:
        """Returns the bytes that are appended for rows."""

    @abc.abstractmethod
    def recover(self, partial: Path) -> Iterator[tuple[Row, int]]:
        """Reads the complete rows of a partial file, which may end anywhere.

        Yields:
          Each row, and its end as an offset in bytes.

        Raises:
          OutputError: the file has other columns.
          ValueError: a complete row cannot be parsed.
        """

    def finish(self, partial: Path, output: Path) -> None:
        """Makes the output of a partial file that has all rows, or is the output."""
        if partial != output:
            os.replace(partial, output)

    def write_file(self, rows: Iterable[Row], file: IO[bytes]) -> None:
        """Writes a complete output at once."""
        file.write(self.header())
        file.write(self.encode(rows))

    def _check_names(self, names: Sequence[str], partial: Path) -> None:
        if list(names) != self.schema.names:
            raise OutputError(
                f"{partial}: has the columns {','.join(names)}, where "
                f"{','.join(self.schema.names)} are asked for; give the flags of the "
                "stopped run, or leave out --resume to begin anew"
            )


class CsvFormat(RowFormat):
    r"""CSV (RFC 4180) with a header, in UTF-8, with `\n` at the end of a row."""

    name = "csv"
    endings: ClassVar[Sequence[str]] = ("csv", "txt")

    def header(self) -> bytes:
        """Returns the row of column names."""
        return csv_line(self.schema.names).encode(**ENCODING)

    def encode(self, rows: Iterable[Row]) -> bytes:
        r"""Returns one line per row.

        Example:
          >>> row = Row("a,b", "7", 0.5, "ok", 'say "7" twice')
          >>> CsvFormat(Schema(("7",))).encode([row])
          b'"a,b",7,0.500000,ok,"say ""7"" twice"\n'
        """
        lines = [csv_line(self.schema.to_cells(row)) for row in rows]
        return "".join(lines).encode(**ENCODING)

    def parse(self, lines: Iterable[bytes]) -> Iterator[Row]:
        """Parses the lines of `encode`, without a header."""
        text = (line.decode(**ENCODING) for line in lines)
        for cells in csv.reader(text, strict=True):
            yield self._parse_row(cells)

    def recover(self, partial: Path) -> Iterator[tuple[Row, int]]:
        """Reads the complete rows of a partial CSV."""
        with open(partial, "rb") as file:
            rows = read_csv_rows(file)
            header = next(rows, None)
            if header is None:
                return
            names, _ = header
            self._check_names(names, partial)
            for cells, end in rows:
                yield self._parse_row(cells), end

    def _parse_row(self, texts: Sequence[str]) -> Row:
        columns = self.schema.columns
        cells = [parse_csv_text(*pair) for pair in zip(texts, columns, strict=True)]
        return self.schema.from_cells(cells)


class JsonLinesFormat(RowFormat):
    """JSON lines (https://jsonlines.org): one object per row."""

    name = "jsonl"
    endings = ("jsonl", "ndjson")

    def header(self) -> bytes:
        """Returns nothing: each line has the names of its columns."""
        return b""

    def encode(self, rows: Iterable[Row]) -> bytes:
        r"""Returns one line per row.

        Example:
          >>> row = Row("a", None, None, "blank", "no ink found")
          >>> JsonLinesFormat(Schema(("7",))).encode([row])[:45]
          b'{"path": "a", "prediction": null, "confidence'
        """
        return "".join(map(self._json_line, rows)).encode()

    @functools.cached_property
    def _json_names(self) -> list[str]:
        return [json.dumps(name) for name in self.schema.names]

    def _json_line(self, row: Row) -> str:
        cells = self.schema.to_cells(row)
        members = [
            f"{name}: {to_json_text(cell, column)}"
            for name, column, cell in zip(
                self._json_names, self.schema.columns, cells, strict=True
            )
        ]
        return "{" + ", ".join(members) + "}\n"

    def recover(self, partial: Path) -> Iterator[tuple[Row, int]]:
        """Reads the complete lines of a partial file."""
        end = 0
        with open(partial, "rb") as file:
            for line in file:
                end += len(line)
                if line.endswith(b"\n"):
                    values = json.loads(line)
                    self._check_names(list(values), partial)
                    pairs = zip(values.values(), self.schema.columns, strict=True)
                    cells = [from_json_value(*pair) for pair in pairs]
                    yield self.schema.from_cells(cells), end


class ParquetFormat(CsvFormat):
    """Parquet. The partial file is a CSV, since Parquet has no rows before its end."""

    name = "parquet"
    endings = ("parquet",)
    needs_regular_file = True

    def finish(self, partial: Path, output: Path) -> None:
        """Converts the partial CSV."""
        rows = (row for row, _ in self.recover(partial))
        if partial == output:  # All rows must be read before it is written.
            buffer = io.BytesIO()
            self.write_file(rows, buffer)
            output.write_bytes(buffer.getbuffer())
            return
        with atomic_write(output) as temporary, open(temporary, "wb") as file:
            self.write_file(rows, file)
        partial.unlink()

    def write_file(self, rows: Iterable[Row], file: IO[bytes]) -> None:
        """Writes a complete Parquet file, one row group at a time."""
        import pyarrow as pa
        from pyarrow import parquet

        types = {"number": pa.float64(), "integer": pa.int64()}
        schema = pa.schema(
            [
                (column.name, types.get(column.kind, pa.string()))
                for column in self.schema.columns
            ]
        )
        remaining = iter(rows)
        with parquet.ParquetWriter(file, schema) as writer:
            while group := list(itertools.islice(remaining, _ROWS_PER_GROUP)):
                writer.write_table(pa.table(self._transpose(group), schema=schema))

    def _transpose(self, rows: Sequence[Row]) -> dict[str, list[Cell]]:
        """Returns the values of each column."""
        table = [map(to_parquet_value, self.schema.to_cells(row)) for row in rows]
        columns = zip(*table, strict=True)
        return {
            name: list(values)
            for name, values in zip(self.schema.names, columns, strict=True)
        }


ROW_FORMATS: dict[str, type[RowFormat]] = {
    row_format.name: row_format
    for row_format in (CsvFormat, JsonLinesFormat, ParquetFormat)
}


def infer_format(output: Path | None, wanted: str | None) -> type[RowFormat]:
    """Returns the wanted format, else that of the output's ending, else CSV.

    Example:
      >>> infer_format(Path("digits.parquet"), None).__name__
      'ParquetFormat'
    """
    if wanted is not None:
        return ROW_FORMATS[wanted]
    ending = _ending(output) if output else ""
    for row_format in ROW_FORMATS.values():
        if ending in row_format.endings:
            return row_format
    return CsvFormat


def check_ending(output: Path, row_format: type[RowFormat], wanted: str | None) -> None:
    """Checks that the ending of an output is that of its format, or that it has none.

    Args:
      output: path of the output.
      row_format: its format.
      wanted: name of the format if it was asked for.

    Raises:
      UsageError: the ending is that of something else.
    """
    ending = _ending(output)
    if ending in ("", *row_format.endings):
        return
    formats = [row_format] if wanted else ROW_FORMATS.values()
    known = ", ".join(f".{name}" for kind in formats for name in kind.endings)
    raise UsageError(
        f"--output: {output}: no .{ending} is written here; expected an ending among "
        f"{known}, or none"
    )


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
