"""Completes JPEG files that lack their end marker.

Source: "Digital compression and coding of continuous-tone still images", ITU-T T.81,
1992.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from cnn.preprocessing.continuations import (
    FIRST_BYTES,
    LENGTH,
    DigestPixels,
    fill,
    find_common_picture,
)

SIGNATURE = b"\xff\xd8\xff"
END = b"\xff\xd9"

# A marker with a segment, or the end marker.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_START_OF_SCAN = 0xDA
# Bytes of the header of a scan of one component.
_MIN_SCAN_HEADER = 6
# Baseline, extended and progressive frames, with Huffman or arithmetic codes.
_START_OF_FRAME = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
# Bytes at the end of complete data without which it is not complete.
_NEEDED = 8


def complete_jpeg(data: bytes, digest_pixels: DigestPixels) -> bytes | None:
    """Completes a file that ends, apart from padding, with the data of its last pixel.

    Data that ends elsewhere is of a file whose missing part was filled with other data.

    Returns:
      A whole file with the same pixels, or None if some may be missing.
    """
    whole = data.rstrip(b"\xff")
    # Zeros are padding, or the data of a white page, which ends at the very last one.
    needed = 1 if whole.endswith(b"\0\0") else _NEEDED
    completed = _complete_exactly(whole, needed, digest_pixels)
    if completed is None and whole.endswith(b"\0"):
        stripped = data.rstrip(b"\0\xff")
        completed = _complete_exactly(stripped, _NEEDED, digest_pixels)
    return completed


def _complete_exactly(
    data: bytes, needed: int, digest_pixels: DigestPixels
) -> bytes | None:
    completed = find_common_picture(_continue_jpeg(data), digest_pixels)
    if completed is None:
        return None
    shorter = _continue_jpeg(data[:-needed])
    is_padded = find_common_picture(shorter, digest_pixels) is not None
    return None if is_padded else completed


def _continue_jpeg(data: bytes) -> Iterator[bytes]:
    """Yields files that end here, and that go on, also after a restart marker."""
    data = data.removesuffix(b"\xff")
    if not read_jpeg(data).has_all_scans:
        return
    yield data + END
    markers = _next_restart_markers(data)
    for first_byte in FIRST_BYTES:
        more = fill(first_byte, LENGTH).replace(b"\xff", b"\xff\0")
        yield data + more + b"".join(marker + more for marker in markers) + END


def _next_restart_markers(data: bytes) -> list[bytes]:
    """Returns all restart markers, first the one that is due at the end of the data."""
    markers = [bytes([255, value]) for value in range(0xD0, 0xD8)]
    scan = data.rfind(b"\xff\xda")
    positions = [data.rfind(marker, scan) for marker in markers]
    due = positions.index(max(positions)) + 1 if max(positions) > 0 else 0
    return markers[due:] + markers[:due]


class Jpeg(NamedTuple):
    """Markers of a JPEG.

    Attributes:
      has_all_scans: whether each coefficient has a scan, whole or not, and a last one
        of full precision.
      has_end: whether the end marker is there.
    """

    has_all_scans: bool
    has_end: bool


def read_jpeg(data: bytes) -> Jpeg:
    """Reads the markers of a file that may be cut."""
    components = b""
    precise: set[tuple[int, int]] = set()
    has_end = False
    position = 2
    while marker := _MARKER.search(data, position):
        value = data[marker.end() - 1]
        position = marker.end()
        if value == END[1]:
            has_end = True
            break
        length = int.from_bytes(data[position : position + 2], "big")
        segment = data[position + 2 : position + length]
        position += length
        if position > len(data):
            return Jpeg(False, False)
        if value in _START_OF_FRAME:
            components = segment[6::3]
        elif value == _START_OF_SCAN and len(segment) >= _MIN_SCAN_HEADER:
            precise = _add_scan(precise, segment)
    has_all_scans = bool(components) and len(precise) == 64 * len(components)
    return Jpeg(has_all_scans, has_end)


def _add_scan(precise: set[tuple[int, int]], segment: bytes) -> set[tuple[int, int]]:
    """Updates the pairs of component and coefficient that have full precision."""
    first, last, precision = segment[-3:]
    scanned = {
        (component, coefficient)
        for component in segment[1:-3:2]
        for coefficient in range(first, min(last, 63) + 1)
    }
    return precise - scanned if precision & 15 else precise | scanned
