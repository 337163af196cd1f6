"""Finds the ink of one number in an image of a text line, as a mask for the cutter."""

import itertools
from typing import NamedTuple

import numpy as np

from cnn.preprocessing.background import estimate_polarity
from cnn.preprocessing.text_lines import line_ink, straight_rules
from cnn.preprocessing.text_lines.digit_band import Band, Marks, find_band, find_marks
from cnn.preprocessing.text_lines.field_lines import remove_field_lines
from cnn.preprocessing.text_lines.frames import find_frames
from cnn.preprocessing.text_lines.work_image import (
    WorkImage,
    crop_line,
    reduce_picture,
    rotate,
)

# Side of the first closing, as a fraction of the picture's height, and its bounds as
# fractions of the side of a square with as many pixels: a stroke is thinner.
_FIRST_KERNEL = 0.3
_MAX_FIRST_KERNEL = 0.12
# Side of the closing of a work image, as a fraction of a digit's height.
_KERNEL = 0.6
# Length of a rule before the height of the digits is known, as a fraction of the
# picture's width, and at least this multiple of its height for narrow pictures.
_FIRST_RULE = 0.5
# Height of other ink at the side of a picture, in heights of a digit.
_TALL = 1.4
# Surroundings of a band that are cut out with it, in heights of a digit.
_MARGIN = 0.7
# Band in which ink of the line lies, in heights of a digit beyond the band.
_REACH_ABOVE = 0.35
_REACH_BELOW = 0.45
# Smallest share of a component inside that band.
_MIN_INSIDE = 0.5
# A mark at the side of a picture: its greatest width, and distance from the side; its
# least gap to the number, or least distance of its ends from the band's. All in heights
# of a digit.
_MAX_SIDE_WIDTH = 0.4
_SIDE_DISTANCE = 0.35
_SIDE_GAP = 0.7
_SIDE_OFFSET = 0.3
# Smallest area of a component, in squared heights of a digit: a point's.
_MIN_AREA = 0.004
# Skew below which a line is not straightened, in degrees, and above which its
# components do not show it.
_MIN_SKEW = 1.0
_MAX_SKEW = 15.0
# Width of a component that may be part of a rule that shows the skew, as a fraction of
# the picture's width.
_MIN_SKEW_RULE = 0.15
# Distance of two digits that show a skew, in heights of a digit.
_MIN_SKEW_DISTANCE = 2.0
# Distance of a digit's middle from the middle of its line, in heights of a digit.
_MAX_DISTANCE = 0.6


class LineMask(NamedTuple):
    """The ink of a text line.

    Attributes:
      mask: `float32 (height, width)` in [0, 1], at a standard height of the digits.
      work: the image that it was made from, and its place in the picture.
      cells: `float32 (n,)`, columns of the printed borders between digits, or None.
      weight: prior probability relative to the line's other masks.
    """

    mask: np.ndarray
    work: WorkImage
    cells: np.ndarray | None = None
    weight: float = 1.0


def find_line_masks(gray: np.ndarray) -> list[LineMask]:
    """Finds the ink of a line in several ways, the most plausible first.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      Up to three masks, none for a picture without ink.
    """
    reduced = reduce_picture(gray)
    for sign in estimate_polarity(gray):
        work = _find_work_image(gray, reduced, sign)
        if work is None:
            continue
        mask = _select_text(work, sign)
        if mask is not None:
            return [mask]
    return []


def _find_work_image(
    gray: np.ndarray, reduced: WorkImage, sign: int
) -> WorkImage | None:
    """Cuts the line out of the picture, straightened."""
    height, width = reduced.gray.shape
    kernel = int(max(5, _first_kernel(height, width)))
    ink = line_ink.subtract_paper(reduced.gray, sign, kernel)
    marks = find_marks(line_ink.binarize(ink))
    skew = None
    if _longest(marks) >= _MIN_SKEW_RULE * width:
        skew = straight_rules.estimate_skew((marks.labels > 0).astype(np.uint8))
    if skew is not None and abs(skew) >= _MIN_SKEW:
        reduced = rotate(reduced, skew)
        ink = line_ink.subtract_paper(reduced.gray, sign, kernel)
        marks = find_marks(line_ink.binarize(ink))
    digit_height, frames = _first_height(marks)
    if digit_height is None:
        return None
    found = _find_text(marks, digit_height, (0, height))
    if found is None:
        return None
    marks, band, borders = found
    # The digits in printed boxes dance, and the boxes and their rules do not.
    text_skew = 0.0
    if skew is None:
        members = marks.boxes[band.members - 1]
        text_skew = line_skew(frames if len(frames) > 1 else members, band.height)
    box = _surroundings(marks, band, borders, text_skew)
    return crop_line(gray, reduced, box, band.height, text_skew)


def _first_kernel(height: int, width: int) -> float:
    side = float(np.sqrt(height * width))
    return max(
        _FIRST_KERNEL * min(height, 60),
        min(_FIRST_KERNEL * height, _MAX_FIRST_KERNEL * side),
    )


def _find_text(
    marks: Marks, digit_height: float, rows: tuple[float, float]
) -> tuple[Marks, Band, np.ndarray] | None:
    """Finds the band of a line without the lines that are longer than its strokes.

    Args:
      marks: the components of the ink.
      digit_height: height of a digit in pixels.
      rows: first row of the picture, and the row after its last.

    Returns:
      The components, the band, and the columns of the field's borders.
    """
    field = remove_field_lines(marks, digit_height, rows)
    band = find_band(field.marks)
    return None if band is None else (field.marks, band, field.borders)


def _first_height(marks: Marks) -> tuple[float | None, np.ndarray]:
    """Estimates the height of a digit in a picture with lines of any length.

    Returns:
      The height in pixels, or None without ink, and the boxes of frames, `int (n, 4)`.
    """
    horizontal, vertical, frames = find_frames(marks)
    length = max(8, int(_FIRST_RULE * max(marks.labels.shape)))
    if _longest(marks) >= length / 2:
        binary = (marks.labels > 0).astype(np.uint8)
        horizontal |= straight_rules.find_horizontal_rules(binary, length)
    if horizontal.any() or vertical.any():
        binary = (marks.labels > 0).astype(np.uint8)
        rest = straight_rules.remove_horizontal_rules(binary, horizontal)
        marks = find_marks(straight_rules.remove_vertical_rules(rest, vertical))
    band = find_band(marks)
    return None if band is None else band.height, frames


def _longest(marks: Marks) -> int:
    """Returns the width of the widest component, in pixels."""
    return int((marks.boxes[:, 2] - marks.boxes[:, 0]).max(initial=0))


def line_skew(boxes: np.ndarray, height: float) -> float:
    """Estimates the skew of a line by the middles of its digits, or of their frames.

    Args:
      boxes: `int (n, 4)`, left, top, right and bottom.
      height: height of a digit, in pixels.

    Returns:
      Degrees, positive for a line that falls to the right. 0 for a level or short line.
    """
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2
    first, second = np.triu_indices(len(x), 1)
    distances = x[second] - x[first]
    is_far = np.abs(distances) > _MIN_SKEW_DISTANCE * height
    if not is_far.any():
        return 0.0
    # The median of the slopes of all pairs (Theil–Sen) ignores a few descenders.
    slopes = (y[second] - y[first])[is_far] / distances[is_far]
    degrees = float(np.rad2deg(np.arctan(np.median(slopes))))
    return degrees if _MIN_SKEW <= abs(degrees) <= _MAX_SKEW else 0.0


def _surroundings(
    marks: Marks, band: Band, borders: np.ndarray, skew: float
) -> tuple[float, float, float, float]:
    """Returns the box of a line with a margin, inside the image.

    Digits at the ends of a skew line, and in cells whose borders hide them, are no
    members of the band, and lie on its line.
    """
    members = marks.boxes[band.members - 1]
    height = band.height
    x = (marks.boxes[:, 0] + marks.boxes[:, 2]) / 2
    y = (marks.boxes[:, 1] + marks.boxes[:, 3]) / 2
    slope = np.tan(np.deg2rad(skew))
    middle = np.median((members[:, 1] + members[:, 3]) / 2)
    distance = y - middle - slope * (x - np.median((members[:, 0] + members[:, 2]) / 2))
    heights = marks.boxes[:, 3] - marks.boxes[:, 1]
    on_line = np.abs(distance) < _MAX_DISTANCE * height
    on_line &= (heights > 0.4 * height) & (heights < 2 * height)
    on_line[band.members - 1] = True
    boxes = marks.boxes[on_line]
    margin = _MARGIN * height
    rows, columns = marks.labels.shape
    left = min(float(boxes[:, 0].min()), float(borders.min(initial=columns))) - margin
    right = max(float(boxes[:, 2].max()), float(borders.max(initial=0))) + margin
    top = max(0.0, min(band.top, float(boxes[:, 1].min())) - margin)
    bottom = min(float(rows), max(band.bottom, float(boxes[:, 3].max())) + margin)
    return max(0.0, left), top, min(float(columns), right), bottom


def _select_text(work: WorkImage, sign: int) -> LineMask | None:
    """Selects the ink of the number in a work image."""
    ink = line_ink.subtract_paper(work.gray, sign, int(_KERNEL * work.digit_height))
    marks = find_marks(line_ink.binarize(ink))
    rows = (work.inside[1], work.inside[3])
    found = _find_text(marks, work.digit_height, rows)
    if found is None:
        return None
    marks, band, borders = found
    is_text = np.zeros(len(marks.boxes) + 1, bool)
    is_text[1:] = _belongs(marks, band, work)
    text = is_text[marks.labels]
    if not text.any():
        return None
    return LineMask(line_ink.scale_text(ink, text), work, _find_cells(borders, band))


def _belongs(marks: Marks, band: Band, work: WorkImage) -> np.ndarray:
    """Tells which components are parts of the number, `bool (n,)`."""
    boxes = marks.boxes.astype(float)
    height = band.height
    top = band.top - _REACH_ABOVE * height
    bottom = band.bottom + _REACH_BELOW * height
    heights = boxes[:, 3] - boxes[:, 1]
    inside = np.minimum(boxes[:, 3], bottom) - np.maximum(boxes[:, 1], top)
    covered = np.minimum(boxes[:, 3], band.bottom) - np.maximum(boxes[:, 1], band.top)
    is_in_band = (inside >= _MIN_INSIDE * heights) | (covered >= _MIN_INSIDE * height)
    is_in_band &= covered > 0
    is_large = marks.areas >= max(4.0, _MIN_AREA * height * height)
    belongs = is_in_band & is_large & ~_is_cut_off(boxes, band, work)
    return belongs & ~_is_side_mark(boxes, belongs, band, work)


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


def _is_side_mark(
    boxes: np.ndarray, belongs: np.ndarray, band: Band, work: WorkImage
) -> np.ndarray:
    """Tells which components are pieces of a margin or a border beside the number.

    They are narrow, stand outermost at a side of the picture, and apart from the number
    or not in its rows.
    """
    is_mark = np.zeros(len(boxes), bool)
    height = band.height
    for outer, inner, edge in ((0, 2, max(work.inside[0], 0)), (2, 0, work.inside[2])):
        order = np.flatnonzero(belongs)
        order = order[np.argsort(np.abs(boxes[order, outer] - edge), kind="stable")]
        for this, following in itertools.pairwise(order):
            left, top, right, bottom = boxes[this]
            gap = abs(boxes[following, outer] - boxes[this, inner])
            offset = max(abs(top - band.top), abs(bottom - band.bottom))
            is_narrow = right - left < _MAX_SIDE_WIDTH * min(height, bottom - top)
            is_outermost = abs(boxes[this, outer] - edge) < _SIDE_DISTANCE * height
            is_apart = gap > _SIDE_GAP * height or offset > _SIDE_OFFSET * height
            if not (is_narrow and is_outermost and is_apart):
                break
            is_mark[this] = True
    return is_mark


def _find_cells(borders: np.ndarray, band: Band) -> np.ndarray | None:
    """Returns the borders between digits, or None if there is none."""
    inside = (borders > band.left) & (borders < band.right)
    return borders[inside].astype(np.float32) if inside.any() else None
