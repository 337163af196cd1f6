"""Finds the longest straight run of ink, which may end inside an image.

The ink of sections of the columns is averaged once per row. A line is a path through
these averages, and its longest run of covered sections is the part that is drawn.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.lines.candidate_lines import sample_paths
from cnn.preprocessing.lines.line_detection import ADJACENT_ROWS, Line
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.line_segments


class _Grid(NamedTuple):
    """Paths of all lines through the sections of an image of one shape.

    Attributes:
      slopes: `float64 (slopes,)`, rows per column.
      rises: `int (sections, slopes)`, distance of each line's row in each section from
        its row in the middle of the image.
    """

    slopes: np.ndarray
    rises: np.ndarray

    def sample(self, sections: np.ndarray) -> np.ndarray:
        """Returns the values along each line, `(sections, slopes, height)`.

        Args:
          sections: `(sections, height)`, a value for each row of each section. It is
            0 outside the image.
        """
        return sample_paths(sections, self.rises.T).swapaxes(0, 1)


@lru_cache(maxsize=16)  # The images of a folder often have the same width.
def _compute_grid(width: int) -> _Grid:
    edges = _section_edges(width)
    offsets = (edges[:-1] + edges[1:] - width) / 2
    steepest = _THRESHOLDS.max_slope_degrees
    degrees = np.linspace(-steepest, steepest, _THRESHOLDS.num_slopes)
    slopes = np.tan(np.deg2rad(degrees))
    return _Grid(slopes, np.rint(offsets[:, None] * slopes).astype(int))


def _section_edges(width: int) -> np.ndarray:
    """Returns the first column of each section, and the end of the last one."""
    num_sections = min(_THRESHOLDS.num_sections, width)
    return np.arange(num_sections + 1) * width // num_sections


def find_longest_run(
    mask: np.ndarray, min_length: float
) -> tuple[Line, int, int] | None:
    """Finds the line with most ink in adjacent sections.

    Args:
      mask: `uint8 (height, width)`, 1 on ink and 0 elsewhere.
      min_length: in pixels.

    Returns:
      The line, its first column and the column after its last, or None.
    """
    width = mask.shape[1]
    num_sections = len(_section_edges(width)) - 1
    min_sections = max(
        _THRESHOLDS.min_covered_sections,
        int(np.ceil(min_length / width * num_sections)) - 1,
    )
    if min_sections > num_sections:
        return None
    sections = _average_sections(mask)
    if not _may_contain_run(sections, min_sections, width):
        return None
    grid = _compute_grid(width)
    slopes, rows = np.nonzero(_have_run(sections, grid, min_sections))
    if not slopes.size:
        return None
    runs = _measure_runs(grid.sample(sections)[:, slopes, rows])
    scores = np.where(runs.num_sections >= min_sections, runs.ink, 0)
    best = int(scores.argmax())
    if scores[best] <= 0:
        return None
    line = Line(float(rows[best]), float(grid.slopes[slopes[best]]))
    edges = _section_edges(width)
    end = int(runs.end[best])
    first = end - int(runs.num_sections[best])
    return line, int(edges[first]), int(edges[end])


def _may_contain_run(sections: np.ndarray, min_sections: int, width: int) -> bool:
    """Tells whether enough adjacent sections have ink near one row.

    This takes far less time than to measure every line.

    Args:
      sections: `float32 (sections, height)`, mean ink.
      min_sections: smallest number of sections.
      width: number of columns of the image.
    """
    covered = (sections > _THRESHOLDS.min_section_ink).astype(np.uint8)
    # A gap of one section may be bridged.
    bridged = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    steepest = np.tan(np.deg2rad(_THRESHOLDS.max_slope_degrees))
    reach = int(np.ceil(steepest * min_sections * width / len(sections) / 2)) + 1
    near = cv2.dilate(bridged, np.ones((1, 2 * reach + 1), np.uint8))
    run = np.ones((min_sections, 1), np.uint8)
    eroded = cv2.erode(near, run, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return bool(eroded.any())


def _have_run(sections: np.ndarray, grid: _Grid, min_sections: int) -> np.ndarray:
    """Tells which lines have enough adjacent sections with ink.

    The sections of a line are the bits of one number, so that all lines are compared at
    once.

    Args:
      sections: `float32 (sections, height)`, mean ink.
      grid: the paths of the lines.
      min_sections: smallest number of sections.

    Returns:
      `bool (slopes, height)`.
    """
    bits = (1 << np.arange(len(sections))).astype(np.uint32)[:, None]
    covered = (sections > _THRESHOLDS.min_section_ink) * bits
    lines = grid.sample(covered).sum(axis=0, dtype=np.uint32)
    # One section in three may be a gap that is bridged.
    has_ink = np.bitwise_count(lines) >= min_sections - min_sections // 3
    runs = lines | ((lines << 1) & (lines >> 1))
    for _ in range(min_sections - 1):
        runs &= runs >> 1
    return has_ink & (runs > 0)


def _average_sections(mask: np.ndarray) -> np.ndarray:
    """Averages the ink in each section, `float32 (sections, height)`.

    Ink in an adjacent row counts, because a line may lie between two rows.
    """
    weighted = cv2.dilate(mask, ADJACENT_ROWS) + np.float32(0.2) * mask
    edges = _section_edges(mask.shape[1])
    sums = np.add.reduceat(weighted, edges[:-1], axis=1)
    means = sums / np.diff(edges).astype(np.float32)
    return np.ascontiguousarray(means.T)


class _Runs(NamedTuple):
    """The longest run of covered sections of every line.

    Attributes:
      ink: `float32 (lines,)`, sum of the sections' mean ink.
      num_sections: `int32 (lines,)`, number of sections.
      end: `int (lines,)`, section after the last.
    """

    ink: np.ndarray
    num_sections: np.ndarray
    end: np.ndarray


def _measure_runs(profile: np.ndarray) -> _Runs:
    """Measures runs of sections.

    Args:
      profile: `float32 (sections, lines)`, mean ink.
    """
    covered = profile > _THRESHOLDS.min_section_ink
    covered[1:-1] |= covered[:-2] & covered[2:]
    ink = profile * covered
    count = covered.astype(np.int32)
    for i in range(1, len(profile)):
        ink[i] += ink[i - 1] * covered[i]
        count[i] += count[i - 1] * covered[i]
    last = ink.argmax(axis=0)
    lines = np.arange(len(last))
    return _Runs(ink[last, lines], count[last, lines], last + 1)
