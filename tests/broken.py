"""Breaks image files as disks, networks and attackers do."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM")
KINDS = ("cut", "flip", "big", "drop", "repeat", "zero", "splice")


class Break(NamedTuple):
    """A change of a file.

    Attributes:
      kind: one of `KINDS`.
      at: where the change begins, as a fraction of the length, in [0, 1).
      length: number of bytes.
      value: a byte that some kinds use.
    """

    kind: str
    at: float
    length: int
    value: int


def whole_files(digits: np.ndarray) -> list[bytes]:
    """Encodes digits `uint8 (N, 28, 28)` in every format, size and mode by turns."""
    files = []
    for i, digit in enumerate(digits):
        image = Image.fromarray(digit).resize((28, 28) if i % 3 else (160, 120))
        image = image.convert(("L", "RGB", "L", "1")[i % 4])
        buffer = io.BytesIO()
        image.save(buffer, FORMATS[i % len(FORMATS)])
        files.append(buffer.getvalue())
    return files


def break_file(data: bytes, other: bytes, breaks: Sequence[Break]) -> bytes:
    """Changes the bytes of a file; a `splice` ends it with the end of another file."""
    for kind, at, length, value in breaks:
        start = int(at * len(data))
        before = data[:start]
        part = data[start : start + length]
        after = data[start + length :]
        flipped = bytes(byte ^ value for byte in part[:4])
        data = {
            "cut": before,
            "flip": before + flipped + part[4:] + after,
            "big": before + b"\xff" * min(4, len(part)) + part[4:] + after,
            "drop": before + after,
            "repeat": before + part * (1 + value % 4) + after,
            "zero": before + bytes(len(part)) + after,
            "splice": before + other[int(at * len(other)) :],
        }[kind]
    return data
