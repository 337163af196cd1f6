"""Scans of old documents: slanted script, and cells of a register.

Every scan is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns `uint8 (height, width)`.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import Layer, composite_layers
from cnn.augmentation.simulated_pages.ink import render_ink
from cnn.augmentation.simulated_pages.paper import value_noise
from cnn.augmentation.simulated_pages.scans import to_gray_levels
from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT, render_strokes

# Gray of the black edge of a scan, in [0, 1].
_BLACK = 0.03


def scan_historic_script(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a slanted digit on old paper in 28×28 pixels."""
    # A width of 0 keeps the digit's own strokes.
    stroke_width = rng.choice([0, 0.08])
    upright = render_strokes(digit, stroke_width)
    slant = rng.uniform(0.15, 0.6)
    alpha = _shear(upright, slant)
    relative_side = rng.uniform(1.0, 1.4)
    side = int(max(alpha.shape) * relative_side)
    coverage = _center_on_square(alpha, side)
    brightness = rng.uniform(0.55, 0.9)
    paper = _render_old_paper(
        rng,
        coverage.shape,
        brightness=brightness,
        grain_sigma=0.05,
        cells=6,
    )
    opacity = rng.uniform(0.5, 0.9)
    page = paper * (1 - coverage * opacity)
    size = (28, 28)
    scan = cv2.resize(page.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    noise = 0.015 * rng.standard_normal(size)
    return to_gray_levels(scan + noise)


def _center_on_square(alpha: np.ndarray, side: int) -> np.ndarray:
    """Pads the coverage of a character to a square of `side` pixels."""
    height, width = alpha.shape
    top = (side - height) // 2
    left = (side - width) // 2
    return composite_layers((side, side), [Layer(alpha, top, left)])


def _shear(alpha: np.ndarray, slant: float) -> np.ndarray:
    """Moves the upper rows to the right, by `slant` pixels per pixel of height."""
    height, width = alpha.shape
    extra_width = int(slant * height)
    matrix = np.array(
        [
            [1, -slant, extra_width],
            [0, 1, 0],
        ],
        np.float32,
    )
    size = (width + extra_width, height)
    return cv2.warpAffine(alpha, matrix, size)


def scan_register_cell(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a tiny digit in a tall cell with rules, a black edge and a full stop."""
    alpha, _ = render_ink(rng, digit, "pen")
    digit_height = int(rng.integers(17, 24))
    small = _reduce(alpha, digit_height / DIGIT_HEIGHT)
    coverage = _arrange_register_cell(rng, small)
    brightness = rng.uniform(0.6, 0.85)
    paper = _render_old_paper(
        rng,
        coverage.shape,
        brightness=brightness,
        grain_sigma=0.03,
        cells=10,
    )
    page = paper * (1 - 0.85 * coverage)
    page = _add_black_edge(rng, page)
    scan = cv2.GaussianBlur(page.astype(np.float32), (0, 0), 0.5)
    noise = 0.02 * rng.standard_normal(page.shape)
    return to_gray_levels(scan + noise)


def _reduce(alpha: np.ndarray, scale: float) -> np.ndarray:
    return cv2.resize(
        alpha,
        None,
        fx=scale,
        fy=scale,
        interpolation=cv2.INTER_AREA,
    )


def _arrange_register_cell(
    rng: np.random.Generator, character: np.ndarray
) -> np.ndarray:
    """Places a character and a full stop between the rules of a tall cell.

    Args:
      rng: a random generator.
      character: `float32 (rows, columns)` in [0, 1], its coverage.

    Returns:
      The coverage of the cell, `float32 (height, width)` in [0, 1], of 90 to 169 times
      40 to 69 pixels.
    """
    height = int(rng.integers(90, 170))
    width = int(rng.integers(40, 70))
    rules = _render_cell_rules(rng, height, width)
    character_height, character_width = character.shape
    max_top = height - character_height - 8
    top = int(rng.integers(8, max_top))
    max_left = max(8, width - character_width - 12)
    left = int(rng.integers(7, max_left))
    full_stop = np.full((2, 2), 0.9, np.float32)
    stop_top = top + character_height - 6
    stop_left = left + character_width
    layers = [
        Layer(rules, 0, 0),
        Layer(character, top, left),
        Layer(full_stop, stop_top, stop_left),
    ]
    return composite_layers((height, width), layers)


def _render_cell_rules(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draws two vertical rules near the edges and equidistant horizontal ones."""
    coverage = np.zeros((height, width), np.float32)
    left = rng.integers(1, 6)
    right = width - rng.integers(2, 7)
    for x in (left, right):
        coverage[:, x] = rng.uniform(0.4, 0.9)
    first = int(rng.integers(8, 30))
    spacing = int(rng.integers(28, 50))
    for y in range(first, height, spacing):
        opacity = rng.uniform(0.3, 0.8)
        coverage[y] = np.maximum(coverage[y], opacity)
    return coverage


def _add_black_edge(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Blackens the left or the lower 3 to 8 pixels of a page."""
    strip = int(rng.integers(3, 9))
    is_left = rng.uniform() < 0.5
    result = page.copy()
    if is_left:
        result[:, :strip] = _BLACK
    else:
        result[-strip:] = _BLACK
    return result


def _render_old_paper(
    rng: np.random.Generator,
    shape: tuple[int, int],
    brightness: float,
    grain_sigma: float,
    cells: float,
) -> np.ndarray:
    """Renders old paper in gray.

    Args:
      rng: a random generator.
      shape: height and width in pixels.
      brightness: mean reflectance, in [0, 1].
      grain_sigma: standard deviation of the grain, as a fraction of the brightness.
      cells: number of grains along the longer side.

    Returns:
      `float32`, of `shape`.
    """
    grain = grain_sigma * value_noise(rng, shape, cells)
    return brightness * (1 + grain)
