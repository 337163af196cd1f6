"""Completes cut files whose pixels are all there.

A file may lack its end marker, a checksum or padding, because a camera did not write it
or a transfer was cut. Most decoders cannot tell that from a lack of pixels. Therefore
several continuations of the file are decoded. No pixel is missing if all of them show
the same picture. A continuation is filled with one repeated byte.
"""

import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

# Takes a whole file, and returns a digest of its pixels, or None if it is damaged.
DigestPixels = Callable[[bytes], bytes | None]

# Larger files are not completed, in bytes.
_MAX_FILE_SIZE = 1 << 28
# Each begins with another Huffman code, whatever the code is.
_FILLINGS = [bytes([value]) for value in (0, 255, 85, 170, 128, 192, 224, 240, 252)]
# Bytes of filling: more than the padding of any format.
_FILLING_LENGTH = 4096

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
# Samples per pixel by PNG color type.
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Column and row of the first pixel of each Adam7 pass, and their steps.
_ADAM7_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)

_GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
_GIF_END = b"\x3b"

_JPEG_SIGNATURE = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
# A marker that ends the compressed data of a scan.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
# Baseline, extended and progressive frames, with Huffman or arithmetic codes.
_FRAME_MARKERS = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
# Bytes at the end of complete JPEG data without which it is not complete.
_JPEG_NEEDED = 8


def lacks_end(file: BinaryIO) -> bool:
    """Tells whether a PNG or GIF lacks its end, which Pillow does not require.

    Args:
      file: an image file of any format, at its beginning, to which it is rewound.
    """
    signature = file.read(len(_PNG_SIGNATURE))
    is_cut = False
    if signature == _PNG_SIGNATURE:
        file.seek(-len(_PNG_END), os.SEEK_END)
        if file.read() != _PNG_END:
            file.seek(0)
            is_cut = not _read_png(file.read(_MAX_FILE_SIZE)).has_end
    elif signature[:6] in _GIF_SIGNATURES:
        file.seek(-1, os.SEEK_END)
        if file.read() != _GIF_END:
            file.seek(0)
            is_cut = not _read_gif(file.read(_MAX_FILE_SIZE)).has_end
    file.seek(0)
    return is_cut


def complete(file: BinaryIO, digest_pixels: DigestPixels) -> io.BytesIO | None:
    """Completes a cut file.

    Args:
      file: a file that cannot be decoded as it is.
      digest_pixels: decodes a file.

    Returns:
      A whole file with the same pixels, or None if some of them may be missing.
    """
    file.seek(0)
    signature = file.read(16)
    if not _is_completable(signature):
        return None
    data = signature + file.read(_MAX_FILE_SIZE)
    if len(data) > _MAX_FILE_SIZE:
        return None
    if data.startswith(_PNG_SIGNATURE):
        completed = _complete_png(data)
    elif data.startswith(_JPEG_SIGNATURE):
        completed = _complete_jpeg(data, digest_pixels)
    else:
        completed = _find_common_picture(_continue_other(data), digest_pixels)
    return None if completed is None else io.BytesIO(completed)


def _is_completable(signature: bytes) -> bool:
    return signature.startswith(
        (_PNG_SIGNATURE, *_GIF_SIGNATURES, _JPEG_SIGNATURE, b"BM", b"II", b"MM")
    ) or (signature[:4] == b"RIFF" and signature[8:12] == b"WEBP")


def _find_common_picture(
    continuations: Iterator[bytes], digest_pixels: DigestPixels
) -> bytes | None:
    """Returns the first of the files if all of them show the same picture."""
    first = next(continuations, None)
    if first is None:
        return None
    expected = digest_pixels(first)
    if expected is None:
        return None
    is_same = all(digest_pixels(data) == expected for data in continuations)
    return first if is_same else None


def _continue_other(data: bytes) -> Iterator[bytes]:
    length = _FILLING_LENGTH
    prefix, end = data, b""
    if data[:4] == b"RIFF":
        length = int.from_bytes(data[4:8], "little") + 8 - len(data)
        # Metadata may follow the pixels, but is seldom larger than they are.
        if not 0 < length < len(data):
            return
    elif data[:6] in _GIF_SIGNATURES:
        length = _read_gif(data).missing_in_block
        end = bytes([255]) + bytes(255) + b"\0" + _GIF_END
    for filling in _FILLINGS:
        more = end.replace(bytes(255), filling * 255)
        yield prefix + filling * length + more


class _Gif(NamedTuple):
    """Blocks of a GIF.

    Attributes:
      has_end: whether the trailer is there.
      missing_in_block: bytes that the last block of data lacks.
    """

    has_end: bool
    missing_in_block: int


def _read_gif(data: bytes) -> _Gif:
    def skip_color_table(position: int, flags: int) -> int:
        return position + (3 << (1 + (flags & 7)) if flags & 0x80 else 0)

    if len(data) < 13:
        return _Gif(False, 0)
    position = skip_color_table(13, data[10])
    while position < len(data):
        kind = data[position : position + 1]
        if kind == _GIF_END:
            return _Gif(True, 0)
        if kind == b"!":
            position += 2
        elif kind == b"," and position + 10 < len(data):
            position = skip_color_table(position + 10, data[position + 9]) + 1
        else:
            # Pillow skips other bytes, too.
            position += 1
            continue
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    return _Gif(False, max(0, position - 1 - len(data)))


class _Png(NamedTuple):
    """Chunks of a PNG.

    Attributes:
      before: everything before the pixels.
      compressed: the compressed pixels.
      after: complete chunks after the pixels.
      has_end: whether the last chunk is there, whole.
    """

    before: bytes
    compressed: bytes
    after: bytes
    has_end: bool


def _read_png(data: bytes) -> _Png:
    before = [_PNG_SIGNATURE]
    compressed: list[bytes] = []
    after: list[bytes] = []
    position = len(_PNG_SIGNATURE)
    has_end = False
    while position + 8 <= len(data) and not has_end:
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if kind == b"IDAT":
            compressed.append(data[position + 8 : end - 4])
        elif end <= len(data):
            (after if compressed else before).append(data[position:end])
            has_end = kind == b"IEND"
        position = end
    return _Png(b"".join(before), b"".join(compressed), b"".join(after), has_end)


def _complete_png(data: bytes) -> bytes | None:
    png = _read_png(data)
    size = _count_png_bytes(png.before)
    if png.has_end or not size:
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
    return png.before + length + body + checksum + png.after + _PNG_END


def _count_png_bytes(before: bytes) -> int:
    """Counts the bytes of all rows, each with its filter type, or 0 if unknown."""
    width = int.from_bytes(before[16:20], "big")
    height = int.from_bytes(before[20:24], "big")
    if len(before) < 33 or before[25] not in _PNG_SAMPLES:
        return 0
    bits = before[24] * _PNG_SAMPLES[before[25]]
    total = 0
    for left, top, step_x, step_y in _ADAM7_PASSES if before[28] else ((0, 0, 1, 1),):
        columns = -((left - width) // step_x)
        rows = -((top - height) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _complete_jpeg(data: bytes, digest_pixels: DigestPixels) -> bytes | None:
    """Completes a JPEG that ends, apart from padding, with the data of its last pixel.

    Data that ends elsewhere is of a file whose missing part was filled with other data.
    """
    stripped = data.rstrip(b"\0\xff")
    if data.startswith(b"\xff\0", len(stripped)):  # An escaped FF.
        stripped += b"\xff\0"
    completed = _find_common_picture(_continue_jpeg(stripped), digest_pixels)
    if completed is None:
        return None
    shorter = _continue_jpeg(stripped[:-_JPEG_NEEDED])
    is_padded = _find_common_picture(shorter, digest_pixels) is not None
    return None if is_padded else completed


def _continue_jpeg(data: bytes) -> Iterator[bytes]:
    """Yields files that end here, and that go on, also after a restart marker."""
    data = data.removesuffix(b"\xff")
    if not _has_all_scans(data):
        return
    yield data + _JPEG_END
    for filling in _FILLINGS:
        more = filling.replace(b"\xff", b"\xff\0") * 16
        restarts = [bytes([255, marker]) + more for marker in range(0xD0, 0xD8)]
        yield data + more + b"".join(restarts) + _JPEG_END


def _has_all_scans(data: bytes) -> bool:
    """Tells whether each coefficient has a scan, and a last one of full precision.

    The last scan need not be whole.
    """
    components = b""
    precise: set[tuple[int, int]] = set()
    position = 2
    while position + 4 <= len(data):
        marker = data[position + 1]
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position + 4 : position + 2 + length]
        if data[position] != 0xFF or len(segment) != length - 2:
            return False
        position += 2 + length
        if marker in _FRAME_MARKERS:
            components = segment[6::3]
        elif marker == 0xDA:
            first, last, precision = segment[-3:]
            scanned = {
                (component, coefficient)
                for component in segment[1:-3:2]
                for coefficient in range(first, min(last, 63) + 1)
            }
            precise = precise | scanned if precision & 15 == 0 else precise - scanned
            end = _SCAN_END.search(data, position)
            position = end.start() if end else len(data)
        # Any number of bytes FF may precede a marker.
        while data[position : position + 2] == b"\xff\xff":
            position += 1
    return bool(components) and len(precise) == 64 * len(components)
