"""Removes the lines of a form's field from a text line, and finds its cells.

Rules above, below and through the digits, the borders of the field, frames around each
digit, and the ticks of a comb between digits.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.text_lines.comb_grid import CombGrid, find_comb_grid
from cnn.preprocessing.text_lines.combs import find_ticks
from cnn.preprocessing.text_lines.digit_band import Marks, find_marks
from cnn.preprocessing.text_lines.frames import Frames, find_frames
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
# Length of a part of a border, in heights of a digit.
_BORDER_LENGTH = 0.8
# Length and width of a vertical border that joins two rules, or two edges of the
# picture, in heights of a digit.
_JOINED_LENGTH = 1.1
_MAX_BORDER_WIDTH = 0.16
# Greatest width of a long vertical line, in heights of a digit, and what its lean adds,
# as a fraction of its length.
_MAX_LONG_WIDTH = 0.25
_MAX_LEAN = 0.1
# Least width of a frame around a comb, in heights of a digit.
_MIN_COMB_WIDTH = 2.5
# Length of a component that may be part of a worn rule, as a fraction of its length.
_MIN_PART = 0.6
# Distance of residues from a removed line, in heights of a digit, and the smallest
# share of them within that distance.
_RESIDUE_REACH = 0.03
_MIN_RESIDUE_SHARE = 0.75
# Distance of a border's end from the rule that it meets, in heights of a digit.
_JOINT = 0.12


class FieldInk(NamedTuple):
    """The ink of a field without its lines.

    Attributes:
      marks: the components of the ink.
      borders: `float64 (n,)`, columns of vertical lines and ticks, sorted.
      lines: `uint8 (height, width)`, 1 for the pixels of lines.
      comb: columns of the ends of a comb, or None.
    """

    marks: Marks
    borders: np.ndarray
    lines: np.ndarray
    comb: tuple[float, float] | None = None


def remove_field_lines(
    marks: Marks,
    digit_height: float,
    picture_rows: tuple[float, float],
    frames: Frames | None = None,
    weak: np.ndarray | None = None,
) -> FieldInk:
    """Removes lines that are longer than the strokes of digits.

    Args:
      marks: the components of the ink.
      digit_height: height of a digit, in pixels.
      picture_rows: first row of the picture, and the row after its last.
      frames: its frames, if they are known.
      weak: `uint8 (height, width)`, 1 for ink and what may be faint ink. It shows
        the ticks of a pale comb.
    """
    horizontal, vertical, boxes = find_frames(marks) if frames is None else frames
    horizontal = horizontal | _long_rules(marks, digit_height)
    vertical = vertical | _borders(marks, horizontal, digit_height, picture_rows)
    if not (horizontal.any() or vertical.any()):
        return FieldInk(marks, np.zeros(0), horizontal)
    binary = (marks.labels > 0).astype(np.uint8)
    # Boxes of one digit have no ticks between digits.
    widths = boxes[:, 2] - boxes[:, 0]
    may_have_ticks = not (widths < _MIN_COMB_WIDTH * digit_height).any()
    grid = None
    if may_have_ticks:
        inks = [binary] if weak is None else [binary, weak]
        grid = find_comb_grid(inks, horizontal, digit_height)
    if grid is not None:
        vertical = _replace_inside(vertical, grid)
        # Bars of digits that join are as long as a rule.
        horizontal = np.where(grid.inside, 0, horizontal).astype(np.uint8)
    rest = remove_horizontal_rules(binary, horizontal & (1 - vertical))
    rest = remove_vertical_rules(rest & (1 - (vertical & horizontal)), vertical)
    if may_have_ticks and grid is None:
        ticks = find_ticks(rest, horizontal, digit_height)
        rest = remove_vertical_rules(rest, ticks)
        vertical |= ticks
    rest = _remove_residues(rest, horizontal | vertical, digit_height)
    lines = horizontal | vertical
    if grid is None:
        return FieldInk(find_marks(rest), np.sort(_middles(vertical)), lines)
    ends = (float(grid.columns[0]), float(grid.columns[-1]))
    return FieldInk(find_marks(rest), grid.columns, lines, ends)


def _replace_inside(vertical: np.ndarray, grid: CombGrid) -> np.ndarray:
    """Replaces the vertical lines between the ends of a comb by its own."""
    left, right = round(grid.columns[0]), round(grid.columns[-1])
    outside = vertical.copy()
    outside[:, left : right + 1] = 0
    return outside | grid.lines


def _long_rules(marks: Marks, digit_height: float) -> np.ndarray:
    """Finds horizontal rules longer than the strokes of digits."""
    length = max(8, int(_RULE_LENGTH * digit_height))
    widths = marks.boxes[:, 2] - marks.boxes[:, 0]
    return _search(marks, widths >= _MIN_PART * length, length, find_horizontal_rules)


def _search(
    marks: Marks,
    selected: np.ndarray,
    length: int,
    find_rules: Callable[[np.ndarray, int], np.ndarray],
) -> np.ndarray:
    """Searches rules in the selected components, `bool (n,)`, alone."""
    rules = np.zeros(marks.labels.shape, np.uint8)
    if not selected.any():
        return rules
    boxes = marks.boxes[selected]
    left, top = boxes[:, :2].min(0).tolist()
    right, bottom = boxes[:, 2:].max(0).tolist()
    region = (slice(top, bottom), slice(left, right))
    is_selected = np.concatenate([[False], selected])
    part = is_selected[marks.labels[region]].astype(np.uint8)
    rules[region] = find_rules(part, length)
    return rules


def _borders(
    marks: Marks,
    horizontal: np.ndarray,
    digit_height: float,
    picture_rows: tuple[float, float],
) -> np.ndarray:
    """Finds vertical lines that are too long for a digit, or end where none ends."""
    length = max(8, int(_BORDER_LENGTH * digit_height))
    heights = marks.boxes[:, 3] - marks.boxes[:, 1]
    is_high = heights >= _JOINED_LENGTH * digit_height
    lines = _search(marks, is_high, length, find_vertical_rules)
    if not lines.any():
        return lines
    found = find_marks(lines)
    is_border = np.zeros(len(found.boxes) + 1, bool)
    for index, box in enumerate(found.boxes.tolist()):
        is_border[index + 1] = _is_border(box, horizontal, digit_height, picture_rows)
    return is_border[found.labels].astype(np.uint8)


def _is_border(
    box: list[int],
    horizontal: np.ndarray,
    digit_height: float,
    picture_rows: tuple[float, float],
) -> bool:
    """Tells whether a vertical line is long, or joins two rules or picture edges."""
    left, top, right, bottom = box
    height = bottom - top
    if height >= _VERTICAL_LENGTH * digit_height:
        # A thick slanted stroke has room for an upright line.
        leaning = _MAX_LEAN * height
        return right - left <= max(4, _MAX_LONG_WIDTH * digit_height + leaning)
    if height < _JOINED_LENGTH * digit_height:
        return False
    if right - left > max(3, _MAX_BORDER_WIDTH * digit_height):
        return False
    first, end = picture_rows
    joint = max(2, round(_JOINT * digit_height))
    columns = slice(max(0, left - 2), right + 2)
    above = horizontal[max(0, top - joint) : top + joint, columns].any()
    below = horizontal[max(0, bottom - joint) : bottom + joint, columns].any()
    starts = above or top <= first + 1
    ends = below or bottom >= end - 1
    return bool(starts and ends)


def _remove_residues(
    binary: np.ndarray, lines: np.ndarray, digit_height: float
) -> np.ndarray:
    """Removes components that lie almost entirely beside removed lines."""
    if not lines.any():
        return binary
    side = 2 * max(1, round(_RESIDUE_REACH * digit_height)) + 1
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
