"""Finds straight printed rules in a text line, and removes them under its digits.

A rule is a straight run of ink that is longer than any stroke of a digit. It is found
by morphological openings with line-shaped kernels of nearby directions. Where a stroke
crosses a rule, it has ink on both sides, and is kept.
"""

from functools import lru_cache

import cv2
import numpy as np

# Gap in a rule that is bridged, in pixels: specks of paper in a worn or faint line.
# The same as a fraction of the rule's length.
_MAX_GAP = 3
_MAX_GAP_SHARE = 0.06
# Distance of the points by which an image is excluded, in pixels: as smaller gaps are
# bridged, they meet every other one.
_STEP = 3
# Length from which a horizontal line may waver by a pixel, in pixels. In a lower image
# the strokes of joined digits are as straight.
_MIN_WAVERING = 28
# Smallest share of a rule's length that is ink.
_MIN_INKED = 0.8
# Share of a horizontal rule's columns with ink above or below it, and the same of the
# side with less ink, from which it is a row of strokes that nearly touch. Distance of
# that ink from it, in pixels and as a fraction of its length. Digits that stand on a
# rule leave its other side free.
_MAX_COVERED = 0.7
_MAX_COVERED_SIDE = 0.35
_INK_DISTANCE = 2
_INK_DISTANCE_SHARE = 0.08
# Directions of the kernels on either side of the axis, in degrees: what remains after
# the line is straightened, of perspective and of bent paper.
_DIRECTIONS = (-2.0, -1.0, 0.0, 1.0, 2.0)
# The same of vertical rules, which are shorter, so that coarser steps follow them.
_VERTICAL_DIRECTIONS = (-4.0, -2.0, 0.0, 2.0, 4.0)
# Directions that are tried to straighten a picture by its rules, in degrees.
_SKEWS = tuple(np.arange(-10.0, 10.5, 1.0).tolist())
# Width of the reduced image in which the skew of rules is measured, in pixels.
_SKEW_WIDTH = 240
# Length of a rule that shows the skew, as a fraction of the image's width.
_SKEW_LENGTH = 0.4


def find_horizontal_rules(
    binary: np.ndarray, length: int, directions: tuple[float, ...] = _DIRECTIONS
) -> np.ndarray:
    """Finds nearly horizontal rules.

    Args:
      binary: `uint8 (height, width)`, 1 for ink.
      length: smallest length of a rule, in pixels.
      directions: of rules, in degrees.

    Returns:
      `uint8 (height, width)`, 1 for the pixels of rules.
    """
    rules = np.zeros_like(binary)
    if binary.shape[1] < length:
        return rules
    gap = np.ones((1, max(_MAX_GAP, int(_MAX_GAP_SHARE * length) | 1)), np.uint8)
    bridged = cv2.morphologyEx(binary, cv2.MORPH_CLOSE, gap)
    if directions == _VERTICAL_DIRECTIONS or length >= _MIN_WAVERING:
        bridged = cv2.dilate(bridged, np.ones((3, 1), np.uint8))
    for degrees in _distinct(directions, length):
        np.maximum(rules, _open(bridged, length, degrees), out=rules)
    if not rules.any():
        return rules
    distance = max(_INK_DISTANCE, round(_INK_DISTANCE_SHARE * length))
    # Borders and ticks are short, and digits fill the boxes between them.
    if directions == _VERTICAL_DIRECTIONS:
        distance = 0
    return _drop_interrupted(rules, binary, distance) & binary


def _distinct(directions: tuple[float, ...], length: int) -> list[float]:
    """Drops the directions in which a short line is as level as at 0 degrees."""
    rises = np.rint(np.tan(np.deg2rad(directions)) * (length // 2))
    return [d for d, rise in zip(directions, rises, strict=True) if rise or d == 0]


def _drop_interrupted(
    rules: np.ndarray, binary: np.ndarray, distance: int
) -> np.ndarray:
    """Drops rules that are mostly bridged gaps, or strokes of digits in a row.

    Args:
      rules: `uint8 (height, width)`, 1 for the pixels of rules and of their gaps.
      binary: the same shape, 1 for ink.
      distance: of the ink that tells strokes from a rule, in pixels, or 0 to keep
        strokes.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rules)
    is_inked = np.zeros((len(stats), rules.shape[1]), bool)
    rows, columns = np.nonzero(rules & binary)
    is_inked[labels[rows, columns], columns] = True
    is_rule = is_inked.sum(1) >= _MIN_INKED * stats[:, cv2.CC_STAT_WIDTH]
    is_rule[0] = False
    for index in np.flatnonzero(is_rule) if distance else ():
        left, top, width, height, _ = stats[index].tolist()
        rule = labels[top : top + height, left : left + width] == index
        part = binary[:, left : left + width]
        is_rule[index] = not _is_covered(rule, part, top, distance)
    return is_rule[labels].astype(np.uint8)


def _is_covered(rule: np.ndarray, binary: np.ndarray, top: int, distance: int) -> bool:
    """Tells whether most of a rule has ink above and below it, as strokes have.

    Args:
      rule: `bool (rows, columns)`, its pixels.
      binary: `uint8 (height, columns)`, 1 for ink, the same columns.
      top: row of `binary` in which `rule` begins.
      distance: of the ink from the rule, in pixels.
    """
    columns = np.arange(rule.shape[1])
    first = top + rule.argmax(0) - distance
    last = top + len(rule) - 1 - rule[::-1].argmax(0) + distance
    above = (first >= 0) & (binary[np.maximum(first, 0), columns] > 0)
    end = len(binary) - 1
    below = (last <= end) & (binary[np.minimum(last, end), columns] > 0)
    less = min(above.mean(), below.mean())
    return bool(less > _MAX_COVERED_SIDE and (above | below).mean() > _MAX_COVERED)


def find_vertical_rules(binary: np.ndarray, length: int) -> np.ndarray:
    """Finds nearly vertical rules. See `find_horizontal_rules`."""
    transposed = np.ascontiguousarray(binary.T)
    rules = find_horizontal_rules(transposed, length, _VERTICAL_DIRECTIONS)
    return np.ascontiguousarray(rules.T)


def remove_horizontal_rules(binary: np.ndarray, rules: np.ndarray) -> np.ndarray:
    """Removes the pixels of nearly horizontal rules, and keeps strokes across them.

    Args:
      binary: `uint8 (height, width)`, 1 for ink.
      rules: the same shape, 1 for the pixels of rules.
    """
    if not rules.any():
        return binary
    rest = binary & (1 - rules)
    thickness = _thickness(rules)
    # A rule is a pixel thicker on either side where a stroke crosses it, and a slanted
    # stroke meets its sides in different columns.
    kernel = np.ones((thickness + 4, thickness + 3), np.uint8)
    bridged = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, kernel)
    return rest | (bridged & rules)


def remove_vertical_rules(binary: np.ndarray, rules: np.ndarray) -> np.ndarray:
    """Removes nearly vertical rules. See `remove_horizontal_rules`."""
    transposed = np.ascontiguousarray(binary.T)
    without = remove_horizontal_rules(transposed, np.ascontiguousarray(rules.T))
    return np.ascontiguousarray(without.T)


def estimate_skew(binary: np.ndarray) -> float | None:
    """Estimates the skew of a picture by its horizontal rules, in degrees.

    Returns:
      Positive for rules that fall to the right. None without rules.
    """
    height, width = binary.shape
    scale = min(1.0, _SKEW_WIDTH / width)
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    small = binary
    if scale < 1:
        strong = cv2.resize(255 * binary, size, interpolation=cv2.INTER_AREA) > 64
        small = strong.astype(np.uint8)
    length = max(16, int(_SKEW_LENGTH * size[0]))
    counts = [int(_erode(small, length, degrees).sum()) for degrees in _SKEWS]
    best = int(np.argmax(counts))
    return _SKEWS[best] if counts[best] else None


def _open(binary: np.ndarray, length: int, degrees: float) -> np.ndarray:
    """Opens an image with a straight line of a length and direction."""
    opened = np.zeros_like(binary)
    region = _find_region(binary, length, degrees)
    if region is None:
        return opened
    middles = _erode(binary[region], length, degrees)
    if middles.any():
        opened[region] = cv2.dilate(middles, _line_kernel(length, degrees))
    return opened


def _find_region(
    binary: np.ndarray, length: int, degrees: float
) -> tuple[slice, slice] | None:
    """Finds the rows and columns that may hold lines of a length and direction.

    Few points of a line are tested, which is quick, and excludes most images.

    Returns:
      Rows and columns, or None if there is no line.
    """
    points = _line_kernel(length, degrees, _STEP)
    border = cv2.BORDER_CONSTANT
    middles = cv2.erode(binary, points, borderType=border, borderValue=0)
    left, top, width, height = cv2.boundingRect(middles)
    if not width:
        return None
    rows, columns = (side // 2 for side in points.shape)
    first = max(0, top - rows), max(0, left - columns)
    return (
        slice(first[0], top + height + rows),
        slice(first[1], left + width + columns),
    )


def _erode(binary: np.ndarray, length: int, degrees: float) -> np.ndarray:
    """Finds the middles of the lines of a length and direction."""
    kernel = _line_kernel(length, degrees)
    border = cv2.BORDER_CONSTANT
    return cv2.erode(binary, kernel, borderType=border, borderValue=0)


@lru_cache(maxsize=512)
def _line_kernel(length: int, degrees: float, step: int = 1) -> np.ndarray:
    """Draws every `step`-th point of a line, `uint8 (rows, columns)`, both odd."""
    # An opening keeps its place with a kernel that is symmetric about its middle pixel.
    half = length // 2
    columns = np.arange(-half, half + 1)
    rows = np.rint(np.tan(np.deg2rad(degrees)) * columns).astype(int)
    kernel = np.zeros((2 * rows.max() + 1 if rows.any() else 1, len(columns)), np.uint8)
    kernel[(rows - rows.min())[::step], (columns + half)[::step]] = 1
    return kernel


def _thickness(rules: np.ndarray) -> int:
    """Returns the typical thickness of horizontal rules, in pixels."""
    starts = np.diff(rules, axis=0, prepend=0) == 1
    return max(1, int(np.ceil(rules.sum() / max(1, int(starts.sum())))))
