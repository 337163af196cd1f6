"""Finds dotted and dashed lines in a text line by their aligned small components."""

import numpy as np

from cnn.preprocessing.text_lines.digit_band import Marks

# All lengths are in heights of a digit.
# Height of a dot or dash of a horizontal line, and its greatest width.
_MAX_DASH = 0.22
_MAX_DASH_LENGTH = 3.0
# Distance of the middles of aligned dots from each other across the line.
_ALIGNMENT = 0.07
# Fewest dots of a line. A point, a comma and a speck are three.
_MIN_DOTS = 5
# Fewest dashes of a line, and the length of one.
_MIN_DASHES = 3
_MIN_DASH_LENGTH = 0.2
# Distance along the line in which dots are counted.
_MAX_REACH = 5.0
# Greatest width and height of a dash of a vertical line.
_MAX_VERTICAL_WIDTH = 0.2
_MAX_VERTICAL_LENGTH = 1.3
# Distance of the middles of dashes of a vertical line, and its shortest length: more
# than a colon's.
_VERTICAL_ALIGNMENT = 0.15
_MIN_VERTICAL_SPAN = 1.15


def find_dashes(marks: Marks, digit_height: float) -> np.ndarray:
    """Finds the components that are dots or dashes of a line.

    Args:
      marks: the components of the ink.
      digit_height: height of a digit, in pixels.

    Returns:
      `bool (n,)`.
    """
    boxes = marks.boxes / digit_height
    return _horizontal_dashes(boxes) | _vertical_dashes(boxes)


def _horizontal_dashes(boxes: np.ndarray) -> np.ndarray:
    """Finds rows of at least `_MIN_DOTS` low components, `bool (n,)`."""
    widths = boxes[:, 2] - boxes[:, 0]
    heights = boxes[:, 3] - boxes[:, 1]
    is_low = (heights <= _MAX_DASH) & (widths <= _MAX_DASH_LENGTH)
    low = np.flatnonzero(is_low)
    is_dash = np.zeros(len(boxes), bool)
    if len(low) < _MIN_DASHES:
        return is_dash
    rows = (boxes[low, 1] + boxes[low, 3]) / 2
    columns = (boxes[low, 0] + boxes[low, 2]) / 2
    is_near = np.abs(rows - rows[:, None]) <= _ALIGNMENT
    is_near &= np.abs(columns - columns[:, None]) <= _MAX_REACH
    is_wide = widths[low] >= _MIN_DASH_LENGTH
    num_dashes = (is_near & is_wide).sum(1)
    is_dash[low] = (is_near.sum(1) >= _MIN_DOTS) | (num_dashes >= _MIN_DASHES)
    return is_dash


def _vertical_dashes(boxes: np.ndarray) -> np.ndarray:
    """Finds narrow components one above the other, `bool (n,)`."""
    widths = boxes[:, 2] - boxes[:, 0]
    heights = boxes[:, 3] - boxes[:, 1]
    is_narrow = (widths <= _MAX_VERTICAL_WIDTH) & (heights <= _MAX_VERTICAL_LENGTH)
    narrow = np.flatnonzero(is_narrow)
    is_dash = np.zeros(len(boxes), bool)
    if len(narrow) < 2:
        return is_dash
    tops, bottoms = boxes[narrow, 1], boxes[narrow, 3]
    middles = (boxes[narrow, 0] + boxes[narrow, 2]) / 2
    is_aligned = np.abs(middles - middles[:, None]) <= _VERTICAL_ALIGNMENT
    is_aligned &= (tops[:, None] >= bottoms) | (bottoms[:, None] <= tops)
    spans = np.maximum(bottoms, bottoms[:, None]) - np.minimum(tops, tops[:, None])
    is_dash[narrow] = (is_aligned & (spans >= _MIN_VERTICAL_SPAN)).any(1)
    return is_dash
