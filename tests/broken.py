"""Image files broken in ways that disks, networks and malice break them."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM")
KINDS = ("cut", "flip", "big", "drop", "repeat", "zero", "splice")


class Break(NamedTuple):
    """Something done to a file: what, where (a share of its length), how long, and with which byte."""

    kind: str
    at: float
    length: int
    value: int


def whole_files(digits: np.ndarray) -> list[bytes]:
    """Writes digits `uint8 (N, 28, 28)` in every format, size and mode by turns."""
    files = []
    for i, digit in enumerate(digits):
        image = Image.fromarray(digit).resize((28, 28) if i % 3 else (160, 120))
        image = image.convert(("L", "RGB", "L", "1")[i % 4])
        buffer = io.BytesIO()
        image.save(buffer, FORMATS[i % len(FORMATS)])
        files.append(buffer.getvalue())
    return files


def broken(data: bytes, other: bytes, breaks: Sequence[Break]) -> bytes:
    """Breaks a file, at times with a part of another."""
    for kind, at, length, value in breaks:
        start = int(at * len(data))
        before, part, after = (
            data[:start],
            data[start : start + length],
            data[start + length :],
        )
        data = {
            "cut": before,
            "flip": before
            + bytes(byte ^ value for byte in part[:4])
            + part[4:]
            + after,
            "big": before + b"\xff" * min(4, len(part)) + part[4:] + after,
            "drop": before + after,
            "repeat": before + part * (1 + value % 4) + after,
            "zero": before + bytes(len(part)) + after,
            "splice": before + other[int(at * len(other)) :],
        }[kind]
    return data
