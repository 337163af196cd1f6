"""Traces the lines and surroundings that may enclose an area, and their holes."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import (
    equivalent_side,
    kernel_side,
    subsample,
    upper_median,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.enclosed_areas
_DARK_SURROUNDINGS = 1


class Outlines(NamedTuple):
    """The contours of a mask of lines, from the outermost inwards.

    Attributes:
      contours: `int32 (points, 1, 2)` each, columns and rows.
      boxes: `int (N, 4)`, left, top, width and height.
      parents: `int (N,)`, index of the contour around each, or -1.
      is_hole: `bool (N,)`, whether the contour is that of a hole in a line.
    """

    contours: list[np.ndarray]
    boxes: np.ndarray
    parents: np.ndarray
    is_hole: np.ndarray


def enlarge(gray: np.ndarray) -> np.ndarray:
    """Enlarges a small image so that marks one pixel apart are separate."""
    scale = _THRESHOLDS.min_searched_side / equivalent_side(gray)
    if scale <= 1:
        return gray
    scale = min(scale, _THRESHOLDS.max_enlargement)
    return cv2.resize(
        gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC
    ).astype(np.uint8)


def trace_lines(gray: np.ndarray) -> Iterator[tuple[np.ndarray, Outlines, int]]:
    """Yields masks of what may surround an area, and their contours.

    Yields:
      `uint8 (height, width)`, 1 on lines or surroundings, its contours, and the width
      in pixels by which these are outside the lines, because gaps were closed.
    """
    _, light = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    for lines in (1 - light, light):
        yield lines, _trace(lines), 0
    side = kernel_side(gray, _THRESHOLDS.mean_window)
    local_mean = cv2.blur(gray, (side, side))
    for sign in (1, -1):
        lines = _mask_lines(gray, local_mean, sign)
        outlines = _trace(lines)
        yield lines, outlines, 0
        if not _may_have_open_ring(outlines):
            continue
        for dilation in _THRESHOLDS.gap_dilations:
            width = kernel_side(gray, dilation)
            closed = cv2.dilate(lines, np.ones((width, width), np.uint8))
            yield lines, _trace(closed), width // 2


def _trace(lines: np.ndarray) -> Outlines:
    """Traces the contours of lines, and of the image border as one more line."""
    framed = cv2.copyMakeBorder(lines, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    contours, hierarchy = cv2.findContours(
        framed, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE, offset=(-1, -1)
    )
    boxes = np.array([cv2.boundingRect(contour) for contour in contours])
    parents = hierarchy[0, :, 3]
    is_hole = np.zeros(len(contours), bool)
    for i, parent in enumerate(parents.tolist()):
        # A parent comes before its children.
        is_hole[i] = parent >= 0 and not is_hole[parent]
    return Outlines(list(contours), boxes, parents, is_hole)


def _mask_lines(gray: np.ndarray, local_mean: np.ndarray, sign: int) -> np.ndarray:
    """Returns 1 on lines that are darker, or lighter, than the local mean, and 0."""
    if sign == _DARK_SURROUNDINGS:
        contrast = cv2.subtract(local_mean, gray)
    else:
        contrast = cv2.subtract(gray, local_mean)
    strongest = float(np.partition(contrast, -8, axis=None)[-8])
    noise = THRESHOLDS.mad_to_deviation * float(upper_median(subsample(contrast)))
    threshold = max(
        _THRESHOLDS.min_line_contrast,
        _THRESHOLDS.min_line_fraction * strongest,
        THRESHOLDS.min_ink_to_noise * noise,
    )
    return (contrast > threshold).astype(np.uint8)


def _may_have_open_ring(outlines: Outlines) -> bool:
    """Tells whether the box of a line is around the box of a mark of some height."""
    image_size = outlines.boxes[:, 2:].max(axis=0)
    is_line = ~outlines.is_hole
    is_line &= outlines.boxes[:, 3] > _THRESHOLDS.min_side * image_size.min()
    is_line &= (outlines.boxes[:, 2:] < image_size).any(axis=1)
    left, top, width, height = outlines.boxes[is_line].T
    right = left + width
    bottom = top + height
    is_inside = left[:, None] < left
    is_inside &= top[:, None] < top
    is_inside &= right[:, None] > right
    is_inside &= bottom[:, None] > bottom
    is_high = height > _THRESHOLDS.min_mark_height * height[:, None]
    return bool((is_inside & is_high).any())
