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


def sample_paths(segments: np.ndarray, rises: np.ndarray) -> np.ndarray:
    """Returns the values along all lines.

    Args:
      segments: `(segments, height)`, a value for each row of each segment.
      rises: `int (slopes, segments)`, distance of each line's row in each segment from
        its row in the middle of the image.

    Returns:
      `(slopes, segments, height)`, 0 outside the image.
    """
    num_segments, height = segments.shape
    reach = int(rises.max())
    padded = np.zeros((num_segments, height + 2 * reach), segments.dtype)
    padded[:, reach : reach + height] = segments
    starts = np.arange(num_segments) * padded.shape[1] + reach + rises
    # A line of one slope, in one segment, is a window of the segment's rows. NumPy's
    # `sliding_window_view` takes longer than all the rest.
    windows = np.ndarray(
        (padded.size - height + 1, height),
        padded.dtype,
        padded,
        0,
        2 * padded.strides[1:],
    )
    return windows[starts]


class LineGrid(NamedTuple):
    """Paths of all lines through the segments of an image of one shape.

    Attributes:
      rises: `int (slopes, segments)`, distance of each line's row in each segment from
        its row in the middle of the image.
      length: `float32 (slopes, height)`, number of a line's segments in the image, or
        half of all if there are fewer.
    """

    rises: np.ndarray
    length: np.ndarray

    def sample(self, segments: np.ndarray) -> np.ndarray:
        """Returns the ink of each line in each segment.

        Args:
          segments: `float32 (segments, height)`, mean ink.

        Returns:
          `float32 (slopes, segments, height)`, 0 outside the image.
        """
        return sample_paths(segments, self.rises)

    def ends(self, slopes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the first two and the last two segments of lines in the image.

        Args:
          slopes: `int (lines,)`, index of the slope of each line.
          rows: `int (lines,)`, its row in the middle of the image.

        Returns:
          `int (lines, 4)`: the first segment, the second, the last and the one before.
        """
        crossed = rows[:, None] + self.rises[slopes]
        inside = (crossed >= 0) & (crossed < self.length.shape[1])
        last_segment = inside.shape[1] - 1
        first = inside.argmax(1)
        last = last_segment - inside[:, ::-1].argmax(1)
        ends = np.stack([first, first + 1, last, last - 1], axis=1)
        return ends.clip(0, last_segment)


@lru_cache(maxsize=16)  # The images of a folder often have the same shape.
def compute_line_grid(height: int, width: int) -> LineGrid:
    """Computes the paths of all lines."""
    offsets = _segment_offsets(width)
    rises = np.rint(candidate_slopes()[:, None] * offsets).astype(int)
    inside = sample_paths(np.ones((len(offsets), height), np.float32), rises)
    min_length = _THRESHOLDS.min_length_share * len(offsets)
    length = np.maximum(inside.sum(1), np.float32(min_length))
    return LineGrid(rises, length)


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
    starts = (height + 1) * np.arange(num_segments)[:, None]
    return RowBands(
        first=starts + first_rows,
        end=starts + end_rows,
        length=np.maximum(length, min_length),
    )
