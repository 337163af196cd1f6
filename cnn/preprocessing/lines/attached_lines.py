"""Finds a straight line that a character stands on, or that runs down beside it.

An underline or a margin that touches a character is a part of its component. Its ends
jut out on both sides of the character, where there is no other ink.
"""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.attached_lines


class AttachedLine(NamedTuple):
    """A line that touches a character.

    Attributes:
      mask: `bool (height, width)`, its pixels.
      kept_weight: weight of the reading that keeps the line, relative to the other.
    """

    mask: np.ndarray
    kept_weight: float


def find_attached_line(mask: np.ndarray) -> AttachedLine | None:
    """Finds an underline, or else a line at the left or right side.

    Args:
      mask: `bool (height, width)`, a character cut out along its ink.

    Example:
      >>> mask = np.zeros((40, 60), bool)
      >>> mask[:38, 28:32] = True  # A 1
      >>> mask[38:] = True  # on a line.
      >>> np.flatnonzero(find_attached_line(mask).mask.all(1))  # Its rows.
      array([38, 39])
    """
    below = _find_line_below(mask, _THRESHOLDS.min_overhang)
    if below is not None:
        is_long = _find_line_below(mask, _THRESHOLDS.min_long_overhang) is not None
        kept = _THRESHOLDS.kept_underline if is_long else _THRESHOLDS.kept_base
        return AttachedLine(below, kept)
    for quarter_turns in (1, -1):  # The left and the right side become the lower one.
        turned = np.rot90(mask, quarter_turns)
        beside = _find_line_below(turned, _THRESHOLDS.min_margin_overhang)
        if beside is not None:
            line_mask = np.rot90(beside, -quarter_turns)
            return AttachedLine(line_mask, _THRESHOLDS.kept_margin)
    return None


def _find_line_below(mask: np.ndarray, min_overhang: float) -> np.ndarray | None:
    """Finds the pixels of a nearly horizontal line along the lower edge.

    Args:
      mask: `bool (height, width)`.
      min_overhang: smallest length of each end, as a fraction of the height.

    Returns:
      `bool (height, width)`, or None if there is no such line.
    """
    height, width = mask.shape
    min_length = max(_THRESHOLDS.min_overhang_pixels, min_overhang * height)
    if width < 2 * min_length or height < _THRESHOLDS.min_height:
        return None
    first_row = round((1 - _THRESHOLDS.line_zone) * height)
    is_character = mask[:first_row].any(0)
    columns = np.flatnonzero(is_character)
    if not len(columns):
        return None
    left, right = columns[0], columns[-1] + 1
    if min(left, width - right) < min_length:
        return None
    is_end = np.ones(width, bool)
    # A curved stroke may widen below the rows that were tested.
    margin = round(_THRESHOLDS.end_margin * min(left, width - right))
    is_end[left - margin : right + margin] = False
    return _trace_line(mask, is_end)


def _trace_line(mask: np.ndarray, is_end: np.ndarray) -> np.ndarray | None:
    """Continues a line between its two ends.

    Args:
      mask: `bool (height, width)`.
      is_end: `bool (width,)`, columns with no other ink than the line's.

    Returns:
      `bool (height, width)`, pixels of the line, or None if it is not straight.
    """
    height, width = mask.shape
    rows = np.arange(height)[:, None]
    thickness = mask.sum(0)
    has_line = is_end & (thickness > 0)
    if has_line.sum() < _THRESHOLDS.min_end_cover * is_end.sum():
        return None
    columns = np.flatnonzero(has_line)
    middles = (mask * rows).sum(0)[columns] / thickness[columns]
    slope, offset = np.polyfit(columns, middles, 1)
    deviation = np.abs(middles - slope * columns - offset)
    max_deviation = max(1.0, _THRESHOLDS.max_deviation * width)
    line_width = float(np.quantile(thickness[columns], _THRESHOLDS.width_quantile))
    if np.quantile(deviation, _THRESHOLDS.width_quantile) > max_deviation:
        return None
    if line_width > _THRESHOLDS.max_width * height:
        return None
    path = slope * np.arange(width) + offset
    reach = line_width / 2 + 1
    is_line = mask & (np.abs(rows - path) <= reach)
    return _keep_crossing_strokes(mask, is_line, path + reach)


def _keep_crossing_strokes(
    mask: np.ndarray, is_line: np.ndarray, lower_edge: np.ndarray
) -> np.ndarray | None:
    """Leaves out the columns of a line where strokes go on below it.

    Args:
      mask: `bool (height, width)`.
      is_line: `bool (height, width)`, pixels of the line.
      lower_edge: `float64 (width,)`, last row of the line.
    """
    rows = np.arange(len(mask))[:, None]
    goes_on = (mask & (rows > lower_edge)).any(0)
    if goes_on.mean() > _THRESHOLDS.max_crossing_share:
        return None
    return is_line & ~goes_on
