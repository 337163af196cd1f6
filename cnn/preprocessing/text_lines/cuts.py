"""Proposes cuts between touching digits, by minimal seams from top to bottom.

The number is cut in more places than there are characters, the cheapest first.
"""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.text_lines.seams import SLOPES, find_seams
from cnn.preprocessing.text_lines.working_ink import WorkingInk, row_shifts, shift_rows

# Lengths are fractions of a digit's height.
# Narrower components are not cut.
_MIN_WIDTH = 0.42
# Wider ones are no digits that touch, and are not cut either.
_MAX_WIDTH = 15
# Least height of a component that is cut.
_MIN_HEIGHT = 0.4
# Distance of the columns near which seams are searched, and of the first from the edge.
_COLUMN_STEP = 0.09
_EDGE = 0.1
# Least ink on each side of a seam, and between two of them: the product of a stroke's
# width and this fraction of a digit's height.
_MIN_PART = 0.45
_MIN_BETWEEN = 0.15
_MIN_FIRST_BETWEEN = 0.3
# Cost of the ink that a seam crosses, per width of a stroke: less than 1, as a seam
# along the contact of two strokes crosses much.
_INK_COST = 0.7
# Cost of each stroke that a seam crosses besides the first: where digits touch, it
# crosses one.
_STROKE_COST = 0.7
# A part that is lower than this fraction of its component is hardly a digit, and what
# it costs, in strokes.
_SURE_HEIGHT = 0.75
_LOW_PART_COST = 2.0
# Ink of a row, in pixels, from which on it belongs to a part.
_MIN_ROW_INK = 0.5
# Highest cost of a cut, in strokes, by the width of a component that has it: a narrow
# one is hardly two digits.
_MAX_COST_NARROW = 1.7
_MAX_COST_WIDE = 4.0
_NARROW = 1.3
_MAX_CROSSED_WIDE = 3.2
_NARROW = 0.8
_WIDE = 1.15
# Advantage of a cut at a printed border over others, in strokes: more than any crosses.
_BORDER_PRIORITY = 1000
# Most cuts of a component: fragments count them in the bits of an integer.
MAX_CUTS = 61
# Most cuts of a component, by its width.
_CUT_WIDTHS = (0.4, 0.8, 1.2, 2.0)
_MAX_CUTS = (1, 3, 6, 11)
# A part with less ink than this is hardly a digit, and what it costs, in strokes.
_SURE_PART = 0.8
_SMALL_PART_COST = 1.0


class Cuts(NamedTuple):
    """Cuts through components, sorted by component and by the ink on their left.

    Cuts may cross: they are alternatives.

    Attributes:
      component: `int (N,)`, label of the component that each divides.
      seams: `int (N, height)`, first column on the right of it in each row, in the ink
        without its slant.
      ink: `float64 (N,)`, ink that it crosses, in pixels.
      before: `float64 (N,)`, ink of the component on its left, in pixels.
    """

    component: np.ndarray
    seams: np.ndarray
    ink: np.ndarray
    before: np.ndarray


def find_cuts(ink: WorkingInk, borders: np.ndarray) -> Cuts:
    """Finds cuts through the components that may hold several digits.

    Args:
      ink: of the line.
      borders: `float64 (N,)`, columns of printed borders between digits, or none.

    Returns:
      The cuts, by component and from the left.
    """
    shifts = row_shifts(len(ink.mask), ink.slant)
    mask = shift_rows(ink.mask, shifts)
    labels = shift_rows(ink.labels, shifts)
    component, column, is_border = _propose_columns(ink, labels, shifts, borders)
    if not len(component):
        empty = np.zeros(0)
        return Cuts(component, np.zeros((0, len(mask)), int), empty, empty)
    seams, crossed, num_strokes = find_seams(ink, mask, labels, component, column)
    repeats = len(SLOPES)
    cuts = Cuts(np.tile(component, repeats), seams, crossed, np.zeros(len(seams)))
    cost = _INK_COST * crossed / ink.stroke_width + _STROKE_COST * np.maximum(
        num_strokes - 1, 0
    )
    cost[np.tile(is_border, repeats)] -= _BORDER_PRIORITY
    return _select(ink, mask, labels, cuts, cost)


def component_extents(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Returns the first column of each component and the one after the last.

    Args:
      labels: `int (height, width)`.
      num_labels: number of labels, including the background's, 0.

    Returns:
      `int (num_labels, 2)`, (0, 0) for the background.
    """
    extents = np.zeros((num_labels, 2), int)
    rows, columns = np.nonzero(labels)
    of_pixel = labels[rows, columns]
    extents[:, 0] = labels.shape[1]
    np.minimum.at(extents[:, 0], of_pixel, columns)
    np.maximum.at(extents[:, 1], of_pixel, columns + 1)
    extents[0] = 0
    return extents


def _propose_columns(
    ink: WorkingInk, labels: np.ndarray, shifts: np.ndarray, borders: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Proposes columns, of the ink without its slant, near which seams are searched.

    Returns:
      `int (N,)`, the component of each, `int (N,)`, the column, and `bool (N,)`,
      whether a border is there.
    """
    height = ink.digit_height
    extents = component_extents(labels, ink.num_labels)
    heights = ink.boxes[:, 3] - ink.boxes[:, 1]
    widths = extents[:, 1] - extents[:, 0]
    is_cut = (widths >= _MIN_WIDTH * height) & (widths <= _MAX_WIDTH * height)
    is_cut &= heights >= _MIN_HEIGHT * height
    is_cut[0] = False
    step = max(_COLUMN_STEP * height, 1.0)
    middle_shift = shifts[len(shifts) // 2]
    components, columns, are_borders = [], [], []
    for label in np.flatnonzero(is_cut).tolist():
        left, right = extents[label]
        inner = np.arange(left + _EDGE * height, right - _EDGE * height, step)
        at_borders = borders + middle_shift
        inside = at_borders[(at_borders > left) & (at_borders < right)]
        of_component = np.concatenate([inner, inside]).astype(int)
        columns.append(of_component)
        components.append(np.full(len(of_component), label))
        are_borders.append(np.arange(len(of_component)) >= len(inner))
    if not columns:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool)
    return (
        np.concatenate(components),
        np.concatenate(columns),
        np.concatenate(are_borders),
    )


def _select(
    ink: WorkingInk,
    mask: np.ndarray,
    labels: np.ndarray,
    cuts: Cuts,
    cost: np.ndarray,
) -> Cuts:
    """Keeps the cuts at borders and the cheapest that differ, of each component."""
    kept = []
    height = ink.digit_height
    extents = component_extents(labels, ink.num_labels)
    for label in np.unique(cuts.component).tolist():
        left, right = extents[label]
        width = (right - left) / height
        of_label = np.flatnonzero(cuts.component == label)
        own = np.where(labels[:, left:right] == label, mask[:, left:right], 0)
        seams = np.clip(cuts.seams[of_label] - left, 0, right - left)
        before = _ink_before(own, seams)
        cuts.before[of_label] = before.sum(1)
        part_cost = _weigh_parts(ink, before, own.sum(1))
        total_cost = cost[of_label] + part_cost
        max_cost = np.interp(
            width, [_NARROW, _WIDE], [_MAX_COST_NARROW, _MAX_COST_WIDE]
        )
        possible = np.flatnonzero(total_cost <= max_cost)
        possible = possible[np.argsort(total_cost[possible], kind="stable")]
        in_rows = before[possible] / (height * ink.stroke_width)
        kept += of_label[possible[_choose(in_rows, _limit_cuts(width))]].tolist()
    return Cuts(*(values[kept] for values in cuts))


def _weigh_parts(ink: WorkingInk, before: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Computes the cost of seams whose parts are hardly digits: low or little ink.

    Args:
      ink: of the line.
      before: `float64 (N, height)`, ink on the left of each seam in each row.
      whole: `float32 (height,)`, ink of the component in each row.

    Returns:
      `float64 (N,)`, in strokes, infinite for parts that are no digit.
    """
    parts = np.stack([before, whole - before])
    area = parts.sum(2).min(0) / (ink.digit_height * ink.stroke_width)
    has_ink = parts > _MIN_ROW_INK
    heights = has_ink.shape[2] - has_ink.argmax(2) - has_ink[:, :, ::-1].argmax(2)
    share = heights.min(0) / np.count_nonzero(whole > _MIN_ROW_INK)
    cost = _SMALL_PART_COST * np.maximum(_SURE_PART - area, 0)
    cost += _LOW_PART_COST * np.maximum(_SURE_HEIGHT - share, 0)
    return np.where(area >= _MIN_PART, cost, np.inf)


def _limit_cuts(width: float) -> int:
    """Returns the most cuts of a component, by its width in heights of a digit."""
    slope = (_MAX_CUTS[-1] - _MAX_CUTS[-2]) / (_CUT_WIDTHS[-1] - _CUT_WIDTHS[-2])
    beyond = slope * max(width - _CUT_WIDTHS[-1], 0)
    limit = round(float(np.interp(width, _CUT_WIDTHS, _MAX_CUTS)) + beyond)
    return min(limit, MAX_CUTS)


def _ink_before(own: np.ndarray, seams: np.ndarray) -> np.ndarray:
    """Adds up the ink on the left of each seam in each row, `float64 (N, height)`.

    Args:
      own: `float32 (height, width)`, ink of a component.
      seams: `int (N, height)`, in [0, width].
    """
    cumulative = np.zeros((own.shape[0], own.shape[1] + 1))
    np.cumsum(own, axis=1, out=cumulative[:, 1:])
    return cumulative[np.arange(len(own)), seams]


def _choose(before: np.ndarray, limit: int) -> list[int]:
    """Chooses seams that divide the ink differently.

    Args:
      before: `float64 (N, height)`, ink on the left of each in each row. The first
        seams are the best.
      limit: most of them.

    Returns:
      Their indices, from the left.
    """
    chosen: list[int] = []
    # First seams that are far apart, then others between them.
    for least in (_MIN_FIRST_BETWEEN, _MIN_BETWEEN):
        for index in range(len(before)):
            if len(chosen) == limit:
                break
            difference = np.abs(before[index] - before[chosen]).sum(1)
            if (difference >= least).all():
                chosen.append(index)
    return sorted(chosen, key=lambda index: float(before[index].sum()))
