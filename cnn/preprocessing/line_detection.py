"""Detects printed lines that cross an image, as on ruled and squared paper.

The Radon transform sums the ink along every nearly horizontal line. A line is measured
in segments, which are shared by all slopes: the ink of each segment's columns is
averaged once per row, and a line is a path through these averages.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import downscale_interpolation
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
        return self.middle + self.slope * (columns - (width - 1) / 2)


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
    searched = np.maximum(ink, _THRESHOLDS.adjacent_row_weight * adjacent)
    scale = min(1.0, _THRESHOLDS.search_side / max(ink.shape))
    if scale < 1:
        method = downscale_interpolation(scale)
        searched = cv2.resize(searched, None, fx=scale, fy=scale, interpolation=method)
    scores = _line_scores(searched)
    lines = _select_peaks(scores, searched.shape[1])
    return [_upscale(line, scale) for line in lines]


def _upscale(line: Line, scale: float) -> Line:
    """Converts a line of a reduced image to the image. Pixel centers are at 0.5."""
    middle = (line.middle + 0.5) / scale - 0.5
    return Line(middle, line.slope)


def _select_peaks(scores: np.ndarray, width: int) -> list[Line]:
    """Selects lines by non-maximum suppression.

    Args:
      scores: `float32 (slopes, height)`, 0 where there is no line.
      width: number of columns of the image.

    Returns:
      The lines, the one with the highest score first.
    """
    height = scores.shape[1]
    slopes = _candidate_slopes()
    rows = np.arange(height)
    middles = np.broadcast_to(rows, scores.shape)
    right_ends = rows + slopes[:, None] * (width - 1) / 2
    left_ends = 2 * rows - right_ends
    distance = _clear_rows(height) + 1
    remaining = scores.copy()
    lines: list[Line] = []
    while len(lines) < _THRESHOLDS.max_lines and remaining.max() > 0:
        peak = np.unravel_index(remaining.argmax(), remaining.shape)
        slope_index, row = peak
        line = Line(float(row), float(slopes[slope_index]))
        lines.append(line)
        # Lines that come close to the peak anywhere are the same line.
        for positions in (middles, right_ends, left_ends):
            is_close = np.abs(positions - positions[peak]) <= distance
            remaining[is_close] = 0
    return lines


def _candidate_slopes() -> np.ndarray:
    """Returns the slopes that are tried, `float64 (slopes,)`, in rows per column."""
    steepest = _THRESHOLDS.max_slope_degrees
    degrees = np.arange(-steepest, steepest + 1.0)
    return np.tan(np.deg2rad(degrees))


def _clear_rows(height: int) -> int:
    """Returns the distance of the rows beside a line that must have less ink."""
    return max(_THRESHOLDS.min_clear_rows, height // _THRESHOLDS.height_per_clear_row)


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
    grid = _line_grid(height, width)
    profile = segments.ravel().take(grid.indices)
    profile = profile * grid.inside
    mean = profile.sum(1) / grid.length
    contrast = mean - _ink_beside(mean)
    is_full = mean > _THRESHOLDS.full_line_ink
    stands_out = contrast > _THRESHOLDS.min_side_contrast
    stands_out |= is_full & (contrast > _THRESHOLDS.min_full_line_contrast)
    covered = profile > _THRESHOLDS.min_segment_ink
    min_covered = _THRESHOLDS.min_covered_share * grid.length
    is_line = mean > _THRESHOLDS.min_line_ink
    is_line &= stands_out
    is_line &= covered.sum(1) > min_covered
    is_line &= _ink_at_ends(profile, grid) > _THRESHOLDS.min_end_ink
    return np.where(is_line, contrast, 0)


def _segment_edges(width: int) -> np.ndarray:
    """Returns the first column of each segment, and the end of the last one."""
    num_segments = min(_THRESHOLDS.num_segments, width)
    return np.arange(num_segments + 1) * width // num_segments


def _average_segments(ink: np.ndarray) -> np.ndarray:
    """Averages the columns of each segment, `float32 (segments, height)`."""
    edges = _segment_edges(ink.shape[1])
    widths = np.diff(edges).astype(np.float32)
    sums = np.add.reduceat(ink, edges[:-1], axis=1)
    means = sums / widths
    return np.ascontiguousarray(means.T)


def _ink_beside(mean: np.ndarray) -> np.ndarray:
    """Returns the larger mean ink of the lines above and below each line."""
    distance = _clear_rows(mean.shape[1])
    padded = cv2.copyMakeBorder(
        mean, 0, 0, distance, distance, cv2.BORDER_CONSTANT, value=0
    )
    above = padded[:, : -2 * distance]
    below = padded[:, 2 * distance :]
    return np.maximum(above, below)


class _LineGrid(NamedTuple):
    """Paths of all lines through the segments of an image of one shape.

    Attributes:
      indices: `int (slopes, segments, height)`, index of each line's row in each
        segment, in a flattened `(segments, height)` array.
      inside: `bool`, the same shape, whether that row is in the image.
      length: `float32 (slopes, height)`, number of a line's segments in the image, or
        half of all if there are fewer.
      ends: `int (slopes, 4, height)`, indices of the first two and the last two
        segments in the image, in a flattened `(slopes, segments, height)` array.
    """

    indices: np.ndarray
    inside: np.ndarray
    length: np.ndarray
    ends: np.ndarray


@lru_cache(maxsize=16)  # The images of a folder often have the same shape.
def _line_grid(height: int, width: int) -> _LineGrid:
    """Computes the paths of all lines."""
    offsets = _segment_offsets(width)
    num_segments = len(offsets)
    slopes = _candidate_slopes()
    shifts = np.rint(slopes[:, None] * offsets).astype(int)
    rows = np.arange(height) + shifts[:, :, None]
    inside = (rows >= 0) & (rows < height)
    segment_starts = height * np.arange(num_segments)
    indices = rows.clip(0, height - 1) + segment_starts[:, None]
    min_length = _THRESHOLDS.min_length_share * num_segments
    length = np.maximum(inside.sum(1), min_length)
    ends = _end_indices(inside)
    return _LineGrid(indices, inside, length.astype(np.float32), ends)


def _segment_offsets(width: int) -> np.ndarray:
    """Returns the distance of each segment's middle from the image's, in columns."""
    edges = _segment_edges(width)
    return (edges[:-1] + edges[1:] - width) / 2


def _end_indices(inside: np.ndarray) -> np.ndarray:
    """Computes `_LineGrid.ends` from `_LineGrid.inside`."""
    num_slopes, num_segments, height = inside.shape
    first = inside.argmax(1)
    backwards = inside[:, ::-1]
    last = num_segments - 1 - backwards.argmax(1)
    segments = np.stack([first, first + 1, last, last - 1], 1)
    segments = segments.clip(0, num_segments - 1)
    slopes = np.arange(num_slopes)[:, None, None]
    rows = np.arange(height)
    return (slopes * num_segments + segments) * height + rows


def _ink_at_ends(profile: np.ndarray, grid: _LineGrid) -> np.ndarray:
    """Returns the ink at the weaker end of each line, `float32 (slopes, height)`.

    The last segment may lie in a shadow, so the last two count as the end.
    """
    ends = profile.ravel().take(grid.ends)
    left = ends[:, :2].max(1)
    right = ends[:, 2:].max(1)
    return np.minimum(left, right)


class _RowBands(NamedTuple):
    """Rows that the lines through the middle of each row may cross.

    Attributes:
      first: `int (segments, height)`, index of the first row, in a flattened
        `(segments, height + 1)` array.
      end: the same for the row after the last.
      length: `float64 (height,)`, number of segments of the steepest line in the
        image, or half of all if there are fewer.
    """

    first: np.ndarray
    end: np.ndarray
    length: np.ndarray


@lru_cache(maxsize=16)
def _row_bands(height: int, width: int) -> _RowBands:
    """Computes the bands of all rows."""
    steepest = math.radians(_THRESHOLDS.max_slope_degrees)
    distances = np.abs(_segment_offsets(width))
    depth = np.ceil(math.tan(steepest) * distances).astype(int)
    depth = np.maximum(depth, depth[::-1])
    depth = depth[:, None]
    num_segments = len(depth)
    rows = np.arange(height)
    num_above = (rows < depth).sum(0)
    num_below = (rows + depth >= height).sum(0)
    length = num_segments - (num_above + num_below) / 2
    min_length = _THRESHOLDS.min_length_share * num_segments
    segment_starts = (height + 1) * np.arange(num_segments)
    first = np.maximum(rows - depth, 0)
    end = np.minimum(rows + depth + 1, height)
    return _RowBands(
        first + segment_starts[:, None],
        end + segment_starts[:, None],
        np.maximum(length, min_length),
    )


def _may_contain_line(segments: np.ndarray, width: int) -> bool:
    """Tells whether enough segments have ink near one row.

    This takes far less time than to measure every line.

    Args:
      segments: `float32 (segments, height)`, mean ink.
      width: number of columns of the image.
    """
    num_segments, height = segments.shape
    bands = _row_bands(height, width)
    covered = segments > _THRESHOLDS.min_segment_ink
    counts = np.zeros((num_segments, height + 1), np.int32)
    np.cumsum(covered, axis=1, out=counts[:, 1:])
    has_ink = counts.take(bands.end) > counts.take(bands.first)
    min_covered = _THRESHOLDS.min_covered_share * bands.length
    may_be_line = has_ink.sum(0) > min_covered
    return bool(may_be_line.any())
