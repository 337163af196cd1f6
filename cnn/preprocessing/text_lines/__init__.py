"""Finds numbers in an image, and cuts each into pieces that may be characters."""

from cnn.preprocessing.text_lines.lattice import (
    CHARACTER,
    FEATURES,
    SEPARATORS,
    SKIPPED,
    Lattice,
    TextLine,
)

__all__ = [
    "CHARACTER",
    "FEATURES",
    "SEPARATORS",
    "SKIPPED",
    "Lattice",
    "TextLine",
]
