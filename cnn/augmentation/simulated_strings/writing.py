"""Writes a number: digits of one hand and separators in a row or in cells."""

import itertools
from typing import NamedTuple

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import Layer, composite_layers
from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.hands import (
    WRITING_HEIGHT,
    Hand,
    draw_digit,
    place_on_line,
)
from cnn.augmentation.simulated_strings.separator_marks import draw_separator
from cnn.augmentation.simulated_strings.simulated_line import (
    WrittenLine,
    center_glyph,
    crop_to_ink,
    find_hull,
    map_hulls,
    warp_image,
    warp_line,
)

# Mean gap before and after a separator, and its standard deviation, as fractions of the
# height of a digit.
_SEPARATOR_GAP = 0.1
_SEPARATOR_GAP_JITTER = 0.05

# The edges of neighbors are at least so far apart, as a fraction of the height, so that
# their order is known.
_MIN_ADVANCE = 0.07

# Width of a joining stroke, as a fraction of the pen's, and how far it sags, as a
# fraction of the height.
_JOIN_WIDTH = 0.7
_JOIN_SAG = (-0.02, 0.15)

# Standard deviation of the place of a digit in its cell, as a fraction of the cell.
_CELL_JITTER = 0.06


class _Mark(NamedTuple):
    """A character and its place: the columns from the left, the rows from the line."""

    ink: np.ndarray
    left: int
    top: int


def write_line(
    rng: np.random.Generator,
    pool: CharacterPool,
    text: str,
    hand: Hand,
    height: float = WRITING_HEIGHT,
    pitch: float | None = None,
) -> WrittenLine:
    """Writes a number.

    Args:
      rng: a random generator.
      pool: the characters.
      text: digits and separators.
      hand: the hand.
      height: height of a digit of mean size, in pixels.
      pitch: width of a cell per character, in pixels. None lets the digits follow each
        other at the gaps of the hand.

    Returns:
      The number without margins. With a `pitch`, column 0 is the left border of the
      first cell, and digits may reach beyond the image.
    """
    marks = _place_marks(rng, pool, text, hand, height, pitch)
    line = _compose(rng, text, marks, hand, height, pitch)
    return _slant_line(line, hand.slant, keeps_columns=pitch is not None)


def _place_marks(
    rng: np.random.Generator,
    pool: CharacterPool,
    text: str,
    hand: Hand,
    height: float,
    pitch: float | None,
) -> list[_Mark]:
    """Draws the characters, and places them from the left."""
    marks: list[_Mark] = []
    for number, symbol in enumerate(text):
        ink, descent = _draw_symbol(rng, pool, symbol, hand, height)
        if pitch is None:
            left = _follow(rng, text, number, marks, ink.shape[1], hand, height)
        else:
            middle = (number + 0.5 + rng.normal(0, _CELL_JITTER)) * pitch
            left = round(middle - ink.shape[1] / 2)
        top = round(descent - ink.shape[0] - hand.drift * left)
        marks.append(_Mark(ink, left, top))
    return marks


def _draw_symbol(
    rng: np.random.Generator,
    pool: CharacterPool,
    symbol: str,
    hand: Hand,
    height: float,
) -> tuple[np.ndarray, float]:
    """Draws a character, and tells how far it reaches below the line, in pixels."""
    if symbol.isdigit():
        ink = draw_digit(rng, pool.draw_character(rng, symbol), hand, height)
        return place_on_line(rng, symbol, ink, hand, height)
    coverage, baseline = draw_separator(rng, symbol, hand.pen_width, height)
    bottom = find_hull(coverage)[:, 1].max()
    return crop_to_ink(coverage), float(bottom - baseline)


def _follow(
    rng: np.random.Generator,
    text: str,
    number: int,
    marks: list[_Mark],
    width: int,
    hand: Hand,
    height: float,
) -> int:
    """Returns the left edge of a character, at a gap after the last one."""
    if not number:
        return 0
    last = marks[-1]
    if text[number - 1 : number + 1].isdigit():
        gap = rng.normal(hand.gap, hand.gap_jitter)
    else:
        gap = rng.normal(_SEPARATOR_GAP, _SEPARATOR_GAP_JITTER)
    right = last.left + last.ink.shape[1]
    least = max(last.left, right - width) + _MIN_ADVANCE * height
    return round(max(right + gap * height, least))


def _compose(
    rng: np.random.Generator,
    text: str,
    marks: list[_Mark],
    hand: Hand,
    height: float,
    pitch: float | None,
) -> WrittenLine:
    """Combines the characters, and joins neighbors by strokes."""
    first_row = min(mark.top for mark in marks)
    rows = max(mark.top + mark.ink.shape[0] for mark in marks) - first_row
    columns = max(mark.left + mark.ink.shape[1] for mark in marks)
    if pitch is not None:
        columns = round(len(text) * pitch)
    placed = [mark._replace(top=mark.top - first_row) for mark in marks]
    layers = [Layer(mark.ink, mark.top, mark.left) for mark in placed]
    coverage = composite_layers((rows, columns), layers)
    if pitch is None:
        thickness = max(1, round(_JOIN_WIDTH * hand.pen_width * height))
        for left, right in itertools.pairwise(placed):
            if rng.random() < hand.joins:
                _draw_join(rng, coverage, left, right, thickness, height)
    corners = [np.array([mark.left, mark.top], np.float32) for mark in placed]
    hulls = [
        find_hull(mark.ink) + corner
        for mark, corner in zip(placed, corners, strict=True)
    ]
    glyphs = [_slant_glyph(mark.ink, hand.slant) for mark in placed]
    return WrittenLine(coverage, text, hulls, glyphs)


def _draw_join(
    rng: np.random.Generator,
    coverage: np.ndarray,
    left: _Mark,
    right: _Mark,
    thickness: int,
    height: float,
) -> None:
    """Joins the lower right of a character to the leftmost ink of the next one."""
    start = _find_extreme(left, is_right=True)
    end = _find_extreme(right, is_right=False)
    sag = rng.uniform(*_JOIN_SAG) * height
    middle = (start + end) / 2 + [0, sag]
    along = np.linspace(0, 1, 12)[:, None]
    curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * middle + along**2 * end
    canvas = np.zeros(coverage.shape, np.uint8)
    points = np.rint(curve).astype(np.int32)
    cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA)
    np.maximum(coverage, canvas / np.float32(255), out=coverage)


def _find_extreme(mark: _Mark, is_right: bool) -> np.ndarray:
    """Finds the rightmost ink of the lower half, or the leftmost ink of all."""
    top = mark.ink.shape[0] // 2 if is_right else 0
    rows, columns = np.nonzero(mark.ink[top:] > 0.5)
    if not len(rows):
        return np.array([mark.left, mark.top], float)
    index = columns.argmax() if is_right else columns.argmin()
    x, y = columns[index] + mark.left, rows[index] + top + mark.top
    return np.array([x, y], float)


def _slant_line(line: WrittenLine, slant: float, keeps_columns: bool) -> WrittenLine:
    """Slants a line around its middle row, and crops to its ink or keeps columns."""
    height, width = line.coverage.shape
    matrix = np.array([[1, -slant, slant * height / 2], [0, 1, 0], [0, 0, 1]])
    if keeps_columns:
        return warp_line(line, matrix, (width, height))
    points = np.concatenate(map_hulls(line.hulls, matrix))
    left = np.floor(points[:, 0].min())
    right = np.ceil(points[:, 0].max())
    matrix[0, 2] -= left
    return warp_line(line, matrix, (max(1, int(right - left)), height))


def _slant_glyph(ink: np.ndarray, slant: float) -> np.ndarray:
    """Slants a character alone, and centers it in 28×28."""
    height, width = ink.shape
    extra = int(np.ceil(abs(slant) * height))
    matrix = np.array([[1, -slant, max(slant, 0) * height], [0, 1, 0], [0, 0, 1]])
    slanted = warp_image(ink, matrix, (width + extra, height))
    return center_glyph(crop_to_ink(slanted))
