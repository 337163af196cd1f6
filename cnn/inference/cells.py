"""Values of a row, and their text in CSV and JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from cnn.image_files.natural_sort import NAME_ENCODING

# A value of a row. None is an empty cell in a CSV and null in JSON and Parquet.
Cell = str | int | float | None

# Characters that need quotation marks in a CSV (RFC 4180).
_SPECIAL_CHARACTERS = frozenset(',"\r\n')
# Those of them that a line without quotation marks does not have.
SPECIAL_IN_LINE = _SPECIAL_CHARACTERS - {","}


class Column(NamedTuple):
    """Column of an output.

    Attributes:
      name: its header.
      kind: what its values are. JSON is a text in CSV and Parquet, and a part of the
        object in JSON lines.
    """

    name: str
    kind: Literal["text", "number", "integer", "json"] = "text"

    @property
    def is_number(self) -> bool:
        """Whether its values are probabilities."""
        return self.kind == "number"


def format_number(number: float) -> str:
    """Formats a probability for CSV and JSON, with 6 decimals.

    Example:
      >>> format_number(0.5)
      '0.500000'
    """
    return f"{number:.6f}"


def dump_json(value: Any) -> str:
    """Returns a value as JSON, with 6 decimals in numbers that are no integers.

    Example:
      >>> dump_json([{"box": [1, 2, 3, 4], "confidence": 0.5}])
      '[{"box": [1, 2, 3, 4], "confidence": 0.500000}]'
    """
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, Mapping):
        members = (f"{json.dumps(key)}: {dump_json(value[key])}" for key in value)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(dump_json, value)) + "]"
    return json.dumps(value)


def to_csv_text(cell: Cell) -> str:
    """Returns a value as a CSV has it, in quotation marks if necessary."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return format_number(cell)
    if isinstance(cell, int):
        return str(cell)
    if _SPECIAL_CHARACTERS.isdisjoint(cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def parse_csv_text(text: str, column: Column) -> Cell:
    """Returns the value of a cell of a CSV.

    Raises:
      ValueError: the text is not of the column's kind.
    """
    if not text:
        return None
    if column.kind == "number":
        return float(text)
    if column.kind == "integer":
        return int(text)
    return text


def to_json_text(cell: Cell, column: Column) -> str:
    """Returns a value as an object of JSON lines has it."""
    if column.kind == "json" and isinstance(cell, str):
        return cell
    return dump_json(cell)


def from_json_value(value: Any, column: Column) -> Cell:
    """Returns the cell of a value that was parsed from JSON lines."""
    if column.kind == "json" and value is not None:
        return dump_json(value)
    cell: Cell = value
    return cell


def to_parquet_value(cell: Cell) -> Cell:
    """Returns a value for Parquet: text in UTF-8, and probabilities as a CSV has them.

    Example:
      >>> to_parquet_value(0.12345678)
      0.123457
    """
    if isinstance(cell, float):
        return float(format_number(cell))
    if isinstance(cell, str):
        return cell.encode(**NAME_ENCODING).decode(errors="backslashreplace")
    return cell
