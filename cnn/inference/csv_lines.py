"""Lines of a CSV (RFC 4180), and the reader of a CSV that may end anywhere."""

import contextlib
import csv
from collections.abc import Iterable, Iterator

from cnn.image_files.natural_sort import NAME_ENCODING
from cnn.inference.cells import SPECIAL_IN_LINE, Cell, to_csv_text

# Paths that are not UTF-8 are written as the bytes that they are.
ENCODING = NAME_ENCODING


def csv_line(cells: Iterable[Cell]) -> str:
    r"""Returns one row of a CSV, with `\n` at its end.

    Example:
      >>> csv_line(["a,b", 0.5, None])
      '"a,b",0.500000,\n'
    """
    # csv.writer leaves a carriage return unquoted, which csv.reader takes for the
    # end of a row.
    cells = list(cells)
    plain = [cell if isinstance(cell, str) else to_csv_text(cell) for cell in cells]
    line = ",".join(plain)
    # Few lines need quotation marks. To look for them in each cell takes longer.
    if line.count(",") >= len(cells) or not SPECIAL_IN_LINE.isdisjoint(line):
        line = ",".join(map(to_csv_text, cells))
    return line + "\n"


def read_csv_rows(file: Iterable[bytes]) -> Iterator[tuple[list[str], int]]:
    """Reads the complete rows of a CSV that may end anywhere.

    Args:
      file: lines of the CSV, as of a file opened in binary mode.

    Yields:
      The cells of each row, also of the header, and its end as an offset in bytes.
    """
    lines = _CountedLines(file)
    # The last row may end within quotation marks.
    with contextlib.suppress(csv.Error):
        for cells in csv.reader(lines, strict=True):
            if lines.is_complete:
                yield cells, lines.end


class _CountedLines:
    """Iterator over decoded lines, with the position of the last one.

    Attributes:
      end: end of the last line, as an offset in bytes.
      is_complete: whether the last line ends with a newline.
    """

    def __init__(self, file: Iterable[bytes]) -> None:
        self._file = iter(file)
        self.end = 0
        self.is_complete = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self.end += len(line)
        self.is_complete = line.endswith(b"\n")
        return line.decode(**ENCODING)
