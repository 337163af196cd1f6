"""Detects printed lines that cross an image, as on ruled and squared paper.

The Radon transform sums the ink along every nearly horizontal line. A line is measured
in segments, which are shared by all slopes: the ink of each segment's columns is
averaged once per row, and a line is a path through these averages.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import downscale_interpolation
from cnn.preprocessing.lines.candidate_lines import (
    candidate_slopes,
    compute_line_grid,
    compute_row_bands,
    segment_edges,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.ruled_lines
ADJACENT_ROWS = np.ones((3, 1), np.uint8)  # A kernel of three rows.


class Line(NamedTuple):
    """A nearly horizontal line.

    Attributes:
      middle: row at which the line crosses the middle column.
      slope: rows per column.
    """

    middle: float
    slope: float

    def rows_at(self, columns: np.ndarray, width: int) -> np.ndarray:
        """Returns the rows of the line, `float64`, at columns of an image."""
        middle_column = (width - 1) / 2
        return self.middle + self.slope * (columns - middle_column)


def find_ruled_lines(ink: np.ndarray) -> list[Line]:
    """Finds the nearly horizontal lines that cross an image.

    Args:
      ink: `float32 (height, width)`, from 0, background, to 1, ink.

    Returns:
      The lines, the one with the highest contrast first.

    Example:
      >>> page = np.zeros((60, 80), np.float32)
      >>> page[20] = 1
      >>> find_ruled_lines(page)
      [Line(middle=20.0, slope=0.0)]
    """
    adjacent = cv2.dilate(ink, ADJACENT_ROWS)
    weighted = _THRESHOLDS.adjacent_row_weight * adjacent
    searched = np.maximum(ink, weighted)
    longest_side = max(ink.shape)
    scale = min(1.0, _THRESHOLDS.search_side / longest_side)
    if scale < 1:
        method = downscale_interpolation(scale)
        searched = cv2.resize(searched, None, fx=scale, fy=scale, interpolation=method)
    width = searched.shape[1]
    scores = _line_scores(searched)
    lines = _select_peaks(scores, width)
    return [_upscale(line, scale) for line in lines]


def _upscale(line: Line, scale: float) -> Line:
    """Converts a line of a reduced image to the image. Pixel centers are at 0.5."""
    middle = (line.middle + 0.5) / scale
    return Line(middle - 0.5, line.slope)


def _select_peaks(scores: np.ndarray, width: int) -> list[Line]:
    """Selects lines by non-maximum suppression.

    Args:
      scores: `float32 (slopes, height)`, 0 where there is no line.
      width: number of columns of the image.

    Returns:
      The lines, the one with the highest score first.
    """
    if not scores.any():
        return []
    height = scores.shape[1]
    slopes = candidate_slopes()
    rows = np.arange(height)
    middles = np.broadcast_to(rows, scores.shape)
    right_ends = rows + slopes[:, None] * (width - 1) / 2
    left_ends = 2 * rows - right_ends
    max_distance = _clear_rows(height) + 1
    remaining = scores.copy()
    lines: list[Line] = []
    while len(lines) < _THRESHOLDS.max_lines:
        highest = remaining.argmax()
        peak = np.unravel_index(highest, scores.shape)
        if remaining[peak] <= 0:
            break
        slope_index, row = peak
        slope = float(slopes[slope_index])
        lines.append(Line(float(row), slope))
        # Lines that come close to the peak anywhere are the same line.
        for positions in (middles, right_ends, left_ends):
            distances = np.abs(positions - positions[peak])
            remaining[distances <= max_distance] = 0
    return lines


def _clear_rows(height: int) -> int:
    """Returns the distance of the rows beside a line that must have less ink."""
    clear_rows = height // _THRESHOLDS.height_per_clear_row
    return max(_THRESHOLDS.min_clear_rows, clear_rows)


def _line_scores(ink: np.ndarray) -> np.ndarray:
    """Computes the contrast of every line with the rows beside it.

    Args:
      ink: `float32 (height, width)`, from 0 to 1.

    Returns:
      `float32 (slopes, height)`, by slope and middle row, 0 where there is no line.
    """
    height, width = ink.shape
    segments = _average_segments(ink)
    if not _may_contain_line(segments, width):
        return np.zeros((1, height), np.float32)
    grid = compute_line_grid(height, width)
    profile = grid.sample(segments)
    mean = profile.sum(1) / grid.length
    contrast = mean - _ink_beside(mean)
    is_line = mean > _THRESHOLDS.min_line_ink
    is_line &= _stands_out(mean, contrast)
    slopes, rows = np.nonzero(is_line)
    # The profiles of the few lines that are left are measured apart.
    paths = profile[slopes, :, rows]
    is_drawn = _is_covered(paths, grid.length[slopes, rows])
    is_drawn &= _ink_at_ends(paths, grid.ends(slopes, rows)) > _THRESHOLDS.min_end_ink
    scores = np.zeros_like(contrast)
    scores[slopes[is_drawn], rows[is_drawn]] = contrast[slopes, rows][is_drawn]
    return scores


def _average_segments(ink: np.ndarray) -> np.ndarray:
    """Averages the columns of each segment, `float32 (segments, height)`."""
    edges = segment_edges(ink.shape[1])
    widths = np.diff(edges).astype(np.float32)
    starts = edges[:-1]
    sums = np.add.reduceat(ink, starts, axis=1)
    means = sums / widths
    return np.ascontiguousarray(means.T)


def _stands_out(mean: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Tells which lines have enough contrast, of which a full line needs less."""
    is_full = mean > _THRESHOLDS.full_line_ink
    has_contrast = contrast > _THRESHOLDS.min_side_contrast
    has_low_contrast = contrast > _THRESHOLDS.min_full_line_contrast
    return has_contrast | (is_full & has_low_contrast)


def _is_covered(paths: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Tells which lines have ink in most of their segments.

    Args:
      paths: `float32 (lines, segments)`, ink of each line.
      length: `float32 (lines,)`, number of segments in the image.
    """
    covered = paths > _THRESHOLDS.min_segment_ink
    return covered.sum(1) > _THRESHOLDS.min_covered_share * length


def _ink_beside(mean: np.ndarray) -> np.ndarray:
    """Returns the larger mean ink of the lines above and below each line."""
    height = mean.shape[1]
    distance = _clear_rows(height)
    padded = cv2.copyMakeBorder(
        mean,
        top=0,
        bottom=0,
        left=distance,
        right=distance,
        borderType=cv2.BORDER_CONSTANT,
        value=0,
    )
    above = padded[:, :height]
    below = padded[:, 2 * distance :]
    return np.maximum(above, below)


def _ink_at_ends(paths: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns the ink at the weaker end of each line, `float32 (lines,)`.

    The last segment may lie in a shadow, so the last two count as the end.

    Args:
      paths: `float32 (lines, segments)`, ink of each line.
      ends: `int (lines, 4)`, see `LineGrid.ends`.
    """
    at_ends = np.take_along_axis(paths, ends, axis=1)
    left = at_ends[:, :2].max(1)
    right = at_ends[:, 2:].max(1)
    return np.minimum(left, right)


def _may_contain_line(segments: np.ndarray, width: int) -> bool:
    """Tells whether enough segments have ink near one row.

    This takes far less time than to measure every line.

    Args:
      segments: `float32 (segments, height)`, mean ink.
      width: number of columns of the image.
    """
    num_segments, height = segments.shape
    bands = compute_row_bands(height, width)
    covered = segments > _THRESHOLDS.min_segment_ink
    counts = np.zeros((num_segments, height + 1), np.int32)
    np.cumsum(covered, axis=1, out=counts[:, 1:])
    count_at_first = counts.take(bands.first)
    count_at_end = counts.take(bands.end)
    has_ink = count_at_end > count_at_first
    num_covered = has_ink.sum(0)
    min_covered = _THRESHOLDS.min_covered_share * bands.length
    may_be_line = num_covered > min_covered
    return bool(may_be_line.any())
