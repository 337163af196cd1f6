"""Makes the body of an answer: rows as `bin/infer` writes them."""

import functools
import io
import json
from collections.abc import Sequence
from typing import Any

from cnn.infer_config import InferConfig
from cnn.inference.layout_outputs import make_schema
from cnn.inference.row_formats import ROW_FORMATS, RowFormat
from cnn.inference.schema import Row
from cnn.serving.errors import RequestError, status_of_unreadable
from cnn.serving.reader import ReadResult

JSON_TYPE = "application/json"
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def encode_answer(
    result: ReadResult, config: InferConfig, has_preview: bool
) -> tuple[bytes, str]:
    """Makes the body of an answer.

    Args:
      result: what was read.
      config: settings of the request. Without a `format`, the answer is one JSON
        object, whose `rows` are the lines of `bin/infer --format jsonl`.
      has_preview: whether that object has `previews`.

    Returns:
      The body, and its media type.

    Raises:
      RequestError: no file of the request could be read.
    """
    name = config.format or "jsonl"
    row_format = _row_format(
        config, result.classifier.class_names, name, result.has_pages
    )
    previews = result.previews if has_preview else None
    rows = [row for of in result.results for row in of.make_rows(row_format.schema)]
    _check_readable(rows, result, config, previews)
    if config.format is None:
        return _encode_object(row_format, rows, previews), JSON_TYPE
    return encode_file(row_format, rows)


def encode_file(row_format: RowFormat, rows: Sequence[Row]) -> tuple[bytes, str]:
    """Returns rows as the file that `bin/infer` writes, and its media type."""
    buffer = io.BytesIO()
    row_format.write_file(rows, buffer)
    return buffer.getvalue(), _MEDIA_TYPES[row_format.name]


def _encode_object(
    row_format: RowFormat, rows: Sequence[Row], previews: list[Any] | None
) -> bytes:
    return ("{" + _encode_members(row_format, rows, previews) + "}\n").encode()


def _encode_members(
    row_format: RowFormat, rows: Sequence[Row], previews: list[Any] | None
) -> str:
    """Returns `rows` and `previews` as members of a JSON object."""
    lines = row_format.encode(rows).decode().splitlines()
    members = [f'"rows": [{", ".join(lines)}]']
    if previews is not None:
        members.append(f'"previews": {json.dumps(previews)}')
    return ", ".join(members)


def _check_readable(
    rows: Sequence[Row],
    result: ReadResult,
    config: InferConfig,
    previews: list[Any] | None,
) -> None:
    """Raises an error, which has the rows, if no file could be read."""
    if any(row.status != "unreadable" for row in rows):
        return
    detail = rows[0].detail or ""
    row_format = _row_format(
        config, result.classifier.class_names, "jsonl", result.has_pages
    )
    members = _encode_members(row_format, rows, previews)
    raise RequestError(status_of_unreadable(detail), detail, members)


@functools.lru_cache(maxsize=256)
def _row_format(
    config: InferConfig, class_names: tuple[str, ...], name: str, has_pages: bool
) -> RowFormat:
    kind = ROW_FORMATS[name]
    schema = make_schema(config, class_names, kind, has_pages, has_labels=False)
    return kind(schema)
