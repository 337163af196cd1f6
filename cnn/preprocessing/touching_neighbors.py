"""Cuts pieces of neighbors off the character of a crop, where they touch it.

A minimal seam separates both: a path from the top to the bottom of the image that
crosses as little ink as possible (Avidan and Shamir, "Seam carving for content-aware
image resizing", 2007).
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.components import Selection
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.neighbors


class _Piece(NamedTuple):
    """A piece of a neighbor.

    Attributes:
      mask: `bool (height, width)`, its pixels, or none.
      weight: prior odds that they belong to a neighbor.
    """

    mask: np.ndarray
    weight: float


def cut_neighbors(
    foreground: np.ndarray, selection: Selection, contrast: float
) -> Selection | None:
    """Cuts off what enters from the left and right edge.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      selection: the components of the character.
      contrast: level of the strongest ink.

    Returns:
      The rest, or None if there is no piece of a neighbor.
    """
    mask = selection.mask
    touches_left = bool(mask[:, 0].any())
    touches_right = bool(mask[:, -1].any())
    if not (touches_left or touches_right):
        return None
    ink = np.where(mask, np.clip(foreground / contrast, 0, 1), 0).astype(np.float32)
    stroke_width = _measure_stroke_width(mask)
    pieces = []
    if touches_left:
        pieces.append(_find_piece(ink, mask, stroke_width))
    if touches_right:
        mirrored = _find_piece(ink[:, ::-1], mask[:, ::-1], stroke_width)
        pieces.append(mirrored._replace(mask=mirrored.mask[:, ::-1]))
    cut = np.any([piece.mask for piece in pieces], axis=0)
    rest = mask & ~cut
    if not cut.any() or not rest.any():
        return None
    weight = float(np.prod([piece.weight for piece in pieces]))
    left, top, width, height = cv2.boundingRect(rest.astype(np.uint8))
    box = np.array([left, top, left + width, top + height])
    return selection._replace(mask=rest, box=box, weight=weight)


def _measure_stroke_width(mask: np.ndarray) -> float:
    """Returns the mean width of the strokes of `bool (height, width)`, in pixels."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    # The mean distance to the edge, across a stroke, is a quarter of its width.
    return max(1.0, 4 * float(distance[mask].mean()) - 1)


def _find_piece(ink: np.ndarray, mask: np.ndarray, stroke_width: float) -> _Piece:
    """Finds the piece of a neighbor at the left edge.

    Args:
      ink: `float32 (height, width)` in [0, 1], the character's coverage.
      mask: `bool (height, width)`, the character's pixels.
      stroke_width: in pixels.
    """
    nothing = _Piece(np.zeros_like(mask), 1.0)
    seam = _find_seam(ink, stroke_width)
    if seam is None:
        return nothing
    rows = np.arange(len(ink))
    crossed_strokes = ink[rows, seam].sum() / stroke_width
    num_runs = _count_runs(mask[rows, seam])
    if num_runs <= 1:
        weight = _THRESHOLDS.cut_weight
        max_crossed = _THRESHOLDS.max_crossed_width
    else:
        weight = _THRESHOLDS.double_cut_weight
        max_crossed = _THRESHOLDS.max_crossed_widths
    if crossed_strokes > max_crossed:
        return nothing
    piece = mask & (np.arange(ink.shape[1]) <= seam[:, None])
    num_rows = np.count_nonzero(piece.any(1))
    min_rows = _THRESHOLDS.min_piece_height * np.count_nonzero(mask.any(1))
    share = np.count_nonzero(piece) / np.count_nonzero(mask)
    is_piece = num_rows > min_rows and piece[:, 0].any()
    is_piece = is_piece and share < _THRESHOLDS.max_piece_share
    return _Piece(piece, weight) if is_piece else nothing


def _count_runs(values: np.ndarray) -> int:
    """Counts the runs of True in `bool (N,)`."""
    starts = values[1:] & ~values[:-1]
    return int(values[0]) + int(np.count_nonzero(starts))


def _find_seam(ink: np.ndarray, stroke_width: float) -> np.ndarray | None:
    """Finds the path between the left edge and the middle that crosses least ink.

    Returns:
      `int (height,)`, its column in each row. None if the image is too narrow.
    """
    height, width = ink.shape
    last = int((0.5 - _THRESHOLDS.middle_zone) * width)
    if last < 1 or height < 2:
        return None
    # Of equal paths the inner one is better: it cuts off more of the neighbor.
    outside = np.maximum(last - np.arange(width), 0) / last
    cost = ink + _THRESHOLDS.edge_cost * stroke_width / height * outside
    middle = height // 2
    cost[middle, last:] = np.inf
    total = cost.astype(np.float32)
    steps = np.empty((height, width), np.int8)
    for row in range(1, height):
        best, steps[row] = _cheapest_step(total[row - 1])
        total[row] += best
    return _trace_back(total[-1], steps)


def _cheapest_step(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least cost of each pixel's three upper neighbors, and its offset."""
    padded = np.pad(costs + np.float32(_THRESHOLDS.diagonal_cost), 1, mode="edge")
    padded[[0, -1]] = np.inf
    neighbors = np.stack([padded[:-2], costs, padded[2:]])
    choice = neighbors.argmin(0)
    best = np.take_along_axis(neighbors, choice[None], 0)[0]
    return best, choice - 1


def _trace_back(costs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Returns the columns of the cheapest path, from the costs of the last row."""
    height = len(steps)
    seam = np.empty(height, int)
    seam[-1] = costs.argmin()
    for row in range(height - 1, 0, -1):
        seam[row - 1] = seam[row] + steps[row, seam[row]]
    return seam
