"""What is known of a number before it is read: its length, its pattern."""

import re
from typing import NamedTuple

from cnn.errors import UsageError

# Marks between digits that can be read.
SEPARATORS = ".,-/:"
# The same with spaces, so that a message does not seem to end at the last one.
_LISTED = " ".join(SEPARATORS)
# Stands for a digit in a pattern.
DIGIT = "d"
# Largest number of digits that can be asked for.
MAX_LENGTH = 100

_LENGTH = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?", re.ASCII)


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


def parse_number_pattern(
    length: str | None = None,
    pattern: str | None = None,
    separators: str | None = None,
) -> NumberPattern:
    """Parses the flags `--length`, `--pattern` and `--separators`.

    Args:
      length: a number of digits, or a range of them.
      pattern: one character per character of the number.
      separators: the marks that are read, in any order.

    Raises:
      UsageError: a value is not of this form, or the length is not the pattern's.

    Example:
      >>> parse_number_pattern("8-10")
      NumberPattern(lengths=(8, 10), pattern='', separators='')
      >>> parse_number_pattern(pattern="dd.dd.dddd").separators
      '.'
    """
    lengths = None if length is None else _parse_length(length)
    shape = "" if pattern is None else _parse_pattern(pattern)
    marks = "" if separators is None else _parse_separators(separators)
    num_digits = shape.count(DIGIT)
    if shape and lengths and not lengths[0] <= num_digits <= lengths[1]:
        raise UsageError(
            f"--length: expected {num_digits}, the digits of --pattern {shape}, "
            f"got {length}"
        )
    read = {mark for mark in marks + shape if mark != DIGIT}
    return NumberPattern(lengths, shape, "".join(m for m in SEPARATORS if m in read))


def _parse_length(text: str) -> tuple[int, int]:
    match = _LENGTH.fullmatch(text)
    if match is not None:
        low = int(match[1])
        high = int(match[2] or match[1])
        if 1 <= low <= high <= MAX_LENGTH:
            return low, high
    raise UsageError(
        "--length: expected a number of digits like 10, or a range like 8-10, "
        f"from 1 to {MAX_LENGTH}, got {text}"
    )


def _parse_pattern(text: str) -> str:
    is_known = set(text) <= {DIGIT, *SEPARATORS}
    if is_known and DIGIT in text and len(text) <= MAX_LENGTH:
        return text
    raise UsageError(
        f"--pattern: expected d for each digit and {_LISTED} for separators, "
        f"like dd.dd.dddd, got {text}"
    )


def _parse_separators(text: str) -> str:
    if text and set(text) <= set(SEPARATORS):
        return text
    raise UsageError(
        f"--separators: expected one or more of {_LISTED} without spaces between, "
        f"got {text}"
    )
