"""Finds the ticks of a comb: short vertical lines on a rule, one between two digits."""

import numpy as np

from cnn.preprocessing.text_lines.digit_band import Marks, find_marks
from cnn.preprocessing.text_lines.straight_rules import find_vertical_rules

# Lengths are in heights of a digit.
# Height and width of a tick. High ones are as high as digits.
_MIN_HEIGHT = 0.15
_MAX_HEIGHT = 1.6
_MAX_WIDTH = 0.16
# Distance of a tick's end from the rule.
_JOINT = 0.08
# Difference in height of the ticks of a comb, in heights of a tick.
_MAX_DIFFERENCE = 0.15
# Fewest ticks of a comb.
_MIN_TICKS = 3
# Least distance of two ticks: a digit is between them.
_MIN_PITCH = 0.5
# Largest distance of a tick from its place, as a fraction of the pitch, and the
# smallest share of ticks in their places.
_MAX_SHIFT = 0.15
_MIN_REGULAR = 0.7


def find_ticks(
    binary: np.ndarray, horizontal: np.ndarray, digit_height: float
) -> np.ndarray:
    """Finds the ticks of a comb.

    Args:
      binary: `uint8 (height, width)`, 1 for ink, without horizontal rules.
      horizontal: the same shape, 1 for the pixels of horizontal rules.
      digit_height: height of a digit, in pixels.

    Returns:
      `uint8 (height, width)`, 1 for the pixels of ticks.
    """
    none = np.zeros_like(binary)
    if not horizontal.any():
        return none
    length = max(4, int(_MIN_HEIGHT * digit_height))
    lines = find_marks(find_vertical_rules(binary, length))
    on_rule = np.array([_meets(box, horizontal, digit_height) for box in lines.boxes])
    candidates = np.flatnonzero(on_rule)
    ticks = _most_alike(lines, candidates)
    if len(ticks) < _MIN_TICKS or not _is_regular(lines.boxes[ticks], digit_height):
        return none
    is_tick = np.zeros(len(lines.boxes) + 1, bool)
    is_tick[ticks + 1] = True
    return is_tick[lines.labels].astype(np.uint8)


def _meets(box: np.ndarray, horizontal: np.ndarray, digit_height: float) -> bool:
    """Tells whether a vertical line of a tick's size stands on a rule."""
    left, top, right, bottom = box.tolist()
    height = bottom - top
    if not _MIN_HEIGHT * digit_height <= height <= _MAX_HEIGHT * digit_height:
        return False
    if right - left > max(3, _MAX_WIDTH * digit_height):
        return False
    joint = max(2, round(_JOINT * digit_height))
    return bool(horizontal[max(0, bottom - 2) : bottom + joint, left:right].any())


def _most_alike(lines: Marks, candidates: np.ndarray) -> np.ndarray:
    """Returns the most candidates of about the same height and top."""
    boxes = lines.boxes[candidates]
    if not len(boxes):
        return candidates
    heights = boxes[:, 3] - boxes[:, 1]
    limits = np.maximum(2, _MAX_DIFFERENCE * heights)[:, None]
    is_alike = np.abs(heights - heights[:, None]) <= limits
    # The rule may fall a little along the line.
    is_alike &= np.abs(boxes[:, 3] - boxes[:, 3][:, None]) <= 2 * limits
    best = int(is_alike.sum(1).argmax())
    return candidates[is_alike[best]]


def _is_regular(boxes: np.ndarray, digit_height: float) -> bool:
    """Tells whether ticks stand at multiples of a pitch."""
    middles = np.sort((boxes[:, 0] + boxes[:, 2]) / 2)
    distances = np.diff(middles)
    distances = distances[distances >= _MIN_PITCH * digit_height]
    if len(distances) < _MIN_TICKS - 1:
        return False
    pitch = float(np.median(distances))
    multiples = np.maximum(np.rint(distances / pitch), 1)
    is_placed = np.abs(distances - multiples * pitch) <= _MAX_SHIFT * pitch
    return bool(is_placed.mean() >= _MIN_REGULAR)
