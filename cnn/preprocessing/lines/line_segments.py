"""Finds straight lines that may end inside an image, and the pixels of each."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.lines.line_detection import Line
from cnn.preprocessing.lines.line_strips import Strip, find_line_extent, sample_pixels
from cnn.preprocessing.lines.section_runs import find_longest_run
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.line_segments


class LineSegment(NamedTuple):
    """A nearly horizontal line of limited length.

    Attributes:
      rows: `int (pixels,)`, rows of its pixels with the antialiased edges.
      columns: `int (pixels,)`, columns of the same pixels.
      is_stroke: `bool (pixels,)`, pixels that belong to strokes across the line, too.
      length: in pixels.
      ends: x and y of its first and its last point, in pixels.
      ends_at_border: whether the first and the last point are at the image border.
    """

    rows: np.ndarray
    columns: np.ndarray
    is_stroke: np.ndarray
    length: float
    ends: tuple[tuple[float, float], tuple[float, float]]
    ends_at_border: tuple[bool, bool]

    @property
    def is_horizontal(self) -> bool:
        """Whether the line is wider than high."""
        (first_x, first_y), (last_x, last_y) = self.ends
        return last_x - first_x >= last_y - first_y

    def transpose(self) -> "LineSegment":
        """Exchanges rows and columns."""
        (first_x, first_y), (last_x, last_y) = self.ends
        ends = ((first_y, first_x), (last_y, last_x))
        return self._replace(rows=self.columns, columns=self.rows, ends=ends)


def find_line_segments(
    foreground: np.ndarray, ink_threshold: float
) -> list[LineSegment]:
    """Finds nearly horizontal lines, the longest first.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.

    Example:
      >>> page = np.zeros((60, 80), np.float32)
      >>> page[20, 10:70] = 200
      >>> [segment] = find_line_segments(page, ink_threshold=20)
      >>> segment.length, segment.ends
      (60.0, ((10.0, 20.0), (69.0, 20.0)))
    """
    remaining = (foreground > ink_threshold).astype(np.uint8)
    segments: list[LineSegment] = []
    num_rejected = 0
    min_length = _THRESHOLDS.min_length * max(foreground.shape)
    for _ in range(_THRESHOLDS.max_lines):
        run = find_longest_run(remaining, min_length)
        if run is None:
            break
        segment = _measure_segment(foreground, ink_threshold, *run)
        if segment is None:
            num_rejected += 1
            if num_rejected > _THRESHOLDS.max_rejected:
                break
            _erase_path(remaining, *run)
            continue
        segments.append(segment)
        remaining[segment.rows, segment.columns] = 0
        # Much shorter lines are kept in any case.
        shortest = _THRESHOLDS.length_shares[0] * segment.length
        min_length = max(min_length, shortest)
    return sorted(segments, key=lambda segment: -segment.length)


def _erase_path(mask: np.ndarray, line: Line, first: int, end: int) -> None:
    """Sets the pixels along a line, from one column to another, to 0."""
    height, width = mask.shape
    columns = np.arange(first, end)
    path = np.rint(line.rows_at(columns, width)).astype(int)
    rows = (path + np.array([[-1], [0], [1]])).clip(0, height - 1)
    mask[rows, columns] = 0


def _measure_segment(
    foreground: np.ndarray, ink_threshold: float, line: Line, first: int, end: int
) -> LineSegment | None:
    """Measures the pixels of a line. Returns None if it is too wide for one.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.
      line: the line.
      first: first column of the run of sections.
      end: column after its last.
    """
    strip = _straighten(foreground, line)
    drawn = np.sort(strip.levels[:, first:end], axis=1)
    profile = drawn[:, int(_THRESHOLDS.profile_quantile * drawn.shape[1])]
    # The line may be in a row beside the path.
    reach = len(profile) // 2
    shift = int(profile[reach - 1 : reach + 2].argmax()) - 1
    top, bottom = find_line_extent(np.roll(profile, -shift))
    top, bottom = top + shift, bottom + shift
    if top <= 0 or bottom >= len(profile) - 1:
        return None
    first, last = _find_ends(strip.levels[top + 1 : bottom], ink_threshold, first, end)
    length = (last + 1 - first) * float(np.hypot(1, line.slope))
    min_length = _THRESHOLDS.min_length * max(foreground.shape)
    min_length = max(min_length, _THRESHOLDS.min_aspect_ratio * (bottom - top - 1))
    if length < min_length:
        return None
    return _collect_pixels(strip, ink_threshold, (top, bottom), (first, last), length)


def _straighten(foreground: np.ndarray, line: Line) -> Strip:
    """Cuts out the rows along a line."""
    height, width = foreground.shape
    columns = np.arange(width)
    path = np.rint(line.rows_at(columns, width)).astype(int)
    reach = height // _THRESHOLDS.height_per_profile_row
    reach = max(reach, _THRESHOLDS.min_profile_rows)
    rows = path + np.arange(-reach, reach + 1)[:, None]
    levels, inside = sample_pixels(foreground, rows, columns)
    return Strip(levels, rows, inside, foreground.shape)


def _find_ends(
    levels: np.ndarray, ink_threshold: float, first: int, end: int
) -> tuple[int, int]:
    """Returns the first and the last column of the longest part without large gaps.

    Args:
      levels: `float32 (rows, width)`, the rows of the line.
      ink_threshold: smallest level of ink, exclusive.
      first: first column of the run.
      end: column after its last.
    """
    width = levels.shape[1]
    max_gap = max(_THRESHOLDS.min_gap, _THRESHOLDS.max_gap * width)
    inked = np.flatnonzero(levels.max(axis=0) > ink_threshold)
    parts = np.split(inked, np.flatnonzero(np.diff(inked) > max_gap) + 1)
    parts = [
        part for part in parts if part.size and part[-1] >= first and part[0] < end
    ]
    if not parts:
        return first, first
    longest = max(parts, key=np.ptp)
    return int(longest[0]), int(longest[-1])


def _collect_pixels(
    strip: Strip,
    ink_threshold: float,
    extent: tuple[int, int],
    columns: tuple[int, int],
    length: float,
) -> LineSegment:
    """Collects the pixels of a line with its edges.

    Args:
      strip: the strip along the line.
      ink_threshold: smallest level of ink, exclusive.
      extent: first and last row of the line in the strip.
      columns: its first and last column.
      length: in pixels.
    """
    top, bottom = extent
    first, last = columns
    width = strip.levels.shape[1]
    drawn = slice(max(first - 1, 0), last + 2)
    rows = strip.rows[top : bottom + 1, drawn]
    inside = strip.inside[top : bottom + 1, drawn]
    is_stroke = _crosses(strip, ink_threshold, top, bottom)[:, drawn]
    all_columns = np.broadcast_to(np.arange(width)[drawn], rows.shape)
    middle = (top + bottom) // 2
    first_row, last_row = strip.rows[middle, [first, last]].tolist()
    margin = _THRESHOLDS.border_margin
    # A tilted line may leave the image at the top or bottom.
    beyond_first = max(first - margin, 0)
    beyond_last = min(last + margin, width - 1)
    is_first_at_border = first <= margin or not strip.inside[middle, beyond_first]
    is_last_at_border = last >= width - 1 - margin
    is_last_at_border |= not strip.inside[middle, beyond_last]
    return LineSegment(
        rows=rows[inside],
        columns=all_columns[inside],
        is_stroke=np.broadcast_to(is_stroke, rows.shape)[inside],
        length=length,
        ends=((float(first), float(first_row)), (float(last), float(last_row))),
        ends_at_border=(bool(is_first_at_border), bool(is_last_at_border)),
    )


def _crosses(strip: Strip, ink_threshold: float, top: int, bottom: int) -> np.ndarray:
    """Tells in which columns ink is on both sides of a line, `bool (1, width)`."""
    above = (strip.levels[top - 1] > ink_threshold).astype(np.uint8)
    below = (strip.levels[bottom + 1] > ink_threshold).astype(np.uint8)
    # A slanted stroke meets the two sides of the line in different columns.
    half_width = (bottom - top) // 2 + 1
    kernel = np.ones((1, 2 * half_width + 1), np.uint8)
    spread_above = cv2.dilate(above[None], kernel)
    spread_below = cv2.dilate(below[None], kernel)
    return (spread_above > 0) & (spread_below > 0)
