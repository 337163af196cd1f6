"""Finds a printed label before a number: "No.", "Page", "Student number:"."""

import numpy as np

# Lengths are in heights of a digit.
# Least gap between a label and its number.
_MIN_GAP = 0.4
# Greatest height of a label's letters, and of its lowest letters, as fractions of the
# typical height of the number's digits.
_MAX_HEIGHT = 0.85
_MAX_LOW = 0.68
# Height of marks that are neither letters nor digits.
_MIN_HEIGHT = 0.3


def find_label(boxes: np.ndarray, digit_height: float) -> np.ndarray:
    """Finds the components of a label on the left of a number.

    They are lower than the digits, some of them like small letters, and a gap is
    between them and the number.

    Args:
      boxes: `float (n, 4)`, left, top, right and bottom of the line's components.
      digit_height: height of a digit, in pixels.

    Returns:
      `bool (n,)`.
    """
    heights = (boxes[:, 3] - boxes[:, 1]) / digit_height
    is_label = np.zeros(len(boxes), bool)
    high = np.flatnonzero(heights >= _MIN_HEIGHT)
    high = high[np.argsort(boxes[high, 0], kind="stable")]
    if len(high) < 2:
        return is_label
    ends = np.maximum.accumulate(boxes[high, 2])
    gaps = (boxes[high[1:], 0] - ends[:-1]) / digit_height
    for split in np.flatnonzero(gaps >= _MIN_GAP)[::-1] + 1:
        letters, digits = heights[high[:split]], np.median(heights[high[split:]])
        is_low = letters.max() <= _MAX_HEIGHT * digits
        if is_low and letters.min() <= _MAX_LOW * digits:
            return boxes[:, 2] <= ends[split - 1]
    return is_label
