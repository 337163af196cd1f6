"""Which pages of a file are read."""

import re
from typing import NamedTuple

from cnn.errors import UsageError

_RANGE = re.compile(r"([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?", re.ASCII)


class PageRange(NamedTuple):
    """Pages of a file.

    Attributes:
      ranges: first and last page of each range, counted from 1.
    """

    ranges: tuple[tuple[int, int], ...]

    def select(self, num_pages: int) -> list[int]:
        """Returns the pages of a file that has so many, in order."""
        return [
            page
            for page in range(1, num_pages + 1)
            if any(first <= page <= last for first, last in self.ranges)
        ]


def parse_pages(text: str) -> PageRange:
    """Parses `--pages`.

    Raises:
      UsageError: the text is no list of pages and ranges.

    Example:
      >>> parse_pages("1,3-5").select(4)
      [1, 3, 4]
    """
    ranges = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise UsageError(
                f"--pages: expected pages and ranges like 1,3-5, got {text}"
            )
        ranges.append((int(match[1]), int(match[2] or match[1])))
    return PageRange(tuple(ranges))
