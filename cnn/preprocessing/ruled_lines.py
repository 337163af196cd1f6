"""Removes printed lines from an image, and keeps the strokes that cross them.

The median profile across a line is subtracted along its length. Pale lines under dark
ink are removed, too.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.line_detection import Line, find_ruled_lines
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.ruled_lines


def remove_ruled_lines(
    foreground: np.ndarray, ink_threshold: float
) -> tuple[np.ndarray, bool]:
    """Removes printed horizontal and vertical lines.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink.

    Returns:
      The foreground without lines, the same shape and dtype, and whether there were
      any.
    """
    ink = np.clip(foreground / np.float32(ink_threshold), 0, 1)
    transposed_ink = np.ascontiguousarray(ink.T)
    horizontal = find_ruled_lines(ink)
    vertical = find_ruled_lines(transposed_ink)
    if not horizontal and not vertical:
        return foreground, False
    foreground, mask = _subtract_lines(foreground, ink, horizontal, vertical)
    transposed = np.ascontiguousarray(foreground.T)
    transposed, transposed_mask = _subtract_lines(
        transposed, transposed_ink, vertical, horizontal
    )
    mask |= transposed_mask.T
    foreground = np.ascontiguousarray(transposed.T)
    return _remove_residues(foreground, mask, ink_threshold), True


def _subtract_lines(
    foreground: np.ndarray, ink: np.ndarray, lines: list[Line], crossing: list[Line]
) -> tuple[np.ndarray, np.ndarray]:
    """Subtracts nearly horizontal lines one after another.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink: the same from 0, background, to 1, ink.
      lines: lines to subtract.
      crossing: lines of the transposed image, which are not strokes to keep.

    Returns:
      The foreground without the lines, and the mask of their pixels, `bool`. Both have
      the shape of `foreground`.
    """
    foreground = foreground.copy()
    mask = np.zeros(foreground.shape, bool)
    for line in lines:
        strip = _straighten(foreground, _refine(ink, line))
        profile = _median_profile(strip.levels)
        top, bottom = _line_extent(profile)
        strokes = _crossing_strokes(strip, top, bottom)
        for other in crossing:
            strokes[:, _crossing_columns(strip, other, len(foreground))] = 0
        levels = strip.levels[top : bottom + 1]
        rest = _subtract_profile(levels, profile, top)
        cleaned = np.maximum(rest, np.minimum(strokes, levels))
        inside = strip.inside[top : bottom + 1]
        foreground[_image_pixels(strip, top, bottom)] = cleaned[inside]
        mask[_image_pixels(strip, max(top - 1, 0), bottom + 1)] = True
    return foreground, mask


def _refine(ink: np.ndarray, line: Line) -> Line:
    """Returns the line with the largest mean ink among similar lines."""
    height, width = ink.shape
    slopes = line.slope + _SLOPE_CORRECTIONS
    middles = line.middle + _SHIFTS
    columns = np.arange(0, width, _THRESHOLDS.column_step)
    rows = middles[:, None] + slopes[:, None] * (columns - (width - 1) / 2)
    rows = np.rint(rows).astype(int)
    inside = (rows >= 0) & (rows < height)
    sums = (ink[rows.clip(0, height - 1), columns] * inside).sum(1)
    best = int((sums / np.maximum(inside.sum(1), 1)).argmax())
    return Line(float(middles[best]), float(slopes[best]))


def _similar_lines() -> tuple[np.ndarray, np.ndarray]:
    """Returns all pairs of a slope correction and a shift, each `float64 (pairs,)`."""
    max_correction = _THRESHOLDS.max_slope_correction
    corrections = np.linspace(
        -max_correction, max_correction, _THRESHOLDS.num_slope_corrections
    )
    max_shift = _THRESHOLDS.max_shift
    shifts = np.linspace(-max_shift, max_shift, _THRESHOLDS.num_shifts)
    correction_grid, shift_grid = np.meshgrid(corrections, shifts)
    return correction_grid.ravel(), shift_grid.ravel()


_SLOPE_CORRECTIONS, _SHIFTS = _similar_lines()


class _Strip(NamedTuple):
    """The rows along a line, straightened so that the line is the middle row.

    Attributes:
      levels: `float32 (rows, width)`, levels above the background, 0 outside the image.
      rows: `int (rows, width)`, rows of the image.
      inside: `bool (rows, width)`, whether these rows are in the image.
    """

    levels: np.ndarray
    rows: np.ndarray
    inside: np.ndarray


def _straighten(foreground: np.ndarray, line: Line) -> _Strip:
    """Cuts out the strip along a line."""
    height, width = foreground.shape
    path = np.rint(line.rows_at(np.arange(width), width)).astype(int)
    reach = height // _THRESHOLDS.height_per_profile_row
    reach = max(_THRESHOLDS.min_profile_rows, reach) + _THRESHOLDS.crossing_rows
    rows = path + np.arange(-reach, reach + 1)[:, None]
    inside = (rows >= 0) & (rows < height)
    levels = foreground[rows.clip(0, height - 1), np.arange(width)] * inside
    return _Strip(levels, rows, inside)


def _median_profile(levels: np.ndarray) -> np.ndarray:
    """Returns the median level of each row, `float32 (rows,)`."""
    middle = levels.shape[1] // 2
    return np.partition(levels, middle, axis=1)[:, middle]


def _line_extent(profile: np.ndarray) -> tuple[int, int]:
    """Returns the first and the last row of a line, with its antialiased edges."""
    middle = len(profile) // 2
    is_line = profile > _THRESHOLDS.edge_fraction * profile[middle]
    rows_above = int(np.cumprod(is_line[middle::-1]).sum())
    rows_below = int(np.cumprod(is_line[middle:]).sum())
    top = min(middle - rows_above + 1, middle)
    bottom = max(middle + rows_below - 1, middle)
    return max(top - 1, 0), min(bottom + 1, len(profile) - 1)


def _crossing_strokes(strip: _Strip, top: int, bottom: int) -> np.ndarray:
    """Returns the levels of strokes with ink on both sides of a line.

    Args:
      strip: the strip along the line.
      top: first row of the line.
      bottom: last row of the line.

    Returns:
      `float32 (1, width)`, 0 or the background's noise where no stroke crosses.
    """
    above = strip.levels[max(top - 1, 0)]
    below = strip.levels[min(bottom + 1, len(strip.levels) - 1)]
    # A slanted stroke meets the two sides of the line in different columns.
    kernel = np.ones((1, 2 * ((bottom - top) // 2) + 3), np.uint8)
    return np.minimum(cv2.dilate(above[None], kernel), cv2.dilate(below[None], kernel))


def _crossing_columns(strip: _Strip, crossing: Line, height: int) -> np.ndarray:
    """Tells which columns of a strip belong to a line of the other direction.

    Args:
      strip: the strip along a line.
      crossing: a line of the transposed image.
      height: number of rows of the image.
    """
    reach = len(strip.rows) // 2
    path = strip.rows[reach]
    columns = crossing.rows_at(path, height)
    return np.abs(np.arange(len(path)) - columns) <= reach


def _subtract_profile(levels: np.ndarray, profile: np.ndarray, top: int) -> np.ndarray:
    """Subtracts the profile of a line from its rows, down to 0.

    Args:
      levels: `float32 (rows, width)`, rows of the line.
      profile: `float32 (strip rows,)`, median level of each row of the strip.
      top: first row of the line in the strip.
    """
    # A line between two rows has a part of its ink in each of them.
    spread = cv2.dilate(np.maximum(profile, 0)[:, None], np.ones((3, 1), np.uint8))
    line_profile = spread[top : top + len(levels)]
    return np.maximum(levels - _THRESHOLDS.profile_gain * line_profile, 0)


def _image_pixels(
    strip: _Strip, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows and columns in the image of a strip's rows `first` to `last`."""
    inside = strip.inside[first : last + 1]
    rows = strip.rows[first : last + 1][inside]
    columns = np.nonzero(inside)[1]
    return rows, columns


def _remove_residues(
    foreground: np.ndarray, mask: np.ndarray, ink_threshold: float
) -> np.ndarray:
    """Removes components that lie almost entirely on removed lines.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      mask: `bool (height, width)`, pixels of the removed lines.
      ink_threshold: smallest level of ink.
    """
    ink = (foreground > ink_threshold).astype(np.uint8)
    num_labels, labels = cv2.connectedComponents(ink)
    areas = np.bincount(labels[labels > 0], minlength=num_labels)
    removed_areas = np.bincount(labels[mask], minlength=num_labels)
    is_residue = removed_areas > _THRESHOLDS.min_residue_share * areas
    is_residue[0] = False
    if not is_residue.any():
        return foreground
    return np.where(is_residue[labels], np.float32(0), foreground)
