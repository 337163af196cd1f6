"""Finds minimal seams through components of a text line, from top to bottom.

A seam crosses as little ink as possible (Avidan and Shamir, "Seam carving for
content-aware image resizing", 2007), near a given line.
The seams of many columns are found at once.
"""

import numpy as np

from cnn.preprocessing.text_lines.working_ink import INK_THRESHOLD, WorkingInk

# Power of the coverage in the costs: more than 1 leads seams along the lighter border
# between two strokes.
_DARKNESS_POWER = 2
# Slopes of the lines near which seams are searched, in pixels to the right per pixel
# upwards, beyond the slant of the hand.
SLOPES = (0.0, -0.35, 0.35)
# How far a seam may go from its column.
_REACH = 0.22
# Cost of a seam that stays at its reach for the height of a digit, in stroke widths.
_DEVIATION_COST = 6.0
# Cost of a diagonal step, as a fraction of that of the pixel that it enters: a
# diagonal is longer. And in stroke widths for the height of a digit, in the background.
_DIAGONAL_INK = 0.2
_DIAGONAL_COST = 0.15


def find_seams(
    ink: WorkingInk,
    mask: np.ndarray,
    labels: np.ndarray,
    component: np.ndarray,
    column: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Finds the minimal seams near each column through its component, one per slope.

    Args:
      ink: of the line.
      mask: `float32 (height, width)`, its coverage without the slant.
      labels: `int32 (height, width)`, its components without the slant.
      component: `int (N,)`, label of the component of each seam, sorted.
      column: `int (N,)`, near which it is searched, in the middle row.

    Returns:
      `int (slopes * N, height)`, the column of each in each row, those of a slope
      after each other, `float64 (slopes * N,)`, the ink that it crosses, in pixels,
      and `int (slopes * N,)`, the number of strokes that it crosses.
    """
    reach = max(2, round(_REACH * ink.digit_height))
    rows = np.arange(len(mask))
    leans = [_lean(len(mask), slope) for slope in SLOPES]
    crossed = np.concatenate(
        [_cut_windows(mask, labels, component, column, x, reach) for x in leans], axis=1
    )
    path = _trace_back(*_accumulate(*_weigh(ink, crossed)))
    index = np.arange(crossed.shape[1])
    along = crossed[rows[:, None], index, path]
    is_ink = along > INK_THRESHOLD
    num_strokes = (is_ink[1:] & ~is_ink[:-1]).sum(0) + is_ink[0]
    starts = [column[:, None] + lean - reach for lean in leans]
    seams = path.T + np.concatenate(starts)
    return seams, along.sum(0).astype(float), num_strokes


def _lean(height: int, slope: float) -> np.ndarray:
    """Returns how far a line of a slope lies from its middle, `int (height,)`."""
    return np.rint(slope * ((height - 1) / 2 - np.arange(height))).astype(int)


def _cut_windows(
    mask: np.ndarray,
    labels: np.ndarray,
    component: np.ndarray,
    column: np.ndarray,
    lean: np.ndarray,
    reach: int,
) -> np.ndarray:
    """Cuts out the ink of a component around each line.

    Returns:
      `float32 (height, N, 2 * reach + 1)`. Rows come first, so that each step of the
      dynamic programming reads neighboring memory.
    """
    margin = reach + int(np.abs(lean).max()) + 1
    sides = ((0, 0), (margin, margin))
    # Column c is column c - reach of the line, in the middle row.
    index = lean[:, None] + np.arange(mask.shape[1] + 2 * reach) + margin - reach
    rows = np.arange(len(mask))[:, None]
    leaning_mask = np.pad(mask, sides)[rows, index]
    leaning_labels = np.pad(labels, sides)[rows, index]
    windows = []
    for label in np.unique(component).tolist():
        columns = column[component == label]
        first = int(columns.min())
        inside = np.s_[:, first : int(columns.max()) + 2 * reach + 1]
        own = np.where(leaning_labels[inside] == label, leaning_mask[inside], 0)
        views = np.lib.stride_tricks.sliding_window_view(own, 2 * reach + 1, axis=1)
        windows.append(views[:, columns - first])
    return np.concatenate(windows, axis=1).astype(np.float32)


def _weigh(ink: WorkingInk, crossed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes the costs of the pixels in each window.

    Args:
      ink: of the line.
      crossed: `float32 (height, N, width)`, ink of each pixel.

    Returns:
      `float32 (height, N, width)`, cost of a pixel, and what a diagonal step to it
      costs more.
    """
    weighted = crossed**_DARKNESS_POWER
    per_row = ink.stroke_width / ink.digit_height
    from_middle = np.abs(np.linspace(-1, 1, crossed.shape[2], dtype=np.float32))
    cost = weighted + np.float32(per_row * _DEVIATION_COST) * from_middle
    diagonal = _DIAGONAL_INK * weighted + np.float32(per_row * _DIAGONAL_COST)
    return cost, diagonal.astype(np.float32)


def _accumulate(
    cost: np.ndarray, diagonal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Adds up the costs of the cheapest paths from the top.

    Args:
      cost: `float32 (height, N, width)` of each pixel of each window.
      diagonal: `float32 (height, N, width)`, additional cost of a diagonal step to it.

    Returns:
      `float32 (N, width)`, costs of the paths that end in the last row, and
      `int8 (height, N, width)`, the step from the row above: -1, 0 or 1.
    """
    total = cost[0].copy()
    steps = np.zeros(cost.shape, np.int8)
    padded = np.full((total.shape[0], total.shape[1] + 2), np.inf, np.float32)
    for row in range(1, len(cost)):
        padded[:, 1:-1] = total
        left, right = padded[:, :-2], padded[:, 2:]
        is_right = right < left
        beside = np.where(is_right, right, left) + diagonal[row]
        is_beside = beside < total
        steps[row] = is_beside * (2 * is_right.astype(np.int8) - 1)
        total = np.where(is_beside, beside, total) + cost[row]
    return total, steps


def _trace_back(total: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Returns the columns of the cheapest paths, `int (height, N)`."""
    height, count, _ = steps.shape
    path = np.empty((height, count), int)
    path[-1] = total.argmin(1)
    index = np.arange(count)
    for row in range(height - 1, 0, -1):
        path[row - 1] = path[row] + steps[row, index, path[row]]
    return path
