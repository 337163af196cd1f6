"""Estimates how probably a line that crosses an image is printed.

A long straight stroke of a character looks like a rule: the base of a 2, the bar of a
4, the top of a 7. But a rule goes on to the edges of the image, and its ink differs
from the pen's, where a stroke ends inside the image.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.component_labels import label_components
from cnn.preprocessing.lines.line_strips import (
    Strip,
    find_line_extent,
    median_profile,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.line_evidence
_MIN_RATIO = 1e-3  # Avoids a division by zero.
_THREE = np.ones((1, 3), np.uint8)  # A kernel of three adjacent columns.


class PenInk(NamedTuple):
    """The ink that remains without any of the lines.

    Attributes:
      level: its level above the background, 0 if hardly any ink remains.
      box: `int (4,)`, left, top, right and bottom of the ink.
      length: longer side of its largest component, in pixels.
    """

    level: float
    box: np.ndarray
    length: int


class LineMeasurement(NamedTuple):
    """Properties of a line and of the ink around it.

    Attributes:
      num_ends: how many of its two ends lie on an edge of the image.
      level_ratio: level of the line, relative to the pen's.
      relative_length: length of the line, relative to the pen's largest component.
      fills_image: whether the line and the pen's ink reach all edges of the image, as
        in a picture that is cut out along the character.
      first: first column of the line.
      last: its last column.
    """

    num_ends: int
    level_ratio: float
    relative_length: float
    fills_image: bool
    first: int = 0
    last: int = 0


def measure_pen(foreground: np.ndarray, ink_threshold: float) -> PenInk:
    """Measures the ink in a foreground without lines.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.
    """
    components = label_components(foreground, ink_threshold, gap=0)
    min_area = _THRESHOLDS.min_mark_share * len(components.ink_pixels)
    is_mark = components.area >= min_area
    is_mark[0] = False
    height, width = foreground.shape
    if not is_mark.any():
        nowhere = np.array([width, height, 0, 0])
        return PenInk(0.0, nowhere, 0)
    left, top = components.left[is_mark].min(), components.top[is_mark].min()
    right, bottom = components.right[is_mark].max(), components.bottom[is_mark].max()
    length = max(components.width[is_mark].max(), components.height[is_mark].max())
    levels = foreground.ravel()[components.ink_pixels]
    level = float(np.quantile(levels, _THRESHOLDS.pen_quantile))
    return PenInk(level, np.array([left, top, right, bottom]), int(length))


def measure_line(strip: Strip, pen: PenInk, ink_threshold: float) -> LineMeasurement:
    """Measures a line, and compares it with the pen's ink.

    Args:
      strip: the strip along the line, of the image with all lines.
      pen: the ink without any lines, with x and y exchanged for a vertical line.
      ink_threshold: smallest level of ink, exclusive.
    """
    levels = _levels_along(strip)
    inside = np.flatnonzero(strip.inside[len(strip.rows) // 2])
    level = float(np.median(levels[inside])) if len(inside) else 0.0
    min_level = max(
        _THRESHOLDS.min_line_fraction * level,
        _THRESHOLDS.min_ink_fraction * ink_threshold,
    )
    is_covered = (levels > min_level).astype(np.uint8)
    # One or two columns at an edge may be noise.
    is_covered = cv2.morphologyEx(is_covered[None], cv2.MORPH_OPEN, _THREE)[0]
    covered = np.flatnonzero(is_covered)
    if not len(covered):
        return LineMeasurement(0, 1.0, 0.0, False)
    max_gap = max(1, round(_THRESHOLDS.max_end_gap * len(inside)))
    left_gap = covered[0] - inside[0]
    right_gap = inside[-1] - covered[-1]
    num_ends = int(left_gap <= max_gap) + int(right_gap <= max_gap)
    length = covered[-1] - covered[0] + 1
    return LineMeasurement(
        num_ends=num_ends,
        level_ratio=level / max(pen.level, 1.0),
        relative_length=float(length / max(pen.length, 1)),
        fills_image=_fills_image(strip, covered, pen),
        first=int(covered[0]),
        last=int(covered[-1]),
    )


def extend_pen(pen: PenInk, crossing: Sequence[LineMeasurement]) -> PenInk:
    """Extends the pen's box by lines of the other direction that may be strokes.

    The stem of a 4 may be such a line. More than two are a grid.
    """
    strokes = [
        line for line in crossing if line.level_ratio > _THRESHOLDS.max_pale_ratio
    ]
    if not 0 < len(strokes) <= _THRESHOLDS.min_parallel:
        return pen
    left, top, right, bottom = pen.box.tolist()
    top = min(top, *(line.first for line in strokes))
    bottom = max(bottom, *(line.last + 1 for line in strokes))
    return pen._replace(box=np.array([left, top, right, bottom]))


def _levels_along(strip: Strip) -> np.ndarray:
    """Returns the level of a line in each column, `float32 (width,)`."""
    top, bottom = find_line_extent(median_profile(strip.levels))
    middle = len(strip.rows) // 2
    first = max(top, middle - 1)
    last = min(bottom, middle + 1)
    return strip.levels[first : last + 1].max(0)


def _fills_image(strip: Strip, covered: np.ndarray, pen: PenInk) -> bool:
    """Tells whether a line and the pen's ink together reach all edges.

    Args:
      strip: the strip along the line.
      covered: `int (n,)`, columns that the line covers.
      pen: the ink without any lines.
    """
    path = strip.rows[len(strip.rows) // 2, covered]
    height, width = strip.image_shape
    left, top, right, bottom = pen.box
    margins = (
        min(left, covered[0]) / width,
        min(top, path.min()) / height,
        1 - max(right, covered[-1] + 1) / width,
        1 - max(bottom, path.max() + 1) / height,
    )
    return max(margins) < _THRESHOLDS.max_crop_margin


def printed_probabilities(lines: Sequence[LineMeasurement]) -> list[float]:
    """Estimates the probability that each of several parallel lines is printed."""
    reaching = [line.level_ratio for line in lines if line.num_ends]
    probabilities = []
    for line in lines:
        ratios = np.array(reaching) / max(line.level_ratio, _MIN_RATIO)
        is_similar = np.abs(np.log(np.maximum(ratios, _MIN_RATIO)))
        num_similar = np.sum(is_similar < np.log(_THRESHOLDS.max_level_factor))
        num_others = int(num_similar) - (line.num_ends > 0)
        probabilities.append(_printed_probability(line, num_others))
    return probabilities


def _printed_probability(line: LineMeasurement, num_similar: int) -> float:
    """Estimates the probability that a line is printed.

    Args:
      line: the line.
      num_similar: number of other lines of its direction and level that reach an edge.
    """
    is_pale = line.level_ratio < _THRESHOLDS.max_pale_ratio
    if line.level_ratio < _THRESHOLDS.max_very_pale_ratio:
        return 1.0
    if line.num_ends == 0:
        # The end of a rule may be missed, or be in a shadow.
        is_long = line.relative_length >= _THRESHOLDS.min_relative_length
        if is_long and num_similar >= _THRESHOLDS.min_parallel:
            return 1.0
        return _THRESHOLDS.pale_inside if is_pale else 0.0
    if is_pale or num_similar >= _THRESHOLDS.min_parallel:
        return 1.0
    if line.relative_length > _THRESHOLDS.min_relative_length:
        return _THRESHOLDS.long_one_end if line.num_ends == 1 else 1.0
    if line.fills_image:
        return _THRESHOLDS.filling
    if line.num_ends == 1:
        return _THRESHOLDS.one_end
    return _THRESHOLDS.two_ends
