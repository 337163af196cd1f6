"""Straightens the rows along a line into a strip, and measures the line's profile."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.lines.line_detection import Line
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.ruled_lines


class Strip(NamedTuple):
    """The rows along a line, straightened so that the line is the middle row.

    Attributes:
      levels: `float32 (rows, width)`, levels above the background, 0 outside the image.
      rows: `int (rows, width)`, rows of the image.
      inside: `bool (rows, width)`, whether these rows are in the image.
      image_shape: height and width of the image.
    """

    levels: np.ndarray
    rows: np.ndarray
    inside: np.ndarray
    image_shape: tuple[int, ...]


def straighten_line(foreground: np.ndarray, line: Line, widening: int = 1) -> Strip:
    """Cuts out the strip along a line.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      line: the middle of the strip.
      widening: multiple of the usual number of rows.
    """
    height, width = foreground.shape
    columns = np.arange(width)
    path = line.rows_at(columns, width)
    path = np.rint(path).astype(int)
    profile_rows = height // _THRESHOLDS.height_per_profile_row
    profile_rows = max(_THRESHOLDS.min_profile_rows, profile_rows)
    reach = widening * (profile_rows + _THRESHOLDS.crossing_rows)
    offsets = np.arange(-reach, reach + 1)
    rows = path + offsets[:, None]
    levels, inside = sample_pixels(foreground, rows, columns)
    return Strip(levels, rows, inside, foreground.shape)


def median_profile(levels: np.ndarray) -> np.ndarray:
    """Returns the upper median level of each row, `float32 (rows,)`."""
    middle = levels.shape[1] // 2
    partitioned = np.partition(levels, middle, axis=1)
    return partitioned[:, middle]


def line_profile(levels: np.ndarray, min_level: float) -> np.ndarray:
    """Returns the level of a line in each row, without a stroke that runs along it.

    The base of a 2 on a rule covers half of the rule and more. So the profile is
    measured where there is no such stroke, if the line is paler in a fourth of the
    columns than in half of them.

    Args:
      levels: `float32 (rows, width)`, the line in the middle row.
      min_level: smallest level of a line. An interrupted line has less in its gaps.

    Returns:
      `float32 (rows,)`.
    """
    middle = len(levels) // 2
    width = levels.shape[1]
    # The sum is the same for a line between two rows, and the mean of some columns for
    # the steps of a slanted line.
    along = np.maximum(levels[middle - 2 : middle + 3], 0).sum(0)
    num_columns = max(1, width // _THRESHOLDS.width_per_mean)
    along = cv2.blur(along[None], (num_columns, 1))[0]
    ranks = (width // 4, width // 2)
    partitioned = np.partition(along, ranks)
    quartile, median = partitioned[list(ranks)].tolist()
    if quartile > min_level and median > _THRESHOLDS.min_stroke_ratio * quartile:
        return median_profile(levels[:, along <= quartile])
    return median_profile(levels)


def find_line_extent(profile: np.ndarray) -> tuple[int, int]:
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
    first = int(mask.argmin())
    return len(mask) if mask[first] else first


def image_pixels(strip: Strip, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows and columns in the image of a strip's rows `first` to `last`."""
    selected = slice(first, last + 1)
    inside = strip.inside[selected]
    rows = strip.rows[selected][inside]
    _, columns = np.nonzero(inside)
    return rows, columns


def sample_pixels(
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
