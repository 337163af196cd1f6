"""Finds the band of a text line: the rows of its digits, and the ink inside.

The digits of one number are components of about the same height in one row. Other ink
is higher or lower, smaller, or cut off by the edge of the picture.
"""

from typing import NamedTuple

import cv2
import numpy as np

# Smallest height of a component that may be the digit by which others are measured, in
# pixels. Less is a speck.
_MIN_DIGIT_HEIGHT = 6
# Heights of a digit's companions, as fractions of the digit's.
_MIN_COMPANION = 0.5
_MAX_COMPANION = 1.9
# Smallest share of the lower of two components that stands beside the other.
_MIN_OVERLAP = 0.5
# Weight of a component that touches the edge of the picture: a neighbor's ink, rather.
_EDGE_WEIGHT = 0.3
# Weight of a component as narrow as a 1 or a rule, when a band is measured.
_NARROW_WEIGHT = 0.4
_MAX_NARROW = 0.25
# Largest number of components that are compared with each other. The largest ones.
_MAX_COMPONENTS = 120


class Band(NamedTuple):
    """The rows of a line's digits.

    Attributes:
      top: first row, in pixels.
      bottom: row after the last.
      left: first column of its digits.
      right: column after the last.
      members: `int (n,)`, labels of its components.
    """

    top: float
    bottom: float
    left: int
    right: int
    members: np.ndarray

    @property
    def height(self) -> float:
        """Height of a digit, in pixels."""
        return self.bottom - self.top


class Marks(NamedTuple):
    """Connected components of the ink.

    Attributes:
      labels: `int32 (height, width)`, 0 for paper.
      boxes: `int (n, 4)`, left, top, right and bottom. Entry i has label i + 1.
      areas: `int (n,)`, numbers of pixels.
    """

    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray


def find_marks(binary: np.ndarray) -> Marks:
    """Labels the connected components of the ink, `uint8 (height, width)`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(binary)
    corners = stats[1:, :2]
    boxes = np.concatenate([corners, corners + stats[1:, 2:4]], axis=1)
    return Marks(labels, boxes, stats[1:, 4])


def find_band(marks: Marks) -> Band | None:
    """Finds the band of the digits, or None without a mark that may be one.

    Each component is tried as the digit by which the others are measured. The band with
    the most ink of about the same height wins.
    """
    heights = marks.boxes[:, 3] - marks.boxes[:, 1]
    candidates = np.flatnonzero(heights >= _MIN_DIGIT_HEIGHT)
    if not len(candidates):
        return None
    if len(candidates) > _MAX_COMPONENTS:
        order = np.argsort(-heights[candidates], kind="stable")
        candidates = np.sort(candidates[order[:_MAX_COMPONENTS]])
    boxes = marks.boxes[candidates]
    is_companion = _companions(boxes)
    weights = _weights(boxes, marks.labels.shape)
    best = int((is_companion @ weights).argmax())
    members = candidates[is_companion[best]]
    return _measure(marks, members, weights[is_companion[best]])


def _companions(boxes: np.ndarray) -> np.ndarray:
    """Tells which components stand in the row of which other, `bool (n, n)`."""
    tops, bottoms = boxes[:, 1], boxes[:, 3]
    heights = bottoms - tops
    ratios = heights[None] / heights[:, None]
    overlaps = np.minimum(bottoms[None], bottoms[:, None]) - np.maximum(
        tops[None], tops[:, None]
    )
    lower = np.minimum(heights[None], heights[:, None])
    is_near = overlaps >= _MIN_OVERLAP * lower
    return is_near & (ratios >= _MIN_COMPANION) & (ratios <= _MAX_COMPANION)


def _weights(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Weighs components by their size, `float64 (n,)`."""
    widths = boxes[:, 2] - boxes[:, 0]
    heights = boxes[:, 3] - boxes[:, 1]
    weights = heights * np.maximum(widths, _MAX_NARROW * heights)
    weights = np.where(widths < _MAX_NARROW * heights, _NARROW_WEIGHT, 1.0) * weights
    height, width = shape
    at_edge = (boxes[:, :2].min(1) <= 0) | (boxes[:, 2] >= width)
    at_edge |= boxes[:, 3] >= height
    return np.where(at_edge, _EDGE_WEIGHT, 1.0) * weights


def _measure(marks: Marks, members: np.ndarray, weights: np.ndarray) -> Band:
    """Measures a band by its members."""
    boxes = marks.boxes[members]
    left, right = int(boxes[:, 0].min()), int(boxes[:, 2].max())
    top = _weighted_median(boxes[:, 1], weights)
    bottom = _weighted_median(boxes[:, 3], weights)
    if bottom - top < _MIN_DIGIT_HEIGHT:
        top, bottom = float(boxes[:, 1].min()), float(boxes[:, 3].max())
    return Band(top, bottom, left, right, members + 1)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Returns the median of weighted values."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return float(values[order[int(np.searchsorted(sums, sums[-1] / 2))]])
