"""Finds the pages among the directories of a TIFF, without decoding them.

Source: TIFF 6.0, section 2, and the BigTIFF design.
"""

import os
import struct
from typing import BinaryIO, NamedTuple

# Tag 254, NewSubfileType, and its bits: a smaller copy of another page, and a mask.
_SUBFILE_TYPE = 254
_REDUCED = 1
_MASK = 4
# Types of a tag's value: 16 and 32 bits.
_SHORT = 3
_LONG = 4
# Entries of a directory that are read. They are sorted by tag, and few tags are less
# than `_SUBFILE_TYPE`.
_MAX_ENTRIES = 16


class _Layout(NamedTuple):
    """How a kind of TIFF packs its directories.

    Attributes:
      order: byte order as in `struct`.
      entries: format of the number of entries.
      entry: size of an entry in bytes.
      value: offset of the value in an entry, in bytes.
      offset: format of an offset.
      first: position of the offset of the first directory, in bytes.
    """

    order: str
    entries: str
    entry: int
    value: int
    offset: str
    first: int


def find_tiff_pages(file: BinaryIO, max_pages: int) -> list[int]:
    """Finds the directories that are pages, and no thumbnails or masks.

    Args:
      file: a TIFF, whose position is changed.
      max_pages: number of directories after which the search ends.

    Returns:
      The indices of the pages in the chain of directories. At least one: a file of
      thumbnails only has them as its pages.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    layout = _read_layout(file.read(16))
    kinds: list[int] = []
    seen: set[int] = set()
    position = 0 if layout is None else _read_number(file, layout.first, layout)
    while layout and 0 < position < size and position not in seen:
        seen.add(position)
        kind, position = _read_directory(file, position, layout)
        kinds.append(kind)
        if len(kinds) > max_pages:
            break
    pages = [i for i, kind in enumerate(kinds) if not kind & (_REDUCED | _MASK)]
    return pages or list(range(max(1, len(kinds))))


def _read_layout(header: bytes) -> _Layout | None:
    order = {b"II": "<", b"MM": ">"}.get(header[:2])
    if order is None or len(header) < 8:
        return None
    (version,) = struct.unpack(order + "H", header[2:4])
    if version == 43:
        return _Layout(order, "Q", entry=20, value=12, offset="Q", first=8)
    return _Layout(order, "H", entry=12, value=8, offset="I", first=4)


def _read_number(
    file: BinaryIO, position: int, layout: _Layout, number: str | None = None
) -> int:
    """Reads an offset, or a number of the given format; 0 behind the end."""
    number = layout.order + (number or layout.offset)
    file.seek(position)
    data = file.read(struct.calcsize(number))
    return struct.unpack(number, data)[0] if len(data) == struct.calcsize(number) else 0


def _read_directory(file: BinaryIO, position: int, layout: _Layout) -> tuple[int, int]:
    """Reads the subfile type of a directory, and the offset of the next one."""
    count = _read_number(file, position, layout, layout.entries)
    start = position + struct.calcsize(layout.order + layout.entries)
    file.seek(start)
    entries = file.read(min(count, _MAX_ENTRIES) * layout.entry)
    next_position = start + count * layout.entry
    if next_position > 1 << 62:
        return _subfile_type(entries, layout), 0
    return _subfile_type(entries, layout), _read_number(file, next_position, layout)


def _subfile_type(entries: bytes, layout: _Layout) -> int:
    for start in range(0, len(entries) - layout.entry + 1, layout.entry):
        tag, kind = struct.unpack_from(layout.order + "HH", entries, start)
        if tag == _SUBFILE_TYPE and kind in (_SHORT, _LONG):
            number = layout.order + ("H" if kind == _SHORT else "I")
            return struct.unpack_from(number, entries, start + layout.value)[0]
    return 0
