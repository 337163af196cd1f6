"""Continues the rows of an interrupted run."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.image_files.listing import InputFile, PathError
from cnn.inference.row_formats import RowFormat
from cnn.inference.row_writer import partial_path, read_partial_rows
from cnn.inference.schema import Row, Schema
from cnn.inference.source_predictions import SourceResult
from cnn.preprocessing.source import Source

if TYPE_CHECKING:
    from cnn.classifier import Prediction
    from cnn.number_prediction import NumberPrediction

Item = tuple[InputFile, Source]


def continue_rows(
    output: Path,
    row_format: RowFormat,
    sources: Iterator[Item],
    add: Callable[[SourceResult], object],
) -> tuple[int, Iterator[Item]]:
    """Reads the rows of an interrupted run, which must be those of the first sources.

    With the layout `page`, the last source may lack rows, and is read again.

    Args:
      output: path of the output.
      row_format: format of the output.
      sources: all sources.
      add: called with the result of each source whose rows are kept.

    Returns:
      The end of the rows that are kept, as an offset in bytes, and the sources that are
      left to read.

    Raises:
      PathError: a row is that of another source, or has a class that is none now.
    """
    schema = row_format.schema
    has_many_rows = schema.layout == "page"
    keep_bytes = last_end = 0
    item: Item | None = None
    rows: list[Row] = []
    written = enumerate(read_partial_rows(output, row_format), start=1)
    for number, (row, end) in written:
        if not (has_many_rows and item and _is_row_of(row, item, schema)):
            if item:
                add(_make_result(item, rows, schema))
                keep_bytes = last_end
            item = next(sources, None)
            rows = []
            if item is None or not _is_row_of(row, item, schema):
                raise _other_source(output, number, row, item, schema)
        _check_classes(output, number, row, schema)
        rows.append(row)
        last_end = end
    if item and has_many_rows:
        return keep_bytes, itertools.chain([item], sources)
    if item:
        add(_make_result(item, rows, schema))
    return last_end, sources


def _is_row_of(row: Row, item: Item, schema: Schema) -> bool:
    file, source = item
    cells = schema.source_cells(source)
    return row.path == file.name and row.place[: len(cells)] == cells


def _other_source(
    output: Path, number: int, row: Row, item: Item | None, schema: Schema
) -> PathError:
    found = "nothing"
    num_cells = 0
    if item:
        cells = schema.source_cells(item[1])
        num_cells = len(cells)
        found = _describe(item[0].name, cells)
    return PathError(
        f"{partial_path(output)}: its row {number:,} is of "
        f"{_describe(row.path, row.place[:num_cells])}, where the folder has {found} "
        "now; leave out --resume to begin anew"
    )


def _check_classes(output: Path, number: int, row: Row, schema: Schema) -> None:
    """Refuses the character of another model, or of other `--classes`."""
    if schema.layout != "character":
        return
    for name in (row.prediction, row.label):
        if name is not None and name not in schema.class_names:
            raise PathError(
                f"{partial_path(output)}: its row {number:,} has the class {name}, "
                "which --model and --classes do not have now; leave out --resume to "
                "begin anew"
            )


def _describe(name: str, cells: tuple) -> str:
    return " ".join([name, *map(str, cells)])


def _make_result(item: Item, rows: list[Row], schema: Schema) -> SourceResult:
    file, source = item
    label = rows[0].label or ""
    if schema.layout == "character":
        characters = [_to_prediction(source, row) for row in rows]
        return SourceResult(file, source, characters, label)
    numbers = [_to_number(source, row, schema) for row in rows]
    return SourceResult(file, source, numbers, label)


def _to_prediction(source: Source, row: Row) -> "Prediction":
    from cnn.classifier import Prediction

    return Prediction(
        path=source.path,
        prediction=row.prediction or "",
        confidence=row.confidence or 0.0,
        status=row.status,
        detail=row.detail or "",
    )


def _to_number(source: Source, row: Row, schema: Schema) -> "NumberPrediction":
    """Returns the number of a row, without its characters."""
    from cnn.number_prediction import NumberPrediction

    places = dict(zip(schema.place_names, row.place, strict=True))
    box = tuple(places.get(edge) for edge in ("left", "top", "right", "bottom"))
    return NumberPrediction(
        path=source.path,
        page=source.page or 1,
        region=source.region.name if source.region else "",
        line=places.get("line") or 1,  # type: ignore[arg-type]
        box=None if None in box else box,  # type: ignore[arg-type]
        prediction=row.prediction or "",
        confidence=row.confidence or 0.0,
        status=row.status,
        detail=row.detail or "",
    )
