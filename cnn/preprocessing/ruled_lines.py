"""Printed lines, as of ruled and squared paper, taken off a picture while the ink that crosses them stays.

A rule is a thin straight line from edge to edge, nearly level or nearly upright. It is found by summing
the ink along every such line (the Radon transform, over a few angles), and subtracted as the profile
that most of its length has, so that pale rules under dark ink go, too.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing import background
from cnn.preprocessing.thresholds import THRESHOLDS, SegmentationThresholds

_NUM_SEGMENTS = 12  # In so many pieces a line is looked at.
_SEGMENT_INK = 0.35  # The mean ink of a piece that has some on its whole length.
_MAX_LINES = 16  # Lines a direction.


class Line(NamedTuple):
    """A nearly level line.

    Attributes:
      middle: the row at which it crosses the middle column.
      slope: rows a column.
    """

    middle: float
    slope: float

    def rows(self, width: int) -> np.ndarray:
        """Returns its row at each column, `float (width,)`."""
        return self.middle + self.slope * (np.arange(width) - (width - 1) / 2)


def remove_ruled_lines(
    strength: np.ndarray, faintest: float, limits: SegmentationThresholds = THRESHOLDS
) -> np.ndarray:
    """Takes rules off.

    Args:
      strength: `float32 (height, width)`, by how much each pixel differs from the paper.
      faintest: the least strength that is ink.
      limits: what counts as a rule.

    Returns:
      The strength without the rules.
    """
    soft = np.clip(strength / np.float32(faintest), 0, 1)
    level, upright = (
        find_ruled_lines(soft, limits),
        find_ruled_lines(np.ascontiguousarray(soft.T), limits),
    )
    if not level and not upright:
        return strength
    taken = np.zeros(strength.shape, bool)
    for line in level:
        strength = _subtract_line(strength, soft, line, upright, taken)
    turned, soft = np.ascontiguousarray(strength.T), np.ascontiguousarray(soft.T)
    for line in upright:
        turned = _subtract_line(turned, soft, line, level, taken.T)
    return _remove_residues(np.ascontiguousarray(turned.T), taken, faintest)


def _remove_residues(
    strength: np.ndarray, taken: np.ndarray, faintest: float
) -> np.ndarray:
    """Drops what is left on the lines' own ways and reaches nowhere beyond them."""
    count, labels = cv2.connectedComponents((strength > faintest).astype(np.uint8))
    of = labels[labels > 0]
    rest = np.bincount(labels[taken], minlength=count) > 0.8 * np.bincount(
        of, minlength=count
    )
    rest[0] = False
    return np.where(rest[labels], np.float32(0), strength) if rest.any() else strength


def find_ruled_lines(
    soft: np.ndarray, limits: SegmentationThresholds = THRESHOLDS
) -> list[Line]:
    """Finds the nearly level lines that cross a picture.

    Args:
      soft: `float32 (height, width)`, from 0, paper, to 1, ink.
      limits: what counts as a rule.

    Returns:
      The lines, the clearest first.

    Example:
      >>> page = np.zeros((60, 80), np.float32)
      >>> page[20] = 1
      >>> find_glyphs(page)
      [Line(middle=20.0, slope=0.0)]
    """
    # A line may run between two rows, or between two of the angles that are tried.
    soft = np.maximum(soft, 0.9 * cv2.dilate(soft, np.ones((3, 1), np.uint8)))
    scale = min(1.0, limits.rule_side / max(soft.shape))
    if scale < 1:
        soft = cv2.resize(
            soft,
            None,
            fx=scale,
            fy=scale,
            interpolation=background.downscale_interpolation(scale),
        )
    height, width = soft.shape
    slopes, clear, reach = (
        _candidate_slopes(limits.rule_slope),
        _line_scores(soft, limits),
        _clear_margin(height),
    )
    # Rows at the left end, in the middle and at the right end of every line that was tried.
    ends = np.arange(height) + slopes[:, None] * (width - 1) / 2
    lines: list[Line] = []
    while len(lines) < _MAX_LINES and clear.max() > 0:
        angle, row = np.unravel_index(clear.argmax(), clear.shape)
        lines.append(Line((float(row) + 0.5) / scale - 0.5, float(slopes[angle])))
        rows = np.arange(height)
        for other, mine in (
            (rows, row),
            (ends, ends[angle, row]),
            (2 * rows - ends, 2 * row - ends[angle, row]),
        ):
            clear[np.broadcast_to(np.abs(other - mine) <= reach + 1, clear.shape)] = 0
    return lines


def _clear_margin(height: int) -> int:
    """How many rows beside a line are to be free of it."""
    return max(3, height // 40)


class _LineGrid(NamedTuple):
    """Where the lines that are tried lie, in a picture of one shape.

    Attributes:
      at: of every line in each piece, which of the pieces' rows it is, `int (slopes, pieces, height)`.
      inside: whether that row is one of the picture.
      length: how many pieces of a line are inside, or half of all, `(slopes, height)`.
      ends: where in all of that the first and the last two pieces are, `int (slopes, 4, height)`.
    """

    at: np.ndarray
    inside: np.ndarray
    length: np.ndarray
    ends: np.ndarray


def _segment_edges(width: int) -> np.ndarray:
    """Returns the columns at which pieces begin, and the last one ends."""
    pieces = min(_NUM_SEGMENTS, width)
    return np.arange(pieces + 1) * width // pieces


def _segment_offsets(width: int) -> np.ndarray:
    """Returns how many columns the middle of each piece lies behind that of the picture."""
    edges = _segment_edges(width)
    return (edges[:-1] + edges[1:] - width) / 2


@lru_cache(maxsize=16)  # The pictures of a folder often have one shape.
def _line_grid(height: int, width: int, steepest: int) -> _LineGrid:
    shift = np.rint(
        _candidate_slopes(steepest)[:, None] * _segment_offsets(width)
    ).astype(int)
    rows, pieces = np.arange(height) + shift[:, :, None], shift.shape[1]
    inside = (rows >= 0) & (rows < height)
    first, last = inside.argmax(1), pieces - 1 - inside[:, ::-1].argmax(1)
    ends = np.stack([first, first + 1, last, last - 1], 1).clip(
        0, pieces - 1
    ) * height + np.arange(height)
    ends += pieces * height * np.arange(len(shift))[:, None, None]
    length = np.maximum(inside.sum(1), 0.5 * pieces).astype(np.float32)
    return _LineGrid(
        rows.clip(0, height - 1) + height * np.arange(pieces)[:, None],
        inside,
        length,
        ends,
    )


def _candidate_slopes(steepest: int) -> np.ndarray:
    return np.tan(np.deg2rad(np.arange(-steepest, steepest + 1.0)))


def _line_scores(soft: np.ndarray, limits: SegmentationThresholds) -> np.ndarray:
    """Returns how far each line stands out, `(slopes, height)`; 0 for what is no rule."""
    height, width = soft.shape
    edges = _segment_edges(width)
    pieces = np.add.reduceat(soft, edges[:-1], axis=1) / np.diff(edges).astype(
        np.float32
    )
    pieces = np.ascontiguousarray(pieces.T)
    if not _could_contain_line(pieces, width, limits):
        return np.zeros((1, height), np.float32)
    grid = _line_grid(height, width, limits.rule_slope)
    along = pieces.ravel().take(grid.at) * grid.inside
    mean = along.sum(1) / grid.length
    # The very end may be in a shadow or bend away, so one of the last two pieces does.
    ends = along.ravel().take(grid.ends)
    at_ends = np.minimum(ends[:, :2].max(1), ends[:, 2:].max(1))
    reach = _clear_margin(height)
    padded = cv2.copyMakeBorder(mean, 0, 0, reach, reach, cv2.BORDER_CONSTANT, value=0)
    beside = np.maximum(padded[:, : -2 * reach], padded[:, 2 * reach :])
    # A full line is one even where a stroke runs beside it.
    least, above, at_both_ends = limits.rule_ink
    stands_out = (mean - beside > above) | ((mean > 0.85) & (mean - beside > above / 2))
    rule = (mean > least) & stands_out & (at_ends > at_both_ends)
    rule &= (along > _SEGMENT_INK).sum(1) > limits.rule_length * grid.length
    return np.where(rule, mean - beside, 0)


class _RowBands(NamedTuple):
    """About each row, the rows in which the lines through it may lie in each piece, `int (pieces, height)`.

    Attributes:
      first: the first of them, and
      after: the one after the last, as places in `(pieces, height + 1)`.
      length: how many pieces of the steepest line are inside, or half of all, `(height,)`.
    """

    first: np.ndarray
    after: np.ndarray
    length: np.ndarray


@lru_cache(maxsize=16)
def _row_bands(height: int, width: int, steepest: int) -> _RowBands:
    rows, slope = np.arange(height), math.tan(math.radians(steepest))
    deep = np.ceil(slope * np.abs(_segment_offsets(width))).astype(int)[:, None]
    deep = np.maximum(deep, deep[::-1])
    pieces = len(deep)
    # What leaves the picture above, and what leaves it below.
    length = pieces - ((rows < deep).sum(0) + (rows + deep >= height).sum(0)) / 2
    of_piece = (height + 1) * np.arange(pieces)[:, None]
    first, after = np.maximum(rows - deep, 0), np.minimum(rows + deep + 1, height)
    return _RowBands(
        first + of_piece, after + of_piece, np.maximum(length, 0.5 * pieces)
    )


def _could_contain_line(
    pieces: np.ndarray, width: int, limits: SegmentationThresholds
) -> bool:
    """Tells whether enough pieces have ink about one row: far less work than to try all lines there."""
    bands = _row_bands(pieces.shape[1], width, limits.rule_slope)
    counts = np.zeros((len(pieces), pieces.shape[1] + 1), np.int32)
    np.cumsum(pieces > _SEGMENT_INK, axis=1, out=counts[:, 1:])
    near = counts.take(bands.after) > counts.take(bands.first)
    return bool((near.sum(0) > limits.rule_length * bands.length).any())


_TURNS, _SHIFTS = (
    grid.ravel()
    for grid in np.meshgrid(np.linspace(-0.008, 0.008, 5), np.arange(-2, 2.1, 0.5))
)


def _refine(soft: np.ndarray, line: Line) -> Line:
    """Tries lines close by, and returns the one along which most ink lies."""
    height, width = soft.shape
    slopes, middles = line.slope + _TURNS, line.middle + _SHIFTS
    columns = np.arange(0, width, 3)  # A third of them tells as much.
    rows = np.rint(
        middles[:, None] + slopes[:, None] * (columns - (width - 1) / 2)
    ).astype(int)
    inside = (rows >= 0) & (rows < height)
    along = soft[rows.clip(0, height - 1), columns] * inside
    best = int((along.sum(1) / np.maximum(inside.sum(1), 1)).argmax())
    return Line(float(middles[best]), float(slopes[best]))


def _subtract_line(
    strength: np.ndarray,
    soft: np.ndarray,
    line: Line,
    crossing: list[Line],
    taken: np.ndarray,
) -> np.ndarray:
    """Takes one line off, and joins what it had cut, but not the lines of the other direction.

    Its pixels are marked in `taken`.
    """
    height, width = strength.shape
    path = np.rint(_refine(soft, line).rows(width)).astype(int)
    reach = max(3, height // 50) + 2
    rows = path + np.arange(-reach, reach + 1)[:, None]
    inside = (rows >= 0) & (rows < height)
    strip = strength[rows.clip(0, height - 1), np.arange(width)] * inside
    profile = np.partition(strip, width // 2, axis=1)[:, width // 2]
    top, bottom = _line_extent(profile)
    above, below = strip[max(top - 1, 0)], strip[min(bottom + 1, 2 * reach)]
    # A slanted stroke meets the two sides of the line at different places.
    spread = np.ones((1, 2 * ((bottom - top) // 2) + 3), np.uint8)
    bridge = np.minimum(
        cv2.dilate(above[None], spread), cv2.dilate(below[None], spread)
    )
    for other in crossing:
        at = other.middle + other.slope * (path - (height - 1) / 2)
        bridge[:, np.abs(np.arange(width) - at) <= reach] = 0
    line_of = strip[top : bottom + 1]
    # Where the line runs between two rows, each has some of it.
    widest = cv2.dilate(np.maximum(profile, 0)[:, None], np.ones((3, 1)))[
        top : bottom + 1
    ]
    less = np.maximum(line_of - 1.4 * widest, 0)
    strip[top : bottom + 1] = np.maximum(less, np.minimum(bridge, line_of))
    strength = strength.copy()
    columns = np.broadcast_to(np.arange(width), rows.shape)
    strength[rows[inside], columns[inside]] = strip[inside]
    own = inside & (
        np.abs(np.arange(2 * reach + 1)[:, None] - (top + bottom) / 2)
        <= (bottom - top) / 2 + 1
    )
    taken[rows[own], columns[own]] = True
    return strength


def _line_extent(profile: np.ndarray) -> tuple[int, int]:
    """Returns the first and last row of a line's profile, with its soft edges."""
    middle = len(profile) // 2
    strong = profile > 0.25 * profile[middle]
    top = middle - int(np.cumprod(strong[middle::-1]).sum()) + 1
    bottom = middle + int(np.cumprod(strong[middle:]).sum()) - 1
    return max(min(top, middle) - 1, 0), min(max(bottom, middle) + 1, len(profile) - 1)
