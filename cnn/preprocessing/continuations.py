"""Continuations of cut files, by which missing pixels show.

Most decoders cannot tell a file that lacks its end marker from one that lacks pixels.
If several continuations of a file show the same picture, it lacks no pixel.
"""

import hashlib
from collections.abc import Callable, Iterator

# Takes a whole file, and returns a digest of its pixels, or None if it is damaged.
DigestPixels = Callable[[bytes], bytes | None]

# First bytes of continuations. They begin with different Huffman codes of any code.
FIRST_BYTES = (0, 255, 85, 170, 240)
# Bytes of a continuation: more than the padding of any format, and than an MCU of JPEG.
LENGTH = 2048


def find_common_picture(
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


def fill(first_byte: int, length: int) -> bytes:
    """Makes pseudorandom bytes after a first byte."""
    seed = bytes([first_byte])
    return (seed + hashlib.shake_128(seed).digest(length))[:length]
