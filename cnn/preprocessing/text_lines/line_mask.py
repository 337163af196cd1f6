"""Finds the ink of one number in an image of a text line, as a mask for the cutter."""

from typing import NamedTuple

import cv2
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
# Smallest area of a component, in squared heights of a digit: a point's.
_MIN_AREA = 0.004
# Skew below which a line is not straightened, in degrees, and above which its
# components do not show it.
_MIN_SKEW = 1.0
_MAX_SKEW = 15.0
# Smallest width of a band that shows a skew, in heights of a digit.
_MIN_SKEW_WIDTH = 2.0


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
    binary = line_ink.binarize(ink)
    skew = straight_rules.estimate_skew(binary)
    if skew:
        reduced = rotate(reduced, skew)
        ink = line_ink.subtract_paper(reduced.gray, sign, kernel)
        binary = line_ink.binarize(ink)
    found = _find_text(binary, None, (0, height))
    if found is None:
        return None
    marks, band, _ = found
    text_skew = _text_skew(marks, band)
    box = _surroundings(marks, band, (height, width))
    return crop_line(gray, reduced, box, band.height, text_skew)


def _first_kernel(height: int, width: int) -> float:
    side = float(np.sqrt(height * width))
    return max(
        _FIRST_KERNEL * min(height, 60),
        min(_FIRST_KERNEL * height, _MAX_FIRST_KERNEL * side),
    )


def _find_text(
    binary: np.ndarray, digit_height: float | None, rows: tuple[float, float]
) -> tuple[Marks, Band, np.ndarray] | None:
    """Finds the band of a line without the lines that are longer than its strokes.

    Args:
      binary: `uint8 (height, width)`, 1 for ink.
      digit_height: height of a digit in pixels, None if it is not known.
      rows: first row of the picture, and the row after its last.

    Returns:
      The components, the band, and the columns of the field's borders.
    """
    if digit_height is None:
        digit_height = _first_height(binary)
    if digit_height is None:
        return None
    field = remove_field_lines(binary, digit_height, rows)
    marks = find_marks(field.binary)
    band = find_band(marks)
    return None if band is None else (marks, band, field.borders)


def _first_height(binary: np.ndarray) -> float | None:
    """Estimates the height of a digit in a picture with lines of any length."""
    height, width = binary.shape
    horizontal, vertical, _ = find_frames(binary)
    length = max(8, int(_FIRST_RULE * max(width, height)))
    horizontal |= straight_rules.find_horizontal_rules(binary, length)
    rest = straight_rules.remove_horizontal_rules(binary, horizontal)
    rest = straight_rules.remove_vertical_rules(rest, vertical)
    band = find_band(find_marks(rest))
    return None if band is None else band.height


def _text_skew(marks: Marks, band: Band) -> float:
    """Estimates the skew of a line by the middles of its digits, in degrees."""
    boxes = marks.boxes[band.members - 1].astype(float)
    if len(boxes) < 3 or band.right - band.left < _MIN_SKEW_WIDTH * band.height:
        return 0.0
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2
    first, second = np.triu_indices(len(x), 1)
    distances = x[second] - x[first]
    is_far = np.abs(distances) > band.height
    if not is_far.any():
        return 0.0
    # The median of the slopes of all pairs (Theil–Sen) ignores a few descenders.
    slopes = (y[second] - y[first])[is_far] / distances[is_far]
    degrees = float(np.rad2deg(np.arctan(np.median(slopes))))
    return degrees if _MIN_SKEW <= abs(degrees) <= _MAX_SKEW else 0.0


def _surroundings(
    marks: Marks, band: Band, shape: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Returns the box of a band with a margin, inside the image."""
    boxes = marks.boxes[band.members - 1]
    margin = _MARGIN * band.height
    height, width = shape
    left = max(0.0, band.left - margin)
    top = max(0.0, min(band.top, float(boxes[:, 1].min())) - margin)
    right = min(float(width), band.right + margin)
    bottom = min(float(height), max(band.bottom, float(boxes[:, 3].max())) + margin)
    return left, top, right, bottom


def _select_text(work: WorkImage, sign: int) -> LineMask | None:
    """Selects the ink of the number in a work image."""
    ink = line_ink.subtract_paper(work.gray, sign, int(_KERNEL * work.digit_height))
    binary = line_ink.binarize(ink)
    rows = (work.inside[1], work.inside[3])
    found = _find_text(binary, work.digit_height, rows)
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
    return is_in_band & is_large & ~_is_cut_off(boxes, band, work)


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


def _find_cells(borders: np.ndarray, band: Band) -> np.ndarray | None:
    """Returns the borders between digits, or None if there is none."""
    inside = (borders > band.left) & (borders < band.right)
    return borders[inside].astype(np.float32) if inside.any() else None
