"""The pages to read of each file, as `--pages` names them."""

import re
from typing import NamedTuple

from cnn.errors import UsageError

# Digits of a page number. Longer ones are typing errors.
_MAX_DIGITS = 9
_PART = re.compile(r"([0-9]+)(?:(-)([0-9]*))?")


class PageRange(NamedTuple):
    """Pages of a file.

    Attributes:
      ranges: first and last page of each range, counted from 1. None is the last page
        of the file.
      text: the pages as the user has written them.
    """

    ranges: tuple[tuple[int, int | None], ...]
    text: str

    def select(self, num_pages: int) -> list[int]:
        """Returns the numbers of the pages that a file has, in ascending order.

        Args:
          num_pages: number of pages of the file.
        """
        selected: set[int] = set()
        for first, last in self.ranges:
            end = num_pages if last is None else min(last, num_pages)
            selected.update(range(first, end + 1))
        return sorted(selected)


def parse_pages(text: str) -> PageRange:
    """Parses the pages of a command line.

    Args:
      text: numbers and ranges, counted from 1 and separated by commas. A range without
        an end goes to the last page.

    Raises:
      UsageError: the text does not name pages.

    Example:
      >>> parse_pages("1,3-5").select(4)
      [1, 3, 4]
    """
    parts = [part.strip() for part in text.split(",")]
    return PageRange(tuple(_parse_part(part, text) for part in parts), text)


def _parse_part(part: str, text: str) -> tuple[int, int | None]:
    match = _PART.fullmatch(part)
    if match is None or max(map(len, filter(None, match.groups()))) > _MAX_DIGITS:
        raise _unexpected(text)
    first = int(match[1])
    last: int | None = first
    if match[2]:
        last = int(match[3]) if match[3] else None
    if first < 1:
        raise _unexpected(text)
    if last is not None and last < first:
        raise UsageError(f"--pages: expected {last}-{first}, got {part}")
    return first, last


def _unexpected(text: str) -> UsageError:
    return UsageError(
        "--pages: expected page numbers from 1 and ranges of them, like 1,3-5 or 2-, "
        f"got {text or 'nothing'}"
    )
