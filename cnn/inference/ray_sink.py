"""Sink of Ray Data: writes one file of rows per block, and counts the rows."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from cnn.inference.number_statistics import count_number
from cnn.inference.row_formats import CsvFormat, RowFormat
from cnn.inference.schema import Row


def make_sink(output_uri: str, row_format: RowFormat) -> Any:
    """Returns a sink that writes one file per block, and counts the rows."""
    from ray.data.datasource import BlockBasedFileDatasink

    class Sink(BlockBasedFileDatasink):
        def __init__(self) -> None:
            super().__init__(output_uri, file_format=row_format.name)
            self.counts: Counter[str] = Counter()

        def write(self, blocks: Iterable[Any], ctx: Any) -> Any:
            blocks = list(blocks)
            super().write(blocks, ctx)
            lines = [block["line"].to_pylist() for block in blocks]
            return _count_rows(parse_lines(itertools.chain(*lines)))

        def write_block_to_file(self, block: Any, file: Any) -> None:
            lines = block.to_arrow()["line"].to_pylist()
            row_format.write_file(parse_lines(lines), file)

        def on_write_complete(self, write_result: Any) -> None:
            super().on_write_complete(write_result)
            for counts in write_result.write_returns:
                self.counts.update(counts or {})

    def parse_lines(lines: Iterable[bytes]) -> Iterator[Row]:
        return CsvFormat(row_format.schema).parse(lines)

    return Sink()


def _count_rows(rows: Iterable[Row]) -> Counter[str]:
    """Counts rows by status, labels, correct predictions and wrong characters."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(count_number(row.prediction or "", row.status, row.label or ""))
    return counts
