"""Boxes in images: left, top, right and bottom, in pixels."""

import numpy as np


def scale_box(box: np.ndarray, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """Scales a box, rounds it to pixels and clips it to an image.

    Args:
      box: `(4,)`, left, top, right and bottom.
      scale: factor of all four.
      shape: height and width of the image.

    Returns:
      `int (4,)`.
    """
    height, width = shape
    limits = (width, height, width, height)
    scaled = (box * scale).tolist()
    clipped = []
    for side, limit in zip(scaled, limits, strict=True):
        pixel = max(round(side), 0)
        clipped.append(min(pixel, limit))
    return np.array(clipped)


def box_slices(box: np.ndarray) -> tuple[slice, slice]:
    """Returns the rows and columns of a box as slices."""
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)
