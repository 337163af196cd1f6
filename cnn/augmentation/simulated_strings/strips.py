"""Strips of MNIST digits in a row, light on dark or dark on light, without paper.

Every strip is a function of a random generator, of the characters and of a number of
digits, or None for any number.
"""

from functools import partial

import cv2
import numpy as np

from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.simulated_line import (
    MIN_COVERAGE,
    SimulatedLine,
    WrittenLine,
    center_glyph,
    crop_to_ink,
    find_hull,
    finish_line,
    pad_line,
    resize_line,
)

# Lengths of numbers, and how often they occur.
_LENGTHS = np.arange(1, 11)
_LENGTH_SHARES = np.array([4, 6, 6, 6, 5, 4, 3, 3, 3, 4]) / 44

# Share of strips whose digits lean alike and are equally wide, and the largest slant of
# these, in pixels to the right per pixel upwards.
_ONE_HAND_SHARE = 0.5
_MAX_SLANT = 0.5

# Largest displacement of a digit from its row, in pixels of 28.
_MAX_SHIFT = 2

# The edges of neighboring digits are at least so far apart, in pixels of 28. Otherwise
# a narrow digit lies inside the next one, and nobody knows their order.
_MIN_ADVANCE = 2

# Height of most strips and of the highest ones, in pixels.
_STRIP_HEIGHT = 28
_MAX_HEIGHT = 60

_CANVAS = 56  # Side of the image in which a digit is slanted, in pixels.


def sample_length(rng: np.random.Generator, length: int | None) -> int:
    """Returns the length of a number, or samples one from 1 to 10 digits."""
    return int(rng.choice(_LENGTHS, p=_LENGTH_SHARES)) if length is None else length


def render_strip(
    rng: np.random.Generator,
    pool: CharacterPool,
    length: int | None,
    gaps: tuple[float, float],
) -> SimulatedLine:
    """Renders digits in a row.

    Args:
      rng: a random generator.
      pool: the characters.
      length: number of digits, or None for any.
      gaps: least and largest gap between the ink of neighbors, in pixels of 28.
    """
    text = pool.draw_text(rng, sample_length(rng, length))
    digits = [pool.draw_character(rng, digit) for digit in text]
    if rng.random() < _ONE_HAND_SHARE:
        digits = slant_alike(rng, digits)
    line = _compose_row(rng, text, digits, gaps)
    left, right = rng.integers(0, 9, 2).tolist()
    top, bottom = rng.integers(0, 9, 2).tolist() if rng.random() < 0.5 else (0, 0)
    line = pad_line(line, left, top, right, bottom)
    if rng.random() < 0.5:
        line = resize_line(line, rng.uniform(1, _MAX_HEIGHT / _STRIP_HEIGHT))
    gray = np.rint(np.clip(line.coverage, 0, 1) * 255).astype(np.uint8)
    return finish_line(255 - gray if rng.random() < 0.5 else gray, line)


def slant_alike(rng: np.random.Generator, digits: list[np.ndarray]) -> list[np.ndarray]:
    """Gives digits about the same slant and width, as those of one hand have.

    Args:
      rng: a random generator.
      digits: `float32 (28, 28)` in [0, 1].

    Returns:
      `float32 (28, 56)`, with each digit in its rows.
    """
    slant = rng.uniform(-0.15, _MAX_SLANT)
    stretch = rng.uniform(0.75, 1.25)
    slants = slant + rng.normal(0, 0.05, len(digits))
    return [
        shear_digit(digit, float(own) - estimate_slant(digit), stretch)
        for digit, own in zip(digits, slants, strict=True)
    ]


def estimate_slant(image: np.ndarray) -> float:
    """Estimates the slant by moments, in pixels to the right per pixel upwards."""
    moments = cv2.moments(image)
    spread = max(moments["mu02"], 1e-6)
    # Wide digits have a slant by moments that is not one of the hand.
    return float(np.clip(-moments["mu11"] / spread, -0.6, 0.6))


def shear_digit(digit: np.ndarray, slant: float, stretch: float) -> np.ndarray:
    """Slants a digit around its middle and stretches it along its rows."""
    height, width = digit.shape
    middle = (height - 1) / 2
    left = (_CANVAS - 1) / 2 - stretch * (width - 1) / 2 + slant * middle
    matrix = np.array([[stretch, -slant, left], [0, 1, 0]], np.float32)
    return cv2.warpAffine(digit, matrix, (_CANVAS, height))


def _compose_row(
    rng: np.random.Generator,
    text: str,
    digits: list[np.ndarray],
    gaps: tuple[float, float],
) -> WrittenLine:
    """Lays digits side by side, each in its own rows, by the maximum of their ink."""
    max_shift = int(rng.integers(0, _MAX_SHIFT + 1))
    width = sum(digit.shape[1] + int(gaps[1]) + 1 for digit in digits)
    coverage = np.zeros((_STRIP_HEIGHT, width), np.float32)
    hulls, glyphs = [], []
    left = right = 0
    for number, digit in enumerate(digits):
        ink = _crop_columns(digit)
        if number:
            gap = round(rng.uniform(*gaps))
            left = _keep_order(left, right, right + gap, ink.shape[1])
        right = left + ink.shape[1]
        ink = _shift_rows(ink, int(rng.integers(-max_shift, max_shift + 1)))
        part = coverage[:, left:right]
        np.maximum(part, ink, out=part)
        hulls.append(find_hull(ink) + np.array([left, 0], np.float32))
        glyphs.append(center_glyph(crop_to_ink(ink)))
    return WrittenLine(coverage[:, :right], text, hulls, glyphs)


def _crop_columns(digit: np.ndarray) -> np.ndarray:
    """Crops to the columns with ink, and keeps all rows."""
    columns = np.flatnonzero((digit > MIN_COVERAGE).any(axis=0))
    return digit[:, columns[0] : columns[-1] + 1]


def _keep_order(last_left: int, last_right: int, left: int, width: int) -> int:
    """Moves a digit to the right until both edges are beyond those of the last one."""
    least = max(last_left, last_right - width) + _MIN_ADVANCE
    return max(left, least)


def _shift_rows(ink: np.ndarray, shift: int) -> np.ndarray:
    """Moves ink up or down, as far as its edge allows."""
    rows = np.flatnonzero((ink > MIN_COVERAGE).any(axis=1))
    shift = int(np.clip(shift, -rows[0], len(ink) - 1 - rows[-1]))
    return np.roll(ink, shift, axis=0)


# Gaps between the ink of neighboring digits, in pixels of 28.
STRIP_KINDS = {
    "plain": partial(render_strip, gaps=(2, 8)),
    "close": partial(render_strip, gaps=(0, 3)),
    "touching": partial(render_strip, gaps=(-3, 0)),
    "overlapping": partial(render_strip, gaps=(-6, -2)),
}
