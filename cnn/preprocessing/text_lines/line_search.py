"""Searches the text line in a picture, and cuts it out, straightened."""

import numpy as np

from cnn.preprocessing.text_lines import line_ink, straight_rules
from cnn.preprocessing.text_lines.digit_band import Band, Marks, find_band, find_marks
from cnn.preprocessing.text_lines.field_lines import FieldInk, remove_field_lines
from cnn.preprocessing.text_lines.frames import Frames, find_frames
from cnn.preprocessing.text_lines.line_skew import MIN_SKEW, line_skew
from cnn.preprocessing.text_lines.work_image import WorkImage, crop_line, rotate

# Side of the first closing, as a fraction of the picture's height, and its bound as a
# fraction of the side of a square with as many pixels: a stroke is thinner.
_KERNEL = 0.3
_MAX_KERNEL = 0.12
# Height up to which a picture may be filled by one line, in pixels.
_LINE_HEIGHT = 60
# Length of a rule before the height of the digits is known, as a fraction of the
# picture's longer side, and at least the picture's height, which digits cannot exceed,
# or this fraction of its width.
_FIRST_RULE = 0.5
_MAX_FIRST_RULE = 0.85
# Length and width of a border beside digits, distance of its end from a rule, and the
# greatest height of the digits, all as fractions of a height that may be the border's.
_BORDER_LENGTH = 0.75
_MAX_BORDER_WIDTH = 0.16
_JOINT = 0.1
_MAX_LOWER = 0.85
# Width of a component that may be part of a rule that shows the skew, as a fraction of
# the picture's width.
_MIN_SKEW_RULE = 0.15
# Fewest digits that show the skew of their line. Two or three may dance.
_MIN_SKEW_DIGITS = 4
# Surroundings of a band that are cut out with it, in heights of a digit.
_MARGIN = 0.7
# Distance of a digit's middle from the middle of its line, in heights of a digit, and
# the heights of a digit or its frame.
_MAX_DISTANCE = 0.6
_MIN_HEIGHT = 0.4
_MAX_HEIGHT = 2.0


def find_work_image(
    gray: np.ndarray, reduced: WorkImage, sign: int
) -> WorkImage | None:
    """Cuts the line out of a picture, straightened.

    Args:
      gray: `uint8 (height, width)`, the picture.
      reduced: the picture for the search.
      sign: 1 for dark ink, -1 for light ink.

    Returns:
      The line with a margin, or None if there is no ink.
    """
    height, width = reduced.gray.shape
    kernel = int(max(5, _first_kernel(height, width)))
    ink = line_ink.subtract_paper(reduced.gray, sign, kernel)
    marks = find_marks(line_ink.binarize(ink))
    skew = None
    if _longest(marks) >= _MIN_SKEW_RULE * width:
        skew = straight_rules.estimate_skew((marks.labels > 0).astype(np.uint8))
    if skew is not None and abs(skew) >= MIN_SKEW:
        reduced = rotate(reduced, skew)
        ink = line_ink.subtract_paper(reduced.gray, sign, kernel)
        marks = find_marks(line_ink.binarize(ink))
    frames = find_frames(marks)
    digit_height = _first_height(marks, frames)
    if digit_height is None:
        return None
    weak = line_ink.binarize_weak(ink)
    found = find_text(marks, digit_height, (0, height), frames, weak)
    if found is None:
        return None
    field, band = found
    # The digits in printed boxes dance, and the boxes and their rules do not.
    text_skew = 0.0
    if skew is None:
        members = field.marks.boxes[band.members - 1]
        if len(frames.boxes) > 1 or len(members) >= _MIN_SKEW_DIGITS:
            shown = frames.boxes if len(frames.boxes) > 1 else members
            text_skew = line_skew(shown, band.height)
    box = _surroundings(field.marks, band, field.borders, text_skew)
    return crop_line(gray, reduced, box, band.height, text_skew)


def _first_kernel(height: int, width: int) -> float:
    """Returns a side wider than a stroke, in pixels of a picture of any shape."""
    side = float(np.sqrt(height * width))
    return max(
        _KERNEL * min(height, _LINE_HEIGHT),
        min(_KERNEL * height, _MAX_KERNEL * side),
    )


def _first_height(marks: Marks, frames: Frames) -> float | None:
    """Estimates the height of a digit in a picture with lines of any length.

    Returns:
      The height in pixels, or None without ink.
    """
    horizontal, vertical = frames.horizontal, frames.vertical
    rows, columns = marks.labels.shape
    length = max(_FIRST_RULE * max(rows, columns), min(rows, _MAX_FIRST_RULE * columns))
    length = max(8, int(length))
    if _longest(marks) >= length / 2:
        binary = (marks.labels > 0).astype(np.uint8)
        rules = straight_rules.find_horizontal_rules(binary, length)
        horizontal = horizontal | rules
    if horizontal.any() or vertical.any():
        binary = (marks.labels > 0).astype(np.uint8)
        rest = straight_rules.remove_horizontal_rules(binary, horizontal)
        marks = find_marks(straight_rules.remove_vertical_rules(rest, vertical))
    band = find_band(marks)
    if band is None:
        return None
    return _height_between_borders(marks, band.height, horizontal)


def _height_between_borders(
    marks: Marks, height: float, horizontal: np.ndarray
) -> float:
    """Corrects the height of a digit if it is that of borders beside the digits.

    Args:
      marks: the components of the ink, without horizontal rules.
      height: the height of a digit, or of the borders, in pixels.
      horizontal: `uint8 (height, width)`, 1 for the pixels of horizontal rules.
    """
    heights = marks.boxes[:, 3] - marks.boxes[:, 1]
    length = max(8, int(_BORDER_LENGTH * height))
    # A border ends at a rule, or at the edge of the picture.
    at_edge = (marks.boxes[:, 1] <= 1) | (marks.boxes[:, 3] >= len(horizontal) - 1)
    is_long = heights >= length
    if not (is_long & (at_edge | horizontal.any())).any():
        return height
    binary = (marks.labels > 0).astype(np.uint8)
    lines = find_marks(straight_rules.find_vertical_rules(binary, length))
    is_border = np.zeros(len(lines.boxes) + 1, bool)
    for index, box in enumerate(lines.boxes.tolist()):
        thickness = lines.areas[index] / (box[3] - box[1])
        is_thin = thickness <= max(4, _MAX_BORDER_WIDTH * height)
        is_border[index + 1] = is_thin and _ends_at_line(box, horizontal, height)
    if not is_border.any():
        return height
    borders = is_border[lines.labels].astype(np.uint8)
    band = find_band(find_marks(straight_rules.remove_vertical_rules(binary, borders)))
    is_lower = band is not None and band.height < _MAX_LOWER * height
    return band.height if band is not None and is_lower else height


def _ends_at_line(box: list[int], horizontal: np.ndarray, height: float) -> bool:
    """Tells whether a vertical line ends at a rule, or at the picture's edge."""
    left, top, right, bottom = box
    reach = max(2, round(_JOINT * height))
    above = horizontal[max(0, top - reach) : top + reach, left:right].any()
    below = horizontal[max(0, bottom - reach) : bottom + reach, left:right].any()
    return bool(above or below or top <= 1 or bottom >= len(horizontal) - 1)


def _longest(marks: Marks) -> int:
    """Returns the width of the widest component, in pixels."""
    return int((marks.boxes[:, 2] - marks.boxes[:, 0]).max(initial=0))


def find_text(
    marks: Marks,
    digit_height: float,
    rows: tuple[float, float],
    frames: Frames | None = None,
    weak: np.ndarray | None = None,
) -> tuple[FieldInk, Band] | None:
    """Finds the band of a line without the lines that are longer than its strokes.

    Args:
      marks: the components of the ink.
      digit_height: height of a digit in pixels.
      rows: first row of the picture, and the row after its last.
      frames: its frames, if they are known.
      weak: `uint8 (height, width)`, 1 for ink and what may be faint ink.
    """
    field = remove_field_lines(marks, digit_height, rows, frames, weak)
    band = find_band(field.marks)
    return None if band is None else (field, band)


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
    on_line &= (heights > _MIN_HEIGHT * height) & (heights < _MAX_HEIGHT * height)
    on_line[band.members - 1] = True
    boxes = marks.boxes[on_line]
    margin = _MARGIN * height
    rows, columns = marks.labels.shape
    left = min(float(boxes[:, 0].min()), float(borders.min(initial=columns))) - margin
    right = max(float(boxes[:, 2].max()), float(borders.max(initial=0))) + margin
    top = max(0.0, min(band.top, float(boxes[:, 1].min())) - margin)
    bottom = min(float(rows), max(band.bottom, float(boxes[:, 3].max())) + margin)
    return max(0.0, left), top, min(float(columns), right), bottom
