"""What is known of a number before it is read: its length, its pattern."""

from typing import NamedTuple


class NumberPattern(NamedTuple):
    """What a user knows of the numbers to be read.

    Attributes:
      lengths: smallest and largest number of digits, or None for any.
      pattern: one character per character of the number: `d` for a digit, and
        separators; or empty for any number.
      separators: the separators that are read. Others are passed over.
    """

    lengths: tuple[int, int] | None = None
    pattern: str = ""
    separators: str = ""
