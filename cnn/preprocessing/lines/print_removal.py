"""Removes the printed lines and boxes of an image, in one or two ways.

Where a line may as well be a stroke of the character, one way keeps it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cnn.preprocessing.lines.line_evidence import (
    LineMeasurement,
    PenInk,
    extend_pen,
    measure_line,
    measure_pen,
    printed_probabilities,
)
from cnn.preprocessing.lines.line_strips import Strip, straighten_line
from cnn.preprocessing.lines.ruled_lines import RuledLines, find_lines, remove_lines
from cnn.preprocessing.printed_components import remove_boxes
from cnn.preprocessing.thresholds import THRESHOLDS

_CERTAIN = THRESHOLDS.line_evidence.certain


class Removal(NamedTuple):
    """A foreground without printed lines and boxes.

    Attributes:
      foreground: `float32 (height, width)`, levels above the background.
      weight: probability relative to the other removals of the image.
      is_ruled: whether lines were removed.
      keeps_lines: whether any line was kept.
      keeps_doubtful: whether lines were kept that may be printed.
    """

    foreground: np.ndarray
    weight: float
    is_ruled: bool
    keeps_lines: bool = False
    keeps_doubtful: bool = False


PrintRemover = Callable[[np.ndarray, float], list[Removal]]


def remove_print(foreground: np.ndarray, ink_threshold: float) -> list[Removal]:
    """Removes printed lines, and drawn boxes if there are lines.

    The sides of a box may be taken for lines, so the box is removed first.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.

    Returns:
      One removal, or two if there are doubtful lines, the more probable first.
    """
    without_boxes, lines, has_boxes = _find_print(foreground, ink_threshold)
    if not has_boxes and not any(lines):
        return [Removal(foreground, 1.0, is_ruled=False)]
    removals = _remove_by_evidence(without_boxes, ink_threshold, lines)
    if has_boxes:
        return [removal._replace(is_ruled=True) for removal in removals]
    return removals


def remove_all_lines(foreground: np.ndarray, ink_threshold: float) -> list[Removal]:
    """Removes all lines, where the whole image showed that they are printed."""
    without_boxes, lines, has_boxes = _find_print(foreground, ink_threshold)
    if not has_boxes and not any(lines):
        return [Removal(foreground, 1.0, is_ruled=False)]
    without_lines = remove_lines(without_boxes, ink_threshold, lines)
    return [Removal(without_lines, 1.0, is_ruled=True)]


def _find_print(
    foreground: np.ndarray, ink_threshold: float
) -> tuple[np.ndarray, RuledLines, bool]:
    """Finds lines, and removes drawn boxes if there are lines.

    Returns:
      The foreground without boxes, its lines, and whether there were boxes.
    """
    lines = find_lines(foreground, ink_threshold)
    if not any(lines):
        return foreground, lines, False
    without_boxes, has_boxes = remove_boxes(foreground, ink_threshold)
    if has_boxes:
        lines = find_lines(without_boxes, ink_threshold)
    return without_boxes, lines, has_boxes


def _remove_by_evidence(
    foreground: np.ndarray, ink_threshold: float, lines: RuledLines
) -> list[Removal]:
    """Removes the lines that are printed, and once more those that may be."""
    without_any = remove_lines(foreground, ink_threshold, lines)
    probabilities = _estimate_probabilities(
        foreground, without_any, ink_threshold, lines
    )
    possible = _select_lines(lines, probabilities, 1 - _CERTAIN)
    printed = _select_lines(lines, probabilities, _CERTAIN)
    removed = without_any
    if possible != lines:
        removed = remove_lines(foreground, ink_threshold, possible)
    if possible == printed:
        return [Removal(removed, 1.0, any(possible), keeps_lines=possible != lines)]
    kept = remove_lines(foreground, ink_threshold, printed)
    doubtful = [p for p in np.concatenate(probabilities) if 1 - _CERTAIN < p < _CERTAIN]
    probability = float(max(doubtful))
    ways = [
        Removal(removed, probability, True, keeps_lines=possible != lines),
        Removal(
            kept,
            1 - probability,
            any(printed),
            keeps_lines=True,
            keeps_doubtful=True,
        ),
    ]
    return sorted(ways, key=lambda way: -way.weight)


def _select_lines(
    lines: RuledLines, probabilities: list[np.ndarray], minimum: float
) -> RuledLines:
    """Selects the lines that are printed with more than a minimum probability."""
    selected = []
    for of_direction, known in zip(lines, probabilities, strict=True):
        is_selected = known > minimum
        kept = [
            line for line, is_in in zip(of_direction, is_selected, strict=True) if is_in
        ]
        selected.append(kept)
    return RuledLines(*selected)


def _estimate_probabilities(
    foreground: np.ndarray,
    without_lines: np.ndarray,
    ink_threshold: float,
    lines: RuledLines,
) -> list[np.ndarray]:
    """Estimates how probably each line is printed.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      without_lines: the same without any of the lines.
      ink_threshold: smallest level of ink, exclusive.
      lines: the lines.

    Returns:
      For each direction, `float64 (lines,)`.
    """
    pen = measure_pen(without_lines, ink_threshold)
    transposed_pen = pen._replace(box=pen.box[[1, 0, 3, 2]])
    transposed = np.ascontiguousarray(foreground.T)
    strips = [straighten_line(foreground, line) for line in lines.horizontal]
    transposed_strips = [straighten_line(transposed, line) for line in lines.vertical]
    horizontal = _measure(strips, pen, ink_threshold)
    vertical = _measure(transposed_strips, transposed_pen, ink_threshold)
    if horizontal and vertical:
        extended = extend_pen(pen, vertical)
        transposed_extended = extend_pen(transposed_pen, horizontal)
        if extended is not pen:
            horizontal = _measure(strips, extended, ink_threshold)
        if transposed_extended is not transposed_pen:
            vertical = _measure(transposed_strips, transposed_extended, ink_threshold)
    return [
        np.array(printed_probabilities(measurements), float)
        for measurements in (horizontal, vertical)
    ]


def _measure(
    strips: list[Strip], pen: PenInk, ink_threshold: float
) -> list[LineMeasurement]:
    """Measures nearly horizontal lines, each in the strip along it."""
    return [measure_line(strip, pen, ink_threshold) for strip in strips]
