"""Finds minimal seams through components of a text line, from top to bottom.

A seam crosses as little ink as possible (Avidan and Shamir, "Seam carving for
content-aware image resizing", 2007), near a given line.
The seams of many columns are found at once.
"""

import numpy as np

from cnn.preprocessing.text_lines.working_ink import WorkingInk

# Power of the coverage in the costs: more than 1 leads seams along the lighter border
# between two strokes.
_DARKNESS_POWER = 2
# How far a seam may go from its column.
_REACH = 0.3
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
    slope: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the minimal seam near each column through its component.

    Args:
      ink: of the line.
      mask: `float32 (height, width)`, its coverage without the slant.
      labels: `int32 (height, width)`, its components without the slant.
      component: `int (N,)`, label of the component of each seam.
      column: `int (N,)`, near which it is searched, in the middle row.
      slope: of the line near which it is searched, in pixels to the right per pixel
        upwards.

    Returns:
      `int (N, height)`, the column of each in each row, and `float64 (N,)`, the ink
      that it crosses, in pixels.
    """
    reach = max(2, round(_REACH * ink.digit_height))
    middle = (len(mask) - 1) / 2
    lean = slope * (middle - np.arange(len(mask))[:, None])
    start = column + np.rint(lean).astype(int)
    margin = reach + round(abs(slope) * middle) + 1
    offsets = np.arange(2 * reach + 1)
    window = start[:, :, None] + (offsets - reach + margin)
    # Rows first, so that each step reads neighboring memory.
    in_row = np.arange(len(mask))[:, None, None]
    sides = ((0, 0), (margin, margin))
    own = np.pad(labels, sides)[in_row, window] == component[:, None]
    crossed = np.where(own, np.pad(mask, sides)[in_row, window], 0).astype(np.float32)
    weighted = crossed**_DARKNESS_POWER
    per_row = ink.stroke_width / ink.digit_height
    deviation = np.abs(offsets - reach) / reach
    cost = weighted + np.float32(per_row * _DEVIATION_COST) * deviation.astype(
        np.float32
    )
    diagonal = np.float32(per_row * _DIAGONAL_COST) + _DIAGONAL_INK * weighted
    path = _trace_back(*_accumulate(cost, diagonal.astype(np.float32)))
    rows = np.arange(len(mask))
    ink_of_seam = crossed[rows[:, None], np.arange(len(column)), path].sum(0)
    seams = (path + start - reach).T
    return seams, ink_of_seam.astype(float)


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
