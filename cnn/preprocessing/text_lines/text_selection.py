"""Selects the components of a number among all ink near its band."""

import itertools
from typing import NamedTuple

import numpy as np

from cnn.preprocessing.text_lines.dashed_lines import find_dashes
from cnn.preprocessing.text_lines.digit_band import Band, Marks
from cnn.preprocessing.text_lines.printed_label import find_label
from cnn.preprocessing.text_lines.work_image import WorkImage

# All lengths are in heights of a digit.
# Height of other ink at the side of a picture, and width of a rule as high.
_TALL = 1.4
_MAX_RULE_WIDTH = 0.25
# Length of a stroke under or over digits, its height as a fraction of that, and its
# greatest distance inside of the band.
_MIN_STROKE = 0.5
_MAX_FLAT = 0.3
_STROKE_REACH = 0.12
# Height of what is no digit at the side of a picture: a blot, or a dash of a rule.
_LOW = 0.5
# Distance to the picture's edge within which a mark may be cut off, in heights.
_EDGE_REACH = 0.2
# Divisor of the width of a mark that is compared with a height: a minus is flat.
_MINUS_ASPECT = 1.5
# Height and greatest gap to the number, with which a low mark beside it may be a digit:
# that beside the long tail of a 7 or 9 is small.
_SMALL_DIGIT = 0.3
_SMALL_DIGIT_GAP = 0.1
# Least distance of a border's end from the band's, if the picture's edge cuts it off.
_EDGE_OFFSET = 0.1
# Rows in which ink of the line lies, beyond its band.
_REACH_ABOVE = 0.35
_REACH_BELOW = 0.45
# Smallest share of a component inside these rows.
_MIN_INSIDE = 0.5
# Smallest overlap of a component with the band, except for a comma, and its height.
_OVERLAP = 0.05
_COMMA = 0.4
# Smallest area of a component, in squared heights of a digit: a point's.
_MIN_AREA = 0.004
# A mark at the side of a picture: its greatest width, as a fraction of its height, and
# its greatest distance from the side; its least gap to the number, or least distance of
# its ends from the band's.
_MAX_SIDE_WIDTH = 0.4
_SIDE_DISTANCE = 0.35
_SIDE_GAP = 0.7
_SIDE_OFFSET = 0.3


class Selection(NamedTuple):
    """The components of a number.

    Attributes:
      belongs: `bool (n,)`, components of the number.
      doubtful: `bool (n,)`, those of them that may be a margin's or a label's.
    """

    belongs: np.ndarray
    doubtful: np.ndarray


def select_components(marks: Marks, band: Band, work: WorkImage) -> Selection:
    """Selects the components of the number.

    Args:
      marks: the components of the ink.
      band: the rows of the digits.
      work: the image of the line.
    """
    boxes = marks.boxes.astype(float)
    height = band.height
    top = band.top - _REACH_ABOVE * height
    bottom = band.bottom + _REACH_BELOW * height
    heights = boxes[:, 3] - boxes[:, 1]
    inside = np.minimum(boxes[:, 3], bottom) - np.maximum(boxes[:, 1], top)
    covered = np.minimum(boxes[:, 3], band.bottom) - np.maximum(boxes[:, 1], band.top)
    is_in_band = (inside >= _MIN_INSIDE * heights) | (covered >= _MIN_INSIDE * height)
    is_in_band &= (inside > 0) & (boxes[:, 3] > band.top + _OVERLAP * height)
    is_in_band &= (boxes[:, 1] < band.bottom - _OVERLAP * height) | (
        heights < _COMMA * height
    )
    is_large = marks.areas >= max(4.0, _MIN_AREA * height * height)
    belongs = is_in_band & is_large & ~_is_cut_off(boxes, band, work)
    belongs &= ~find_dashes(marks, height) & ~_is_rule(boxes, band)
    is_mark, doubtful = _side_marks(boxes, belongs, band, work)
    rest = belongs & ~is_mark
    label = np.zeros(len(rest), bool)
    label[rest] = find_label(boxes[rest], height)
    doubtful |= label
    # Without its doubtful parts, there must be a number.
    return Selection(
        rest, doubtful & rest if (rest & ~doubtful).any() else rest & False
    )


def _is_cut_off(boxes: np.ndarray, band: Band, work: WorkImage) -> np.ndarray:
    """Tells which components are other ink that the picture's edge cuts off."""
    left, top, right, bottom = work.inside
    height = band.height
    heights = boxes[:, 3] - boxes[:, 1]
    at_top = (boxes[:, 1] <= max(top, 0) + 1) & (boxes[:, 3] < band.top + 0.5 * height)
    at_bottom = (boxes[:, 3] >= min(bottom, 1e9) - 1) & (
        boxes[:, 1] > band.bottom - 0.5 * height
    )
    at_side = (boxes[:, 0] <= left + 1) | (boxes[:, 2] >= right - 1)
    is_tall = heights > _TALL * height
    return at_top | at_bottom | (at_side & is_tall)


def _is_rule(boxes: np.ndarray, band: Band) -> np.ndarray:
    """Tells which components are higher than a 1, or strokes above or below digits."""
    height = band.height
    widths = boxes[:, 2] - boxes[:, 0]
    heights = boxes[:, 3] - boxes[:, 1]
    is_high = (heights >= _TALL * height) & (widths <= _MAX_RULE_WIDTH * height)
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    is_flat = (widths >= _MIN_STROKE * height) & (heights <= _MAX_FLAT * widths)
    is_beside = middles > band.bottom - _STROKE_REACH * height
    is_beside |= middles < band.top + _STROKE_REACH * height
    return is_high | (is_flat & is_beside)


def _side_marks(
    boxes: np.ndarray, belongs: np.ndarray, band: Band, work: WorkImage
) -> tuple[np.ndarray, np.ndarray]:
    """Finds pieces of a margin or a border beside the number.

    They are narrow, stand outermost at a side of the picture, and apart from the number
    or not in its rows. What lacks the last is doubtful.

    Returns:
      `bool (n,)`, the pieces, and the same for the doubtful ones.
    """
    doubtful = np.zeros(len(boxes), bool)
    is_mark = np.zeros(len(boxes), bool)
    height = band.height
    for outer, inner, edge in ((0, 2, max(work.inside[0], 0)), (2, 0, work.inside[2])):
        order = np.flatnonzero(belongs)
        order = order[np.argsort(np.abs(boxes[order, outer] - edge), kind="stable")]
        for this, following in itertools.pairwise(order):
            left, top, right, bottom = boxes[this]
            gap = abs(boxes[following, outer] - boxes[this, inner])
            offset = max(abs(top - band.top), abs(bottom - band.bottom))
            beyond = max(band.top - top, bottom - band.bottom)
            is_narrow = right - left < _MAX_SIDE_WIDTH * min(height, bottom - top)
            distance = abs(boxes[this, outer] - edge)
            is_outermost = distance < _SIDE_DISTANCE * height
            is_apart = gap > _SIDE_GAP * height or offset > _SIDE_OFFSET * height
            is_apart |= distance <= 1 and beyond > _EDGE_OFFSET * height
            # The part that is searched may begin at the mark, inside the picture.
            is_cut_here = outer == 0 and work.inside[0] < -_EDGE_REACH * height
            at_edge = distance <= 1 and not is_cut_here
            is_low = _is_blot(boxes[this], gap, at_edge, height)
            if not (is_outermost and (is_low or (is_narrow and is_apart))):
                doubtful[this] = is_narrow and is_outermost
                break
            is_mark[this] = True
    return is_mark, doubtful


def _is_blot(box: np.ndarray, gap: float, at_edge: bool, height: float) -> bool:
    """Tells whether a mark is too low for a digit, and no minus.

    Args:
      box: `float (4,)`, left, top, right and bottom of the mark.
      gap: its distance from the number, in pixels.
      at_edge: whether it touches the edge of the picture.
      height: height of a digit, in pixels.
    """
    left, top, right, bottom = box
    if max(bottom - top, (right - left) / _MINUS_ASPECT) < _LOW * height / 2:
        return True
    # A minus is wide, and does not begin at the picture's edge.
    is_blot = bottom - top < _LOW * height and (at_edge or right - left < bottom - top)
    is_small_digit = bottom - top > _SMALL_DIGIT * height
    is_small_digit &= gap < _SMALL_DIGIT_GAP * height and not at_edge
    return bool(is_blot and not is_small_digit)
