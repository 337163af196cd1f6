"""Finds straight lines that may end inside an image, and the pixels of each.

The ink of sections of the columns is averaged once per row. A line is a path through
these averages, and its longest run of covered sections is the part that is drawn.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.line_detection import ADJACENT_ROWS, Line
from cnn.preprocessing.line_strips import Strip, find_line_extent, sample_pixels
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
        run = _find_longest_run(remaining, min_length)
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


class _Grid(NamedTuple):
    """Paths of all lines through the sections of an image of one shape.

    Attributes:
      slopes: `float64 (slopes,)`, rows per column.
      indices: `int (sections, slopes, height)`, index of each line's row in each
        section, in a flattened `(sections, height + 1)` array whose last row is blank.
    """

    slopes: np.ndarray
    indices: np.ndarray


@lru_cache(maxsize=16)  # The images of a folder often have the same shape.
def _compute_grid(height: int, width: int) -> _Grid:
    edges = _section_edges(width)
    offsets = (edges[:-1] + edges[1:] - width) / 2
    steepest = _THRESHOLDS.max_slope_degrees
    degrees = np.linspace(-steepest, steepest, _THRESHOLDS.num_slopes)
    slopes = np.tan(np.deg2rad(degrees))
    rises = np.rint(offsets[:, None] * slopes).astype(int)
    rows = np.arange(height) + rises[..., None]
    is_outside = (rows < 0) | (rows >= height)
    rows[is_outside] = height
    sections = np.arange(len(offsets))[:, None, None]
    return _Grid(slopes, sections * (height + 1) + rows)


def _section_edges(width: int) -> np.ndarray:
    """Returns the first column of each section, and the end of the last one."""
    num_sections = min(_THRESHOLDS.num_sections, width)
    return np.arange(num_sections + 1) * width // num_sections


def _find_longest_run(
    mask: np.ndarray, min_length: float
) -> tuple[Line, int, int] | None:
    """Finds the line with most ink in adjacent sections.

    Args:
      mask: `uint8 (height, width)`, 1 on ink and 0 elsewhere.
      min_length: in pixels.

    Returns:
      The line, its first column and the column after its last, or None.
    """
    height, width = mask.shape
    sections = _average_sections(mask)
    min_sections = max(
        _THRESHOLDS.min_covered_sections,
        int(np.ceil(min_length / width * len(sections))) - 1,
    )
    if not _may_contain_run(sections, min_sections, width):
        return None
    grid = _compute_grid(height, width)
    covered = sections > _THRESHOLDS.min_section_ink
    num_covered = covered.ravel().take(grid.indices).sum(axis=0, dtype=np.uint8)
    # One section in three may be a gap that is bridged.
    is_candidate = num_covered >= min_sections - min_sections // 3
    candidates = np.flatnonzero(is_candidate)
    if not candidates.size:
        return None
    indices = grid.indices.reshape(len(grid.indices), -1).take(candidates, axis=1)
    runs = _measure_runs(sections.ravel().take(indices))
    scores = np.where(runs.count >= min_sections, runs.ink, 0)
    best = int(scores.argmax())
    if scores[best] <= 0:
        return None
    slope_index, row = np.divmod(candidates[best], height)
    line = Line(float(row), float(grid.slopes[slope_index]))
    edges = _section_edges(width)
    end = int(runs.end[best])
    first = end - int(runs.count[best])
    return line, int(edges[first]), int(edges[end])


def _may_contain_run(sections: np.ndarray, min_sections: int, width: int) -> bool:
    """Tells whether enough adjacent sections have ink near one row.

    This takes far less time than to measure every line.

    Args:
      sections: `float32 (sections, height + 1)`, mean ink.
      min_sections: smallest number of sections.
      width: number of columns of the image.
    """
    if min_sections > len(sections):
        return False
    covered = (sections > _THRESHOLDS.min_section_ink).astype(np.uint8)
    # A gap of one section may be bridged.
    covered = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    steepest = np.tan(np.deg2rad(_THRESHOLDS.max_slope_degrees))
    reach = int(np.ceil(steepest * min_sections * width / len(sections) / 2)) + 1
    near = cv2.dilate(covered, np.ones((1, 2 * reach + 1), np.uint8))
    run = np.ones((min_sections, 1), np.uint8)
    eroded = cv2.erode(near, run, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return bool(eroded.any())


def _average_sections(mask: np.ndarray) -> np.ndarray:
    """Averages the ink in each section, `float32 (sections, height + 1)`.

    Ink in an adjacent row counts, because a line may lie between two rows. The last
    row is blank.
    """
    weighted = cv2.dilate(mask, ADJACENT_ROWS) + np.float32(0.2) * mask
    edges = _section_edges(mask.shape[1])
    sums = np.add.reduceat(weighted, edges[:-1], axis=1)
    means = sums / np.diff(edges).astype(np.float32)
    padded = np.zeros((means.shape[1], len(means) + 1), np.float32)
    padded[:, :-1] = means.T
    return padded


class _Runs(NamedTuple):
    """The longest run of covered sections of every line.

    Attributes:
      ink: `float32 (lines,)`, sum of the sections' mean ink.
      count: `int32 (lines,)`, number of sections.
      end: `int32 (lines,)`, section after the last.
    """

    ink: np.ndarray
    count: np.ndarray
    end: np.ndarray


def _measure_runs(profile: np.ndarray) -> _Runs:
    """Measures runs of sections.

    Args:
      profile: `float32 (sections, lines)`, mean ink.
    """
    covered = profile > _THRESHOLDS.min_section_ink
    covered[1:-1] |= covered[:-2] & covered[2:]
    ink = np.zeros(profile.shape[1:], np.float32)
    count = np.zeros(profile.shape[1:], np.int32)
    best_ink, best_count = ink.copy(), count.copy()
    best_end = count.copy()
    for index, (section, is_covered) in enumerate(zip(profile, covered, strict=True)):
        ink = (ink + section) * is_covered
        count = (count + 1) * is_covered
        is_best = ink > best_ink
        np.copyto(best_ink, ink, where=is_best)
        np.copyto(best_count, count, where=is_best)
        best_end[is_best] = index + 1
    return _Runs(best_ink, best_count, best_end)


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
    return Strip(levels, rows, inside)


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
    return (spread_above & spread_below) > 0
