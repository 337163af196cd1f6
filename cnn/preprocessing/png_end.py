"""Completes PNG files that lack their end.

Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C, 2025.
"""

import zlib
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"

# Larger images are not completed, in bytes.
_MAX_SIZE = 1 << 28
# Samples per pixel by color type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Column and row of the first pixel of each pass, and the steps to the next ones.
_ADAM7_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_NO_PASSES = ((0, 0, 1, 1),)


class Png(NamedTuple):
    """Chunks of a PNG.

    Attributes:
      before: everything before the pixels.
      compressed: the compressed pixels.
      after: complete chunks after the pixels.
      is_intact: whether the whole chunks of pixels have the right checksum. A download
        that stopped may go on in zeros, which can be decompressed, too.
      has_end: whether the last chunk is there, whole.
    """

    before: bytes
    compressed: bytes
    after: bytes
    is_intact: bool
    has_end: bool


def read_png(data: bytes) -> Png:
    """Reads the chunks of a file that may be cut."""
    before = [SIGNATURE]
    compressed: list[bytes] = []
    after: list[bytes] = []
    position = len(SIGNATURE)
    is_intact = True
    has_end = False
    while position + 8 <= len(data) and not has_end:
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if kind == b"IDAT":
            compressed.append(data[position + 8 : end - 4])
            checksum = zlib.crc32(data[position + 4 : end - 4]).to_bytes(4, "big")
            is_intact &= end > len(data) or data[end - 4 : end] == checksum
        elif end <= len(data):
            (after if compressed else before).append(data[position:end])
            has_end = kind == b"IEND"
        position = end
    return Png(
        before=b"".join(before),
        compressed=b"".join(compressed),
        after=b"".join(after),
        is_intact=is_intact,
        has_end=has_end,
    )


def complete_png(data: bytes) -> bytes | None:
    """Returns a whole file with the same pixels, or None if some are missing."""
    png = read_png(data)
    size = _count_bytes(png.before)
    if png.has_end or not png.is_intact or not 0 < size <= _MAX_SIZE:
        return None
    try:
        rows = zlib.decompressobj().decompress(png.compressed, size)
    except zlib.error:
        return None
    if len(rows) < size:
        return None
    body = b"IDAT" + zlib.compress(rows, 1)
    length = (len(body) - 4).to_bytes(4, "big")
    checksum = zlib.crc32(body).to_bytes(4, "big")
    return png.before + length + body + checksum + png.after + END


def _count_bytes(before: bytes) -> int:
    """Counts the bytes of all rows, each with its filter type, or 0 if unknown."""
    width = int.from_bytes(before[16:20], "big")
    height = int.from_bytes(before[20:24], "big")
    if len(before) < 33 or before[25] not in _SAMPLES:
        return 0
    bits = before[24] * _SAMPLES[before[25]]
    total = 0
    for left, top, step_x, step_y in _ADAM7_PASSES if before[28] else _NO_PASSES:
        columns = -((left - width) // step_x)
        rows = -((top - height) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
