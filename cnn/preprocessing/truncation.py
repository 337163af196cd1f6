"""Completes cut files whose pixels are all there.

A file may lack its end marker, a checksum or padding, because a camera did not write it
or a transfer was cut.
"""

import io
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from cnn.preprocessing import continuations, jpeg_end, png_end
from cnn.preprocessing.continuations import DigestPixels

# Larger files are not completed, in bytes.
_MAX_FILE_SIZE = 1 << 28

_GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
_GIF_END = b"\x3b"


def lacks_end(file: BinaryIO) -> bool:
    """Tells whether a file lacks its end, which Pillow may not notice.

    Args:
      file: an image file of any format, at its beginning, to which it is rewound.
    """
    signature = file.read(len(png_end.SIGNATURE))
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(png_end.END)))
    end = file.read()
    file.seek(0)
    is_cut = False
    if signature.startswith(b"BM"):
        is_cut = size < int.from_bytes(signature[2:6], "little")
    elif signature == png_end.SIGNATURE and end != png_end.END:
        is_cut = not png_end.read_png(file.read(_MAX_FILE_SIZE)).has_end
    elif signature[:6] in _GIF_SIGNATURES and not end.endswith(_GIF_END):
        is_cut = not _read_gif(file.read(_MAX_FILE_SIZE)).has_end
    elif signature.startswith(jpeg_end.SIGNATURE) and not end.endswith(jpeg_end.END):
        is_cut = not jpeg_end.read_jpeg(file.read(_MAX_FILE_SIZE)).has_end
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
    if data.startswith(png_end.SIGNATURE):
        completed = png_end.complete_png(data)
    elif data.startswith(jpeg_end.SIGNATURE):
        completed = jpeg_end.complete_jpeg(data, digest_pixels)
    else:
        completed = continuations.find_common_picture(
            _continue_other(data), digest_pixels
        )
    return None if completed is None else io.BytesIO(completed)


def _is_completable(signature: bytes) -> bool:
    return signature.startswith(
        (png_end.SIGNATURE, *_GIF_SIGNATURES, jpeg_end.SIGNATURE, b"BM", b"II", b"MM")
    ) or (signature[:4] == b"RIFF" and signature[8:12] == b"WEBP")


def _continue_other(data: bytes) -> Iterator[bytes]:
    length = continuations.LENGTH
    end = b""
    if data[:4] == b"RIFF":
        length = int.from_bytes(data[4:8], "little") + 8 - len(data)
        # Metadata may follow the pixels, but is seldom larger than they are.
        if not 0 < length < len(data):
            return
    elif data[:6] in _GIF_SIGNATURES:
        length = _read_gif(data).missing_in_block
        end = b"\0" + _GIF_END
    # The first colors of a palette, which may be the only ones.
    fillings = [bytes(length), b"\1" * length]
    fillings += [continuations.fill(byte, length) for byte in continuations.FIRST_BYTES]
    for filling in fillings:
        yield data + filling + end


class _Gif(NamedTuple):
    """Blocks of a GIF.

    Attributes:
      has_end: whether the trailer is there.
      missing_in_block: bytes that the last block of data lacks.
    """

    has_end: bool
    missing_in_block: int


def _read_gif(data: bytes) -> _Gif:
    """Reads the blocks of a file that may be cut."""
    position = _skip_color_table(data, 10, 13)
    while position < len(data):
        kind = data[position : position + 1]
        if kind == _GIF_END:
            return _Gif(True, 0)
        if kind == b"!":
            position = _skip_blocks(data, position + 2)
        elif kind == b",":
            colors_end = _skip_color_table(data, position + 9, position + 10)
            # After the width of the codes, one byte.
            position = _skip_blocks(data, colors_end + 1)
        else:
            # Pillow skips other bytes, too.
            position += 1
    return _Gif(False, max(0, position - 1 - len(data)))


def _skip_color_table(data: bytes, flags_position: int, start: int) -> int:
    """Returns the end of a table of colors, which is `start` if there is none."""
    flags = data[flags_position] if flags_position < len(data) else 0
    return start + (3 << (1 + (flags & 7))) if flags & 0x80 else start


def _skip_blocks(data: bytes, position: int) -> int:
    while position < len(data) and data[position]:
        position += 1 + data[position]
    return position + 1
