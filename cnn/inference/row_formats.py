r"""Rows as text, and back: CSV (RFC 4180) and JSON lines (https://jsonlines.org); and Parquet made of a CSV.

A name that is not UTF-8 keeps its bytes in a CSV. JSON has escapes instead, of which Python makes the same
name again ("surrogateescape", PEP 383). Parquet, whose texts must be UTF-8, shows such bytes as `\xff`.
"""

import contextlib
import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

Format = Literal["csv", "jsonl", "parquet"]

# How names that are not UTF-8 are written as the bytes that they are.
ENCODING: Any = {"encoding": "utf-8", "errors": "surrogateescape"}
# What must not stay bare in a row of a CSV.
_SPECIAL = frozenset(',"\r\n')
# Rows that a Parquet file holds together.
_ROWS_PER_GROUP = 65_536


class Schema(NamedTuple):
    """What a row holds.

    Attributes:
      names: of the columns.
      numbers: which of them are numbers; the others are texts.
    """

    names: Sequence[str]
    numbers: frozenset[str]


def infer_format(path: Path | None, wanted: Format | None) -> Format:
    """Tells the format of an output: what is wanted, or by its extension, or CSV.

    Example:
      >>> choose(Path("digits.parquet"), None)
      'parquet'
    """
    extension: Any = path.suffix.lower().removeprefix(".") if path else ""
    return wanted or (extension if extension in get_args(Format) else "csv")


def csv_line(row: Sequence[str]) -> str:
    r"""Writes a row of a CSV.

    Python's own writer leaves a bare carriage return bare, which its reader takes for the end of a row.

    Example:
      >>> csv_line(["a,b", 'say "7" twice', "7"])
      '"a,b","say ""7"" twice",7\n'
    """
    return ",".join(map(_csv_cell, row)) + "\n"


def _csv_cell(text: str) -> str:
    return text if _SPECIAL.isdisjoint(text) else '"' + text.replace('"', '""') + '"'


def json_line(columns: Schema, row: Sequence[str]) -> str:
    r"""Writes a row as a JSON object; what is empty is null.

    Example:
      >>> columns = Columns(["path", "label", "confidence"], frozenset({"confidence"}))
      >>> json_line(columns, ["a", "", "0.50"])
      '{"path": "a", "label": null, "confidence": 0.50}\n'
    """
    cells = zip(columns.names, row, strict=True)
    texts = (
        f"{json.dumps(name)}: {_json_cell(cell, name in columns.numbers)}"
        for name, cell in cells
    )
    return "{" + ", ".join(texts) + "}\n"


def _json_cell(cell: str, is_number: bool) -> str:
    if not cell:
        return "null"
    return cell if is_number else json.dumps(cell)


def csv_rows(path: Path) -> Iterator[tuple[list[str], int]]:
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
                yield raw.decode(**ENCODING)

        with contextlib.suppress(
            csv.Error
        ):  # The last row ends within quotation marks.
            for row in csv.reader(lines(), strict=True):
                if ended:
                    yield row, at


def json_rows(path: Path) -> Iterator[tuple[dict[str, str], int]]:
    """Reads JSON lines that may have been torn anywhere; values and ends as of `csv_rows`, by column."""
    with open(path, "rb") as file:
        at = 0
        for raw in file:
            at += len(raw)
            if raw.endswith(b"\n"):
                values = json.loads(raw, parse_float=str)
                yield (
                    {
                        name: "" if value is None else value
                        for name, value in values.items()
                    },
                    at,
                )


def write_parquet(rows: Iterable[Sequence[str]], columns: Schema, file: Any) -> None:
    """Writes rows as Parquet, some at a time.

    Args:
      rows: without a header.
      columns: what they hold.
      file: path of the file, or a file that is open.
    """
    import pyarrow as pa
    from pyarrow import parquet

    kinds = [
        pa.float64() if name in columns.numbers else pa.string()
        for name in columns.names
    ]
    schema = pa.schema(list(zip(columns.names, kinds, strict=True)))
    left = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(itertools.islice(left, _ROWS_PER_GROUP)):
            values = dict(zip(columns.names, zip(*group, strict=True), strict=True))
            arrays = {
                name: [_parquet_value(c, name in columns.numbers) for c in values[name]]
                for name in values
            }
            writer.write_table(pa.table(arrays, schema=schema))


def _parquet_value(cell: str, is_number: bool) -> str | float | None:
    if not cell:
        return None
    return (
        float(cell)
        if is_number
        else cell.encode(**ENCODING).decode(errors="backslashreplace")
    )
