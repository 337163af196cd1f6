"""Removes printed lines from an image, and keeps the strokes that cross them.

The median profile across a line is subtracted along its length. Pale lines under dark
ink are removed, too.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.lines.line_detection import ADJACENT_ROWS, Line, find_ruled_lines
from cnn.preprocessing.lines.line_strips import (
    Strip,
    find_line_extent,
    image_pixels,
    line_profile,
    sample_pixels,
    straighten_line,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.ruled_lines


class RuledLines(NamedTuple):
    """Lines that cross an image.

    Attributes:
      horizontal: nearly horizontal lines.
      vertical: nearly vertical lines, as horizontal ones of the transposed image.
    """

    horizontal: list[Line]
    vertical: list[Line]


def find_lines(foreground: np.ndarray, ink_threshold: float) -> RuledLines:
    """Finds the lines that cross an image, printed or written."""
    ink = _scale_ink(foreground, ink_threshold)
    transposed_ink = np.ascontiguousarray(ink.T)
    horizontal = [_refine(ink, line) for line in find_ruled_lines(ink)]
    vertical = [
        _refine(transposed_ink, line) for line in find_ruled_lines(transposed_ink)
    ]
    return RuledLines(horizontal, vertical)


def remove_lines(
    foreground: np.ndarray, ink_threshold: float, lines: RuledLines
) -> np.ndarray:
    """Removes lines, and keeps the strokes that cross them.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.
      lines: the lines to remove.

    Returns:
      The foreground without lines, the same shape and dtype.
    """
    horizontal, vertical = lines
    if not horizontal and not vertical:
        return foreground
    min_level = _THRESHOLDS.min_segment_ink * ink_threshold
    remaining, mask = _subtract_lines(foreground, horizontal, vertical, min_level)
    transposed = np.ascontiguousarray(remaining.T)
    transposed, transposed_mask = _subtract_lines(
        transposed, vertical, horizontal, min_level
    )
    mask |= transposed_mask.T
    remaining = np.ascontiguousarray(transposed.T)
    return _remove_residues(remaining, mask, ink_threshold)


def _scale_ink(foreground: np.ndarray, ink_threshold: float) -> np.ndarray:
    """Scales a foreground from 0, background, to 1, ink."""
    relative_levels = foreground / np.float32(ink_threshold)
    return np.clip(relative_levels, 0, 1)


def _subtract_lines(
    foreground: np.ndarray, lines: list[Line], crossing: list[Line], min_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Subtracts nearly horizontal lines one after another.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      lines: lines to subtract.
      crossing: lines of the transposed image, which are not strokes to keep.
      min_level: smallest level of a line.

    Returns:
      The foreground without the lines, and the mask of their pixels, `bool`. Both have
      the shape of `foreground`.
    """
    remaining = foreground.copy()
    mask = np.zeros(foreground.shape, bool)
    for line in lines:
        strip, profile = _measure_strip(remaining, line, min_level)
        top, bottom = find_line_extent(profile)
        strokes = _crossing_strokes(strip, top, bottom)
        for other in crossing:
            is_crossing_line = _crossing_columns(strip, other, len(foreground))
            strokes[:, is_crossing_line] = 0
        levels = strip.levels[top : bottom + 1]
        rest = _subtract_profile(levels, profile, top)
        visible_strokes = np.minimum(strokes, levels)
        cleaned = np.maximum(rest, visible_strokes)
        inside = strip.inside[top : bottom + 1]
        pixels = image_pixels(strip, top, bottom)
        remaining[pixels] = cleaned[inside]
        row_above = max(top - 1, 0)
        row_below = bottom + 1
        mask[image_pixels(strip, row_above, row_below)] = True
    return remaining, mask


def _measure_strip(
    foreground: np.ndarray, line: Line, min_level: float
) -> tuple[Strip, np.ndarray]:
    """Returns the strip along a line and its profile, wider for a wide line.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      line: the line.
      min_level: smallest level of a line.
    """
    strip = straighten_line(foreground, line)
    profile = line_profile(strip.levels, min_level)
    top, bottom = find_line_extent(profile)
    if top > 0 and bottom < len(profile) - 1:
        return strip, profile
    strip = straighten_line(foreground, line, widening=2)
    return strip, line_profile(strip.levels, min_level)


def _refine(ink: np.ndarray, line: Line) -> Line:
    """Returns the line with the largest mean ink among similar lines."""
    width = ink.shape[1]
    slopes = line.slope + _SLOPE_CORRECTIONS
    middles = line.middle + _SHIFTS
    columns = np.arange(0, width, _THRESHOLDS.column_step)
    middle_column = (width - 1) / 2
    rises = slopes[:, None] * (columns - middle_column)
    rows = np.rint(middles[:, None] + rises).astype(int)
    samples, inside = sample_pixels(ink, rows, columns)
    lengths = np.maximum(inside.sum(1), 1)
    means = samples.sum(1) / lengths
    best = means.argmax()
    middle = float(middles[best])
    slope = float(slopes[best])
    return Line(middle, slope)


def _similar_lines() -> tuple[np.ndarray, np.ndarray]:
    """Returns all pairs of a slope correction and a shift, each `float64 (pairs,)`."""
    max_correction = _THRESHOLDS.max_slope_correction
    num_corrections = _THRESHOLDS.num_slope_corrections
    corrections = np.linspace(-max_correction, max_correction, num_corrections)
    max_shift = _THRESHOLDS.max_shift
    shifts = np.linspace(-max_shift, max_shift, _THRESHOLDS.num_shifts)
    correction_grid, shift_grid = np.meshgrid(corrections, shifts)
    return correction_grid.ravel(), shift_grid.ravel()


_SLOPE_CORRECTIONS, _SHIFTS = _similar_lines()


def _crossing_strokes(strip: Strip, top: int, bottom: int) -> np.ndarray:
    """Returns the levels of strokes with ink on both sides of a line.

    Args:
      strip: the strip along the line.
      top: first row of the line.
      bottom: last row of the line.

    Returns:
      `float32 (1, width)`, 0 or the background's noise where no stroke crosses.
    """
    last_row = len(strip.levels) - 1
    row_above = max(top - 1, 0)
    row_below = min(bottom + 1, last_row)
    levels_above = strip.levels[row_above]
    levels_below = strip.levels[row_below]
    # A slanted stroke meets the two sides of the line in different columns.
    half_width = (bottom - top) // 2 + 1
    kernel_width = 2 * half_width + 1
    kernel = np.ones((1, kernel_width), np.uint8)
    spread_above = cv2.dilate(levels_above[None], kernel)
    spread_below = cv2.dilate(levels_below[None], kernel)
    return np.minimum(spread_above, spread_below)


def _crossing_columns(strip: Strip, crossing: Line, height: int) -> np.ndarray:
    """Tells which columns of a strip belong to a line of the other direction.

    Args:
      strip: the strip along a line.
      crossing: a line of the transposed image.
      height: number of rows of the image.

    Returns:
      `bool (width,)`.
    """
    reach = len(strip.rows) // 2
    path = strip.rows[reach]
    columns = np.arange(len(path))
    crossing_columns = crossing.rows_at(path, height)
    distances = np.abs(columns - crossing_columns)
    return distances <= reach


def _subtract_profile(levels: np.ndarray, profile: np.ndarray, top: int) -> np.ndarray:
    """Subtracts the profile of a line from its rows, down to 0.

    Args:
      levels: `float32 (rows, width)`, rows of the line.
      profile: `float32 (strip rows,)`, median level of each row of the strip.
      top: first row of the line in the strip.
    """
    column = np.maximum(profile, 0)[:, None]
    # A line between two rows has a part of its ink in each of them.
    spread = cv2.dilate(column, ADJACENT_ROWS)
    end = top + len(levels)
    line_levels = _THRESHOLDS.profile_gain * spread[top:end]
    rest = levels - line_levels
    return np.maximum(rest, 0)


def _remove_residues(
    foreground: np.ndarray, mask: np.ndarray, ink_threshold: float
) -> np.ndarray:
    """Removes components that lie almost entirely on removed lines.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      mask: `bool (height, width)`, pixels of the removed lines.
      ink_threshold: smallest level of ink, exclusive.
    """
    ink = (foreground > ink_threshold).astype(np.uint8)
    num_labels, labels = cv2.connectedComponents(ink)
    areas = np.bincount(labels[labels > 0], minlength=num_labels)
    removed_areas = np.bincount(labels[mask], minlength=num_labels)
    min_removed_areas = _THRESHOLDS.min_residue_share * areas
    is_residue = removed_areas > min_removed_areas
    is_residue[0] = False
    if not is_residue.any():
        return foreground
    is_residue_pixel = is_residue[labels]
    return np.where(is_residue_pixel, np.float32(0), foreground)
