"""Removes the lines of a form's field from a text line, and finds its cells.

Rules above, below and through the digits, the borders of the field, frames around each
digit, and the ticks of a comb between digits.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.text_lines.digit_band import find_marks
from cnn.preprocessing.text_lines.frames import find_frames
from cnn.preprocessing.text_lines.straight_rules import (
    find_horizontal_rules,
    find_vertical_rules,
    remove_horizontal_rules,
    remove_vertical_rules,
)

# Length of a horizontal rule, in heights of a digit: longer than the bar of a 7.
_RULE_LENGTH = 1.7
# Length of a vertical rule, in heights of a digit: longer than a 1.
_VERTICAL_LENGTH = 1.4
# Length of a vertical border that joins two rules or crosses the picture, in heights.
_BORDER_LENGTH = 0.8
# Height and width of a tick of a comb, in heights of a digit.
_MIN_TICK = 0.12
_MAX_TICK = 0.6
_MAX_TICK_WIDTH = 0.16
# Distance of residues from a removed line, in heights of a digit, and the smallest share
# of them within that distance.
_RESIDUE_REACH = 0.05
_MIN_RESIDUE_SHARE = 0.7
# Distance of a border's end from the rule that it meets, in heights of a digit.
_JOINT = 0.12


class FieldInk(NamedTuple):
    """The ink of a field without its lines.

    Attributes:
      binary: `uint8 (height, width)`, 1 for ink.
      borders: `float64 (n,)`, columns of vertical lines and ticks, sorted.
    """

    binary: np.ndarray
    borders: np.ndarray


def remove_field_lines(
    binary: np.ndarray, digit_height: float, picture_rows: tuple[float, float]
) -> FieldInk:
    """Removes lines that are longer than the strokes of digits.

    Args:
      binary: `uint8 (height, width)`, 1 for ink.
      digit_height: height of a digit, in pixels.
      picture_rows: first row of the picture, and the row after its last.
    """
    horizontal, vertical, _ = find_frames(binary)
    horizontal |= _long_rules(binary, digit_height)
    vertical |= _borders(binary, horizontal, digit_height, picture_rows)
    rest = remove_horizontal_rules(binary, horizontal & (1 - vertical))
    rest = remove_vertical_rules(rest & (1 - (vertical & horizontal)), vertical)
    rest = _remove_residues(rest, horizontal | vertical, digit_height)
    rest, ticks = _remove_ticks(rest, horizontal, digit_height)
    borders = np.concatenate([_middles(vertical), ticks])
    return FieldInk(rest, np.sort(borders))


def _long_rules(binary: np.ndarray, digit_height: float) -> np.ndarray:
    """Finds horizontal rules longer than the strokes of digits."""
    length = max(8, int(_RULE_LENGTH * digit_height))
    if binary.shape[1] <= length:
        return np.zeros_like(binary)
    return find_horizontal_rules(binary, length)


def _borders(
    binary: np.ndarray,
    horizontal: np.ndarray,
    digit_height: float,
    picture_rows: tuple[float, float],
) -> np.ndarray:
    """Finds vertical lines that are too long for a digit, or end where none ends."""
    length = max(8, int(_BORDER_LENGTH * digit_height))
    if len(binary) <= length:
        return np.zeros_like(binary)
    lines = find_vertical_rules(binary, length)
    if not lines.any():
        return lines
    marks = find_marks(lines)
    first, end = picture_rows
    joint = max(2, round(_JOINT * digit_height))
    is_border = np.zeros(len(marks.boxes) + 1, bool)
    for index, (left, top, right, bottom) in enumerate(marks.boxes.tolist()):
        height = bottom - top
        columns = slice(max(0, left - 2), right + 2)
        above = horizontal[max(0, top - joint) : top + joint, columns].any()
        below = horizontal[max(0, bottom - joint) : bottom + joint, columns].any()
        starts = above or top <= max(first, 0) + 1
        ends = below or bottom >= min(end, len(binary)) - 1
        is_long = height >= _VERTICAL_LENGTH * digit_height
        is_joined = starts and ends and height >= 1.1 * digit_height
        is_border[index + 1] = is_long or is_joined
    return is_border[marks.labels].astype(np.uint8)


def _remove_ticks(
    binary: np.ndarray, horizontal: np.ndarray, digit_height: float
) -> tuple[np.ndarray, np.ndarray]:
    """Removes the ticks that stand on a rule, and returns their columns, too."""
    rows = np.flatnonzero(horizontal.any(1))
    if not len(rows):
        return binary, np.zeros(0)
    marks = find_marks(binary)
    joint = max(2, round(_JOINT * digit_height))
    is_tick = np.zeros(len(marks.boxes) + 1, bool)
    for index, (left, top, right, bottom) in enumerate(marks.boxes.tolist()):
        width, height = right - left, bottom - top
        if not _MIN_TICK * digit_height <= height <= _MAX_TICK * digit_height:
            continue
        if width > max(3, _MAX_TICK_WIDTH * digit_height) or width > height:
            continue
        is_tick[index + 1] = bool(
            horizontal[bottom - 1 : bottom + joint, left:right].any()
        )
    middles = (marks.boxes[is_tick[1:], 0] + marks.boxes[is_tick[1:], 2]) / 2
    return np.where(is_tick[marks.labels], 0, binary).astype(np.uint8), middles


def _remove_residues(
    binary: np.ndarray, lines: np.ndarray, digit_height: float
) -> np.ndarray:
    """Removes components that lie almost entirely beside removed lines."""
    if not lines.any():
        return binary
    side = 2 * max(2, round(_RESIDUE_REACH * digit_height)) + 1
    near = cv2.dilate(lines, np.ones((side, side), np.uint8))
    _, labels = cv2.connectedComponents(binary)
    areas = np.bincount(labels.ravel())
    near_areas = np.bincount(labels[near > 0], minlength=len(areas))
    is_residue = near_areas > _MIN_RESIDUE_SHARE * areas
    is_residue[0] = False
    return np.where(is_residue[labels], 0, binary).astype(np.uint8)


def _middles(vertical: np.ndarray) -> np.ndarray:
    """Returns the middle columns of vertical lines, `float64 (n,)`."""
    if not vertical.any():
        return np.zeros(0)
    boxes = find_marks(vertical).boxes
    return (boxes[:, 0] + boxes[:, 2]) / 2
