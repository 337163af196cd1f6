"""Finds combs on a page: rows of printed cells for one digit each.

The sides of the cells are short vertical lines of one height, at equal distances, that
stand on a printed rule.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.text_lines.page_components import PageComponents
from cnn.preprocessing.text_lines.page_groups import chain_neighbors

# Shortest side of a cell, in pixels of the working page.
_MIN_LENGTH = 9
# Thickest side of a cell, in pixels.
_MAX_WIDTH = 7
# Largest slant of a side, in pixels per pixel: a page lies a little askew.
_MAX_SLANT = 0.08
# Distance from a rule at which a side still touches it, in pixels.
_TOUCH = 3
# Largest distance of neighboring sides, as a fraction of their length. The teeth of a
# comb may be a third as high as its cells.
_MAX_PITCH = 6.0
# Largest ratio of the lengths of neighboring sides.
_MAX_LENGTH_RATIO = 1.25
# Smallest number of sides of a comb: two cells.
_MIN_SIDES = 3
# The same where the ends of the rule show two more: teeth are lower than the ends.
_MIN_TEETH = 2
# Largest deviation of the width of a cell from the median, as a fraction of it.
_MAX_PITCH_DEVIATION = 0.2
# Sides nearer than this fraction of the widest distance are those of two boxes.
_MAX_BOX_GAP = 0.45
# Share of the height of a cell, at each end, in which its own rules lie.
_END_SHARE = 0.15
# Smallest share of the width of a row that a rule across a table covers, and of the
# cells that it crosses: a long stroke of a digit crosses one or two.
_MIN_CROSSING_SHARE = 0.5
_MIN_CROSSED_CELLS = 0.5
# Smallest share of a cell's width that the rule below it covers.
_MIN_RULE_SHARE = 0.8
# Height of a digit in a comb, in widths of a cell.
_MAX_DIGIT_HEIGHT = 1.6
# Longest side, in widths of a cell. Longer ones divide the columns of a table.
_MAX_CELL_HEIGHT = 2.5


class Comb(NamedTuple):
    """A row of cells.

    Attributes:
      sides: `float (n,)`, columns of the sides of the cells, from the left.
      top: row of the upper end of the highest side.
      bottom: row of the lower end of the lowest side.
    """

    sides: np.ndarray
    top: float
    bottom: float

    @property
    def pitch(self) -> float:
        """Width of a cell, in pixels."""
        return float(np.median(np.diff(self.sides)))


def find_combs(
    strokes: np.ndarray, rules: np.ndarray, slope: float = 0.0
) -> tuple[list[Comb], np.ndarray]:
    """Finds combs, and removes the sides of their cells from strokes.

    Args:
      strokes: `uint8 (height, width)`, 1 for ink without rules.
      rules: `uint8 (height, width)`, 1 for printed rules.
      slope: of the text lines, in pixels per pixel.

    Returns:
      The combs, and the strokes without sides of cells.
    """
    lines, boxes = _find_sides(strokes, rules)
    if len(boxes) < _MIN_TEETH:
        return [], strokes
    group = chain_neighbors(boxes, slope, _MAX_PITCH, _MAX_LENGTH_RATIO)
    combs = []
    removed = np.zeros_like(strokes)
    for i in range(group.max() + 1):
        comb = _to_comb(boxes[group == i])
        if comb is None or _is_crossed(comb, rules):
            continue
        extended = _extend(comb, rules)
        # Two teeth are those of three cells.
        if len(comb.sides) >= _MIN_SIDES or len(extended.sides) == len(comb.sides) + 2:
            combs.append(extended)
            _mark_sides(removed, lines, extended)
    return combs, strokes & (1 - removed)


def _find_sides(
    strokes: np.ndarray, rules: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds straight vertical lines that touch a rule.

    Returns:
      The lines, `uint8 (height, width)`, and their boxes, `int (n, 4)`, sorted by the
      left side.
    """
    lines = _vertical_lines(strokes | rules)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lines)
    left, top, width, height, _ = stats[1:].T
    boxes = np.stack([left, top, left + width, top + height], 1)
    is_line = width <= np.maximum(_MAX_WIDTH, _MAX_SLANT * height)
    reach = np.ones((2 * _TOUCH + 1, 2 * _TOUCH + 1), np.uint8)
    near_rules = cv2.dilate(rules & (1 - lines), reach)
    touches = np.zeros(count, bool)
    touches[labels[near_rules > 0]] = True
    boxes = boxes[is_line & touches[1:]]
    return lines, boxes[np.argsort(boxes[:, 0], kind="stable")]


def _vertical_lines(ink: np.ndarray) -> np.ndarray:
    """Finds vertical runs of ink that are thin, `uint8`."""
    runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((_MIN_LENGTH, 1), np.uint8))
    thick = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((1, _MAX_WIDTH), np.uint8))
    return np.where(thick > 0, np.uint8(0), runs)


def _to_comb(members: np.ndarray) -> Comb | None:
    """Makes a chain of lines a comb if their distances are equal."""
    sides = _merge_near((members[:, 0] + members[:, 2]) / 2)
    if len(sides) < _MIN_TEETH:
        return None
    pitch = float(np.median(np.diff(sides)))
    length = float(np.median(members[:, 3] - members[:, 1]))
    cells = np.rint(np.diff(sides) / pitch)
    deviation = np.abs(np.diff(sides) / pitch - cells)
    is_regular = (deviation <= _MAX_PITCH_DEVIATION).all() and cells.max() <= 2
    if not is_regular or length > _MAX_CELL_HEIGHT * pitch:
        return None
    filled = np.interp(
        np.arange(cells.sum() + 1), np.concatenate([[0], np.cumsum(cells)]), sides
    )
    return Comb(filled, float(members[:, 1].min()), float(members[:, 3].max()))


def _is_crossed(comb: Comb, rules: np.ndarray) -> bool:
    """Tells whether a rule crosses the cells between their ends, as in a table."""
    margin = max(_END_SHARE * (comb.bottom - comb.top), 2 * _MAX_WIDTH)
    rows = slice(round(comb.top + margin), max(round(comb.bottom - margin), 0))
    num_crossed = 0
    for left, right in zip(comb.sides[:-1], comb.sides[1:], strict=True):
        inside = rules[rows, round(left) + _MAX_WIDTH : round(right) - _MAX_WIDTH]
        if inside.size:
            num_crossed += bool(inside.mean(axis=1).max() >= _MIN_CROSSING_SHARE)
    return num_crossed >= _MIN_CROSSED_CELLS * (len(comb.sides) - 1)


def _extend(comb: Comb, rules: np.ndarray) -> Comb:
    """Adds a cell at an end whose side is hidden, if the rule goes on for one cell."""
    sides, pitch = comb.sides, comb.pitch
    if _rule_length(comb, rules, sides[-1], 1) == 1:
        sides = np.append(sides, sides[-1] + pitch)
    if _rule_length(comb, rules, sides[0], -1) == 1:
        sides = np.insert(sides, 0, sides[0] - pitch)
    return comb._replace(sides=sides)


def _rule_length(comb: Comb, rules: np.ndarray, side: float, direction: int) -> int:
    """Counts the cells, up to two, that the rule below goes on beyond an end."""
    rows = slice(max(round(comb.bottom) - _MAX_WIDTH, 0), round(comb.bottom) + _TOUCH)
    for cell in range(2):
        ends = sorted(
            side + direction * comb.pitch * np.array([cell + 0.2, cell + 0.8])
        )
        columns = slice(max(round(ends[0]), 0), max(round(ends[1]), 0))
        has_rule = rules[rows, columns].any(axis=0)
        if not has_rule.size or has_rule.mean() < _MIN_RULE_SHARE:
            return cell
    return 2


def _mark_sides(removed: np.ndarray, lines: np.ndarray, comb: Comb) -> None:
    """Marks the vertical lines at the sides of a comb's cells in `removed`."""
    bottom = int(comb.bottom) + 2
    # The ends of a comb may be as high as a box.
    end_top = min(comb.top, comb.bottom - _MAX_DIGIT_HEIGHT * comb.pitch)
    last = len(comb.sides) - 1
    for i, side in enumerate(comb.sides.tolist()):
        top = end_top if i in (0, last) else comb.top
        rows = slice(max(int(top) - 1, 0), bottom)
        columns = slice(max(round(side) - _MAX_WIDTH, 0), round(side) + _MAX_WIDTH)
        target = removed[rows, columns]
        target |= cv2.dilate(lines[rows, columns], NEIGHBORHOOD[:1])


def _merge_near(columns: np.ndarray) -> np.ndarray:
    """Replaces the sides of two boxes beside each other by their mean.

    It does so in a row of boxes, where there are two sides between any two cells.
    """
    if len(columns) < 2:
        return columns
    gaps = np.diff(columns)
    starts = np.concatenate([[True], gaps > _MAX_BOX_GAP * gaps.max()])
    group = np.cumsum(starts) - 1
    sizes = np.bincount(group)
    if (sizes[1:-1] != 2).any() or sizes[0] != 1 or sizes[-1] != 1:
        return columns
    return np.bincount(group, columns) / sizes


def assign_to_combs(characters: PageComponents, combs: list[Comb]) -> np.ndarray:
    """Finds the comb in which each character is written.

    Returns:
      `int (N,)`, index of the comb, or -1.
    """
    assigned = np.full(len(characters.label), -1)
    x, y = characters.center.T
    for i, comb in enumerate(combs):
        # Teeth of a comb are lower than the digits between them.
        top = min(comb.top, comb.bottom - _MAX_DIGIT_HEIGHT * comb.pitch)
        is_inside = (x > comb.sides[0]) & (x < comb.sides[-1])
        is_inside &= (y > top) & (y < comb.bottom + comb.pitch / 4)
        is_inside &= characters.height < 2 * _MAX_DIGIT_HEIGHT * comb.pitch
        assigned[is_inside] = i
    return assigned
