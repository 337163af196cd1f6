"""Fits the grid of a comb: cells of one width along a printed rule.

Digits hide some ticks, and their strokes stand on the rule like ticks. Only the
positions of all ticks together tell them apart: they are equidistant.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.text_lines.comb_pitch import (
    MAX_SHIFT,
    TICK_VALUE,
    extend_grid,
    fit_pitch,
)

# Lengths are in heights of a digit unless noted.
# Length of a rule with ticks: three cells.
_MIN_RULE = 2.0
# Least height of a tick, also in pixels, and its greatest width.
_MIN_TICK = 0.1
_MIN_TICK_PIXELS = 3
_MAX_WIDTH = 0.17
# Rows above a rule that are searched.
_REACH = 2.5
# Gap in a tick, or between it and its rule, that is bridged.
_MAX_GAP = 0.07
# Difference in height of ticks, in heights of a tick, and the smallest share of ticks
# that differ less. Digits that stand on a rule are of different heights.
_MAX_DIFFERENCE = 0.15
_MIN_ALIKE = 0.4
# Height of a tick above which it is as high as the frame, as a fraction of the frame's.
_MAX_SHORT = 0.8


class CombGrid(NamedTuple):
    """The borders of the cells of a comb.

    Attributes:
      columns: `float64 (n,)`, middles of the borders, from the left.
      lines: `uint8 (height, width)`, 1 for the pixels of the borders.
      inside: `bool (height, width)`, the inside of its frame.
      score: number of ticks in their places, less that of empty places.
    """

    columns: np.ndarray
    lines: np.ndarray
    inside: np.ndarray
    score: float


class _Rule(NamedTuple):
    """A horizontal rule: its ends, rows of its upper side, and its thickness."""

    left: int
    right: int
    tops: np.ndarray
    thickness: int


class _Ticks(NamedTuple):
    """Ticks on a rule: column of one, and measures of all, in pixels."""

    start: float
    pitch: float
    height: float
    width: int
    highest: float
    score: float


def find_comb_grid(
    inks: list[np.ndarray], horizontal: np.ndarray, digit_height: float
) -> CombGrid | None:
    """Finds equidistant vertical lines of one height that stand on a rule.

    Args:
      inks: `uint8 (height, width)` each, 1 for ink, at several thresholds: pale ticks
        need a low one, and blurred ones a high one.
      horizontal: the same shape, 1 for the pixels of horizontal rules.
      digit_height: height of a digit, in pixels.

    Returns:
      The grid with the most lines, or None without one.
    """
    grids = [_fit(ink, horizontal, digit_height) for ink in inks]
    found = [grid for grid in grids if grid is not None]
    if found:
        return max(found, key=lambda grid: grid.score)
    # The lower rule may be too faint. High lines hang from the upper one as well.
    flipped = _fit(inks[-1][::-1], horizontal[::-1], digit_height)
    if flipped is None:
        return None
    lines, inside = flipped.lines[::-1].copy(), flipped.inside[::-1].copy()
    return flipped._replace(lines=lines, inside=inside)


def _fit(
    binary: np.ndarray, horizontal: np.ndarray, digit_height: float
) -> CombGrid | None:
    """Fits a grid to the lines that stand on any of the rules."""
    rules = _find_rules(horizontal, digit_height)
    grids = [
        _fit_on_rule(binary, rule, _upper_rule(rule, rules), digit_height)
        for rule in rules
    ]
    found = [grid for grid in grids if grid is not None]
    return max(found, key=lambda grid: grid.score, default=None)


def _find_rules(horizontal: np.ndarray, digit_height: float) -> list[_Rule]:
    """Returns the long rules, each as a straight line, the lowest first."""
    if not horizontal.any():
        return []
    gap = np.ones((1, max(3, round(digit_height / 2))), np.uint8)
    joined = cv2.morphologyEx(horizontal, cv2.MORPH_CLOSE, gap)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    rules = []
    for index, (left, top, width, height, _) in enumerate(stats[1:].tolist(), 1):
        if width < _MIN_RULE * digit_height:
            continue
        part = labels[top : top + height, left : left + width] == index
        counts = part.sum(0)
        middles = np.arange(height) @ part / np.maximum(counts, 1)
        used = np.flatnonzero(counts)
        slope, start = np.polyfit(used, middles[used], 1)
        thickness = max(1, int(np.median(counts[used])))
        line = top + start + slope * np.arange(width) - (thickness - 1) / 2
        rules.append(_Rule(left, left + width, np.rint(line).astype(int), thickness))
    return sorted(rules, key=lambda rule: -rule.tops.mean())


def _upper_rule(rule: _Rule, rules: list[_Rule]) -> int | None:
    """Returns the rows to the nearest rule above one, or None."""
    distances = []
    for other in rules:
        left, right = max(rule.left, other.left), min(rule.right, other.right)
        distance = rule.tops.mean() - other.tops.mean() - other.thickness
        is_beside = right - left < (rule.right - rule.left) / 2
        if not is_beside and distance >= 2 * _MIN_TICK_PIXELS:
            distances.append(round(float(distance)))
    return min(distances, default=None)


def _fit_on_rule(
    binary: np.ndarray, rule: _Rule, frame_height: int | None, digit_height: float
) -> CombGrid | None:
    """Fits a grid to the lines that stand on a rule."""
    reach = round(_REACH * digit_height)
    if frame_height is not None:
        reach = min(reach, frame_height)
    strip = _level(binary, rule, reach)
    runs = _run_heights(strip, digit_height)
    least = max(_MIN_TICK_PIXELS, round(_MIN_TICK * digit_height))
    # A blurred rule is uneven, and joins ticks above their feet only.
    fits = [_fit_ticks(runs, scale * least, digit_height) for scale in (1, 2)]
    ticks = max((fit for fit in fits if fit), key=lambda fit: fit.score, default=None)
    if ticks is None:
        return None
    columns = extend_grid(ticks.start, ticks.pitch, rule.right - rule.left)
    rows = strip[: max(1, round(ticks.height))]
    columns = _snap(columns, rows, ticks.width, ticks.pitch)
    full = reach if frame_height is not None else round(ticks.highest)
    is_short = ticks.height <= _MAX_SHORT * full
    height = round((1 + _MAX_DIFFERENCE / 2) * ticks.height + 1) if is_short else full
    lines = np.zeros_like(binary)
    for column in columns[1:-1].tolist():
        _draw(lines, rule, column, ticks.width, height)
    # The ends of a comb may be those of a frame.
    for column in columns[[0, -1]].tolist():
        _draw(lines, rule, column, ticks.width, full)
    inside = _inside(binary.shape, rule, full)
    return CombGrid(columns + rule.left, lines & binary, inside, ticks.score)


def _inside(shape: tuple[int, ...], rule: _Rule, height: int) -> np.ndarray:
    """Marks the rows above a rule, without those at its ends, `bool`."""
    inside = np.zeros(shape, bool)
    rows = np.arange(shape[0])[:, None]
    margin = max(2, rule.thickness // 2)
    is_above = rows < rule.tops - margin
    is_above &= rows >= rule.tops - height + margin
    inside[:, rule.left : rule.right] = is_above
    return inside


def _fit_ticks(runs: np.ndarray, least: int, digit_height: float) -> _Ticks | None:
    """Fits ticks of one height and pitch to the ink that stands on a rule.

    Args:
      runs: `int (width,)`, height of the ink, in pixels.
      least: smallest height of a tick, in pixels.
      digit_height: height of a digit, in pixels.
    """
    middles, heights, widths = _candidates(runs, least, digit_height)
    fit = fit_pitch(middles, digit_height)
    if fit is None:
        return None
    start, pitch, is_tick = fit
    height, share = _most_common(np.sort(heights[is_tick]))
    if share < _MIN_ALIKE:
        return None
    width = max(1, round(float(np.median(widths[is_tick]))))
    score = TICK_VALUE * share * is_tick.sum() - np.rint(len(runs) / pitch)
    return _Ticks(start, pitch, height, width, float(heights.max()), float(score))


def _level(binary: np.ndarray, rule: _Rule, reach: int) -> np.ndarray:
    """Cuts out the rows above a rule, `uint8 (reach, width)`, the lowest row first."""
    rows = rule.tops - 1 - np.arange(reach)[:, None]
    columns = np.arange(rule.left, rule.right)
    inside = (rows >= 0) & (rows < len(binary))
    return np.where(inside, binary[rows.clip(0, len(binary) - 1), columns], 0)


def _run_heights(strip: np.ndarray, digit_height: float) -> np.ndarray:
    """Returns the height of the ink that stands on the rule, `int (width,)`."""
    gap = max(3, round(_MAX_GAP * digit_height) | 1)
    # The rule below the strip is ink as well, and no gap.
    padded = cv2.copyMakeBorder(strip, gap, 0, 0, 0, cv2.BORDER_CONSTANT, value=1)
    kernel = np.ones((gap, 1), np.uint8)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)[gap:]
    # A leaning line continues in the next column.
    closed = np.pad(closed, ((0, 1), (0, 0)))
    return (closed == 0).argmax(0)


def _candidates(
    runs: np.ndarray, least: int, digit_height: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the middles, heights and widths of thin lines on a rule, in pixels."""
    changes = np.diff((runs >= least).astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(changes > 0), np.flatnonzero(changes < 0)
    widths = ends - starts
    is_thin = widths <= max(4, _MAX_WIDTH * digit_height)
    starts, ends, widths = starts[is_thin], ends[is_thin], widths[is_thin]
    heights = np.array(
        [runs[a:b].max() for a, b in zip(starts, ends, strict=True)], float
    )
    return (starts + ends - 1) / 2, heights, widths


def _most_common(heights: np.ndarray) -> tuple[float, float]:
    """Returns the most common height, the lowest of several, and its share."""
    limits = np.maximum(2.0, _MAX_DIFFERENCE * heights)[:, None]
    shares = (np.abs(heights - heights[:, None]) <= limits).mean(1)
    best = int(shares.argmax())
    return float(heights[best]), float(shares[best])


def _snap(
    columns: np.ndarray, strip: np.ndarray, width: int, pitch: float
) -> np.ndarray:
    """Moves places to the nearby columns with the most ink."""
    ink = np.convolve(strip.sum(0), np.ones(width), "same")
    reach = max(1, round(2 * MAX_SHIFT * pitch))
    snapped = []
    for column in np.rint(columns).astype(int).tolist():
        first = max(0, column - reach)
        near = ink[first : column + reach + 1]
        # Equal columns: the middle one.
        best = np.flatnonzero(near >= near.max())
        snapped.append(first + float(np.median(best)))
    return np.array(snapped)


def _draw(
    lines: np.ndarray, rule: _Rule, column: float, width: int, height: int
) -> None:
    """Draws a line that stands on a rule."""
    middle = round(column)
    half = width // 2 + 1
    bottom = int(rule.tops[middle]) + rule.thickness
    top = max(0, int(rule.tops[middle]) - height)
    left = max(0, rule.left + middle - half)
    lines[top:bottom, left : rule.left + middle + half + 1] = 1
