"""Removes printed lines from an image, and keeps the strokes that cross them.

The median profile across a line is subtracted along its length. Pale lines under dark
ink are removed, too.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.line_detection import ADJACENT_ROWS, Line, find_ruled_lines
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
    relative_levels = foreground / np.float32(ink_threshold)
    ink = np.clip(relative_levels, 0, 1)
    transposed_ink = np.ascontiguousarray(ink.T)
    horizontal = find_ruled_lines(ink)
    vertical = find_ruled_lines(transposed_ink)
    if not horizontal and not vertical:
        return foreground, False
    remaining, mask = _subtract_lines(foreground, ink, horizontal, vertical)
    transposed = np.ascontiguousarray(remaining.T)
    transposed, transposed_mask = _subtract_lines(
        transposed, transposed_ink, vertical, horizontal
    )
    mask |= transposed_mask.T
    remaining = np.ascontiguousarray(transposed.T)
    cleaned = _remove_residues(remaining, mask, ink_threshold)
    return cleaned, True


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
    remaining = foreground.copy()
    mask = np.zeros(foreground.shape, bool)
    for line in lines:
        strip = _straighten(remaining, _refine(ink, line))
        profile = _median_profile(strip.levels)
        top, bottom = _line_extent(profile)
        strokes = _crossing_strokes(strip, top, bottom)
        for other in crossing:
            is_crossing_line = _crossing_columns(strip, other, len(foreground))
            strokes[:, is_crossing_line] = 0
        levels = strip.levels[top : bottom + 1]
        rest = _subtract_profile(levels, profile, top)
        visible_strokes = np.minimum(strokes, levels)
        cleaned = np.maximum(rest, visible_strokes)
        inside = strip.inside[top : bottom + 1]
        pixels = _image_pixels(strip, top, bottom)
        remaining[pixels] = cleaned[inside]
        row_above = max(top - 1, 0)
        row_below = bottom + 1
        mask[_image_pixels(strip, row_above, row_below)] = True
    return remaining, mask


def _refine(ink: np.ndarray, line: Line) -> Line:
    """Returns the line with the largest mean ink among similar lines."""
    width = ink.shape[1]
    slopes = line.slope + _SLOPE_CORRECTIONS
    middles = line.middle + _SHIFTS
    columns = np.arange(0, width, _THRESHOLDS.column_step)
    middle_column = (width - 1) / 2
    rises = slopes[:, None] * (columns - middle_column)
    rows = np.rint(middles[:, None] + rises).astype(int)
    samples, inside = _sample(ink, rows, columns)
    lengths = np.maximum(inside.sum(1), 1)
    means = samples.sum(1) / lengths
    best = means.argmax()
    middle = float(middles[best])
    slope = float(slopes[best])
    return Line(middle, slope)


def _sample(
    image: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Samples pixels of an image.

    Args:
      image: `float32 (height, width)`.
      rows: `int (n, columns)`, may be outside the image.
      columns: `int (columns,)`, inside the image.

    Returns:
      The pixels, `float32 (n, columns)`, 0 outside the image, and whether they are
      inside, `bool (n, columns)`.
    """
    height = len(image)
    inside = (rows >= 0) & (rows < height)
    nearest_rows = rows.clip(0, height - 1)
    pixels = image[nearest_rows, columns]
    return pixels * inside, inside


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
    columns = np.arange(width)
    path = line.rows_at(columns, width)
    path = np.rint(path).astype(int)
    profile_rows = height // _THRESHOLDS.height_per_profile_row
    profile_rows = max(_THRESHOLDS.min_profile_rows, profile_rows)
    reach = profile_rows + _THRESHOLDS.crossing_rows
    offsets = np.arange(-reach, reach + 1)
    rows = path + offsets[:, None]
    levels, inside = _sample(foreground, rows, columns)
    return _Strip(levels, rows, inside)


def _median_profile(levels: np.ndarray) -> np.ndarray:
    """Returns the upper median level of each row, `float32 (rows,)`."""
    middle = levels.shape[1] // 2
    partitioned = np.partition(levels, middle, axis=1)
    return partitioned[:, middle]


def _line_extent(profile: np.ndarray) -> tuple[int, int]:
    """Returns the first and the last row of a line, with its antialiased edges."""
    middle = len(profile) // 2
    min_level = _THRESHOLDS.edge_fraction * profile[middle]
    is_line = profile > min_level
    rows_above = _leading_count(is_line[middle::-1])
    rows_below = _leading_count(is_line[middle:])
    top = middle - max(rows_above, 1)
    bottom = middle + max(rows_below, 1)
    last_row = len(profile) - 1
    return max(top, 0), min(bottom, last_row)


def _leading_count(mask: np.ndarray) -> int:
    """Returns the number of True values before the first False."""
    return int(np.cumprod(mask).sum())


def _crossing_strokes(strip: _Strip, top: int, bottom: int) -> np.ndarray:
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


def _crossing_columns(strip: _Strip, crossing: Line, height: int) -> np.ndarray:
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


def _image_pixels(
    strip: _Strip, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows and columns in the image of a strip's rows `first` to `last`."""
    selected = slice(first, last + 1)
    inside = strip.inside[selected]
    rows = strip.rows[selected][inside]
    _, columns = np.nonzero(inside)
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
    min_removed_areas = _THRESHOLDS.min_residue_share * areas
    is_residue = removed_areas > min_removed_areas
    is_residue[0] = False
    if not is_residue.any():
        return foreground
    is_residue_pixel = is_residue[labels]
    return np.where(is_residue_pixel, np.float32(0), foreground)
