"""Computes the paths of all candidate lines through the segments of an image.

A segment is a group of adjacent columns. Within a segment, a line stays in one row.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.ruled_lines


def candidate_slopes() -> np.ndarray:
    """Returns the slopes that are tried, `float64 (slopes,)`, in rows per column."""
    steepest = _THRESHOLDS.max_slope_degrees
    degrees = np.arange(-steepest, steepest + 1.0)
    return np.tan(np.deg2rad(degrees))


def segment_edges(width: int) -> np.ndarray:
    """Returns the first column of each segment, and the end of the last one."""
    num_segments = min(_THRESHOLDS.num_segments, width)
    indices = np.arange(num_segments + 1)
    return indices * width // num_segments


def _segment_offsets(width: int) -> np.ndarray:
    """Returns the distance of each segment's middle from the image's, in columns."""
    edges = segment_edges(width)
    starts = edges[:-1]
    ends = edges[1:]
    return (starts + ends - width) / 2


class LineGrid(NamedTuple):
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
def compute_line_grid(height: int, width: int) -> LineGrid:
    """Computes the paths of all lines."""
    offsets = _segment_offsets(width)
    num_segments = len(offsets)
    slopes = candidate_slopes()
    rises = slopes[:, None] * offsets
    whole_rises = np.rint(rises).astype(int)
    rows = np.arange(height) + whole_rises[:, :, None]
    inside = (rows >= 0) & (rows < height)
    segments = np.arange(num_segments)[:, None]
    nearest_rows = rows.clip(0, height - 1)
    indices = np.ravel_multi_index((segments, nearest_rows), (num_segments, height))
    min_length = _THRESHOLDS.min_length_share * num_segments
    length = np.maximum(inside.sum(1), min_length)
    return LineGrid(
        indices=indices,
        inside=inside,
        length=length.astype(np.float32),
        ends=_end_indices(inside),
    )


def _end_indices(inside: np.ndarray) -> np.ndarray:
    """Computes `LineGrid.ends` from `LineGrid.inside`."""
    num_slopes, num_segments, height = inside.shape
    last_segment = num_segments - 1
    first = inside.argmax(1)
    backwards = inside[:, ::-1]
    last = last_segment - backwards.argmax(1)
    second = first + 1
    second_last = last - 1
    segments = np.stack([first, second, last, second_last], axis=1)
    segments = segments.clip(0, last_segment)
    slopes = np.arange(num_slopes)[:, None, None]
    rows = np.arange(height)
    return np.ravel_multi_index((slopes, segments, rows), inside.shape)


class RowBands(NamedTuple):
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
def compute_row_bands(height: int, width: int) -> RowBands:
    """Computes the bands of all rows."""
    steepest = math.radians(_THRESHOLDS.max_slope_degrees)
    distances = np.abs(_segment_offsets(width))
    max_rises = math.tan(steepest) * distances
    max_rises = np.ceil(max_rises).astype(int)
    max_rises = np.maximum(max_rises, max_rises[::-1])
    num_segments = len(max_rises)
    rows = np.arange(height)
    highest = rows - max_rises[:, None]
    lowest = rows + max_rises[:, None]
    num_above = (highest < 0).sum(0)
    num_below = (lowest >= height).sum(0)
    length = num_segments - (num_above + num_below) / 2
    min_length = _THRESHOLDS.min_length_share * num_segments
    first_rows = np.maximum(highest, 0)
    end_rows = np.minimum(lowest + 1, height)
    segments = np.arange(num_segments)[:, None]
    shape = (num_segments, height + 1)
    return RowBands(
        first=np.ravel_multi_index((segments, first_rows), shape),
        end=np.ravel_multi_index((segments, end_rows), shape),
        length=np.maximum(length, min_length),
    )
