"""Makes one file of rows that were read one by one, as `bin/infer` writes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cnn.image_files.natural_sort import natural_key
from cnn.infer_config import InferConfig
from cnn.inference.cells import Cell, Column, from_json_value
from cnn.inference.row_formats import RowFormat, infer_format
from cnn.inference.schema import Row, Schema
from cnn.serving.errors import RequestError

_MAX_ROWS = 100_000
_EXPECTED = 'expected a JSON object with the "rows" of answers of /read'
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "integer": (int,),
    "json": (list,),
}
_REQUIRED = ("path", "status")


def parse_table(
    body: bytes, config: InferConfig, class_names: tuple[str, ...]
) -> tuple[RowFormat, list[Row]]:
    """Parses rows of several answers, and sorts them in natural order.

    Args:
      body: JSON: `{"rows": [...]}`. A row may have a `label`.
      config: settings that the rows were read with, and the format.
      class_names: names of the classes.

    Returns:
      The format of the file, with all columns that the rows need, and the rows.

    Raises:
      RequestError: the body is something else.
    """
    objects = _parse_objects(body)
    row_format = infer_format(None, config.format)
    schema = Schema(
        class_names=class_names,
        has_labels=_any_has(objects, "label"),
        top_k=config.top_k,
        has_probabilities=config.probabilities,
        layout=config.layout,
        has_pages=_any_has(objects, "page"),
        has_regions=_any_has(objects, "region"),
        has_characters=config.boxes and config.layout != "character",
    )
    try:
        rows = [_make_row(schema, values) for values in objects]
    except (RecursionError, OverflowError) as error:
        raise RequestError(400, f"rows: {error}") from error
    rows.sort(key=lambda row: natural_key(row.path))
    return row_format(schema), rows


def _parse_objects(body: bytes) -> list[Mapping[str, Any]]:
    try:
        table = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"{_EXPECTED}, got no JSON") from error
    rows = table.get("rows") if isinstance(table, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(r, Mapping) for r in rows):
        raise RequestError(400, _EXPECTED)
    if len(rows) > _MAX_ROWS:
        raise RequestError(413, f"expected at most {_MAX_ROWS:,} rows")
    return rows


def _refuse_constant(name: str) -> None:
    """Refuses NaN and infinities, which JSON does not have."""
    raise ValueError(name)


def _any_has(objects: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(values.get(name) is not None for values in objects)


def _make_row(schema: Schema, values: Mapping[str, Any]) -> Row:
    cells = [_make_cell(values, column) for column in schema.columns]
    return schema.from_cells(cells)


def _make_cell(values: Mapping[str, Any], column: Column) -> Cell:
    value = values.get(column.name)
    if value is None and column.name == "page":
        return 1  # Of a file of one page beside others.
    if value is None and column.name not in _REQUIRED:
        return None
    if not isinstance(value, _TYPES[column.kind]) or isinstance(value, bool):
        raise RequestError(
            400, f"rows: {column.name}: expected a {column.kind}, got {value!r:.60}"
        )
    if isinstance(value, int | float) and column.is_number:
        return float(value)  # JavaScript writes 1.0 as 1.
    return from_json_value(value, column)
