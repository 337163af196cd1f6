"""Finds printed frames around digits: a box each, or a row of joined boxes.

A frame is a component of ink that reaches all four sides of its bounding box along
their length. A 0 leaves the corners free.
"""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.text_lines.digit_band import Marks, find_marks
from cnn.preprocessing.text_lines.straight_rules import (
    find_horizontal_rules,
    find_vertical_rules,
)

# Smallest side of a frame, in pixels. A digit inside has half of it.
_MIN_SIDE = 14
# Largest share of a frame's bounding box that is ink, with the digits inside.
_MAX_FILLED = 0.6
# Distance from the side of the bounding box in which a border lies, as a fraction of
# the shorter side: what a tilt of two degrees and perspective leave.
_TOLERANCE = 0.15
# Smallest share of each side along which a border lies. An ellipse has 0.71.
_MIN_SHARE = 0.86
# Sides of a frame that a digit sticks out of, as fractions of the other frames'.
_MIN_SIMILAR = 0.9
_MAX_SIMILAR = 1.35
# Length of a border, as a fraction of the shorter side. A digit's strokes are shorter.
_BORDER_LENGTH = 0.75


class Frames(NamedTuple):
    """Frames of digits.

    Attributes:
      horizontal: `uint8 (height, width)`, 1 for the pixels of horizontal borders.
      vertical: the same for vertical borders.
      boxes: `int (n, 4)`, left, top, right and bottom of each frame.
    """

    horizontal: np.ndarray
    vertical: np.ndarray
    boxes: np.ndarray


def find_frames(marks: Marks) -> Frames:
    """Finds the borders of frames.

    Args:
      marks: the components of the ink.
    """
    horizontal = np.zeros(marks.labels.shape, np.uint8)
    vertical = np.zeros_like(horizontal)
    candidates = _candidates(marks)
    is_frame = [_has_four_borders(_component(marks, index)) for index in candidates]
    frames = candidates[np.array(is_frame, bool)]
    # A digit that sticks out of its frame hides one side of it.
    frames = np.union1d(frames, _similar(marks.boxes, candidates, frames))
    for index in frames:
        left, top, right, bottom = marks.boxes[index].tolist()
        region = (slice(top, bottom), slice(left, right))
        frame = _component(marks, index)
        horizontal[region] |= _horizontal_borders(frame)
        length = max(8, int(_BORDER_LENGTH * len(frame)))
        vertical[region] |= find_vertical_rules(frame, length)
    found = Frames(horizontal, vertical, marks.boxes[frames])
    return _continue_frames(marks, found) if len(frames) else found


def _continue_frames(marks: Marks, frames: Frames) -> Frames:
    """Finds more frames in the row of some, that digits join to each other.

    Their borders lie in the rows of the others', or reach from one to the other.
    """
    boxes = frames.boxes
    width, height = np.median(boxes[:, 2:] - boxes[:, :2], axis=0).tolist()
    sides = marks.boxes[:, 2:] - marks.boxes[:, :2]
    selected = (sides[:, 1] >= _MIN_SIMILAR * height) & (sides[:, 0] >= _MIN_SIDE)
    is_known = (marks.boxes[:, None] == boxes).all(2).any(1)
    if not (selected & ~is_known).any():
        return frames
    part = np.concatenate([[False], selected])[marks.labels].astype(np.uint8)
    side = min(width, height)
    near = _near_borders(boxes, marks.labels.shape, _TOLERANCE * side)
    rules = find_horizontal_rules(part, max(8, int(_BORDER_LENGTH * side)))
    lines = find_marks(find_vertical_rules(part, max(8, int(_BORDER_LENGTH * height))))
    ends = np.zeros(len(lines.boxes) + 1, bool)
    for index, (left, top, right, bottom) in enumerate(lines.boxes.tolist()):
        ends[index + 1] = (
            near[top, left:right].any() & near[bottom - 1, left:right].any()
        )
    vertical = frames.vertical | ends[lines.labels].astype(np.uint8)
    return Frames(frames.horizontal | (rules & near), vertical, boxes)


def _near_borders(
    boxes: np.ndarray, shape: tuple[int, ...], tolerance: float
) -> np.ndarray:
    """Marks the rows of the upper and lower borders of frames, `uint8`.

    Args:
      boxes: `int (n, 4)`, the frames of a row.
      shape: height and width of the image.
      tolerance: distance from a border, in pixels.
    """
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    rows = np.arange(shape[0])[:, None]
    near = np.zeros(shape, bool)
    for side in (1, 3):
        row = np.full(shape[1], float(np.median(boxes[:, side])))
        if len(boxes) > 2:
            slope, start = np.polyfit(middles, boxes[:, side], 1)
            row = start + slope * np.arange(shape[1])
        near |= np.abs(rows - row) <= tolerance
    return near.astype(np.uint8)


def _horizontal_borders(frame: np.ndarray) -> np.ndarray:
    """Finds the upper and the lower border of a frame, `uint8 (height, width)`."""
    length = max(8, int(_BORDER_LENGTH * min(frame.shape)))
    borders = find_horizontal_rules(frame, length)
    # The bar of a 4 that crosses both sides of its box is as long.
    tolerance = max(3, int(_TOLERANCE * min(frame.shape)))
    borders[tolerance:-tolerance] = 0
    return borders


def _component(marks: Marks, index: int) -> np.ndarray:
    """Cuts out a component, `uint8 (height, width)`."""
    left, top, right, bottom = marks.boxes[index].tolist()
    inside = marks.labels[top:bottom, left:right]
    return (inside == index + 1).astype(np.uint8)


def _similar(
    boxes: np.ndarray, candidates: np.ndarray, frames: np.ndarray
) -> np.ndarray:
    """Returns the candidates that are as large as the frames beside them."""
    if not len(frames):
        return frames
    sides = boxes[:, 2:] - boxes[:, :2]
    typical = np.median(sides[frames], axis=0)
    ratios = sides[candidates] / typical
    is_similar = (ratios > _MIN_SIMILAR) & (ratios < _MAX_SIMILAR)
    return candidates[is_similar.all(1)]


def _candidates(marks: Marks) -> np.ndarray:
    """Returns the components that are large and hollow enough for a frame."""
    sides = marks.boxes[:, 2:] - marks.boxes[:, :2]
    is_large = sides.min(1) >= _MIN_SIDE
    is_hollow = marks.areas < _MAX_FILLED * sides.prod(1)
    # A frame is about as wide as high, or a row of such boxes.
    is_wide = sides[:, 0] > 0.4 * sides[:, 1]
    return np.flatnonzero(is_large & is_hollow & is_wide)


def _has_four_borders(frame: np.ndarray) -> bool:
    """Tells whether ink lies along all sides of an image, `uint8 (height, width)`."""
    tolerance = max(3, int(_TOLERANCE * min(frame.shape)))
    sides = (
        (frame[:, :tolerance], 1),
        (frame[:, -tolerance:], 1),
        (frame[:tolerance], 0),
        (frame[-tolerance:], 0),
    )
    # Most digits fail at the first side.
    return all(side.max(axis).mean() >= _MIN_SHARE for side, axis in sides)
