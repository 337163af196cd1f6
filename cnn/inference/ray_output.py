"""Writes the rows of a block to a file of the output folder, on any machine."""

import io
from collections import Counter
from collections.abc import Iterable

from cnn.inference.number_statistics import count_number
from cnn.inference.row_formats import RowFormat
from cnn.inference.schema import Row


def write_block(
    output_uri: str, row_format: RowFormat, index: int, rows: list[Row]
) -> Counter[str]:
    """Writes one file of rows.

    A block that is read again, because its machine was lost, has the same name.

    Args:
      output_uri: the folder, which is made if it is missing.
      row_format: format of the file.
      index: number of the block.
      rows: its rows.

    Returns:
      The counts of the rows.
    """
    from pyarrow import fs

    content = io.BytesIO()
    row_format.write_file(rows, content)
    filesystem, folder = fs.FileSystem.from_uri(output_uri)
    filesystem.create_dir(folder, recursive=True)
    path = f"{folder}/{index:06}.{row_format.name}"
    with filesystem.open_output_stream(path) as file:
        file.write(content.getbuffer())
    return _count_rows(rows)


def _count_rows(rows: Iterable[Row]) -> Counter[str]:
    """Counts rows by status, labels, correct predictions and wrong characters."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(count_number(row.prediction or "", row.status, row.label or ""))
    return counts
