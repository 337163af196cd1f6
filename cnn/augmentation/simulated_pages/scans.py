"""Scanned and cropped digits, 16 to 170 pixels high, in gray or in two levels.

Every scan is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns `uint8 (height, width)`.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import composite_layers
from cnn.augmentation.simulated_pages.rendering import value_noise
from cnn.augmentation.simulated_pages.strokes import (
    DIGIT_HEIGHT,
    bounding_slices,
    render_ink,
    render_strokes,
)

# Pixels of a larger coverage belong to the character's bounding box, in [0, 1].
_MIN_COVERAGE = 0.3


def scan_stretched(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit that was cropped and stretched to 28×28, black on white."""
    tool = str(rng.choice(["pen", "marker", "brush"]))
    alpha, _ = render_ink(rng, digit, tool)
    margin = int(rng.integers(0, 3))
    frame = crop_and_resize(alpha, 28, 28, margin)
    return 255 - _to_gray_levels(frame)


def scan_postal_digit(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit in 16×16 gray pixels, as high as the frame, like USPS."""
    alpha = render_strokes(digit, rng.uniform(0.1, 0.17))
    # The exponent widens narrow digits.
    width = np.rint(16 * _aspect_ratio(alpha) ** 0.8)
    width = int(np.clip(width, 2, 16))
    resized = crop_and_resize(alpha, 16, width, 0)
    frame = _center_columns(resized, 16)
    blurred = cv2.GaussianBlur(frame, (0, 0), 0.5)
    return _to_gray_levels(blurred)


def scan_form_field(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit in 32×32 black or white pixels, as high as the frame."""
    alpha = render_strokes(digit, rng.uniform(0.07, 0.16))
    width = np.rint(32 * _aspect_ratio(alpha))
    width = int(np.clip(width, 4, 32))
    resized = crop_and_resize(alpha, 32, width, 0)
    frame = _center_columns(resized, 32)
    return _to_gray_levels(frame > 0.5)


def scan_binary_16(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit in 16×16 black or white pixels, stretched to the frame."""
    alpha = render_strokes(digit, rng.uniform(0.05, 0.15))
    frame = crop_and_resize(alpha, 16, 16, 0)
    return _to_gray_levels(frame > 0.4)


def scan_historic_script(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a slanted digit on old paper in 28×28 pixels."""
    alpha = render_strokes(digit, rng.choice([0, 0.08]))
    alpha = _shear(alpha, rng.uniform(0.15, 0.6))
    side = int(max(alpha.shape) * rng.uniform(1.0, 1.4))
    corner = (side - np.array(alpha.shape)) // 2
    coverage = composite_layers((side, side), [(alpha, corner)])
    brightness = rng.uniform(0.55, 0.9)
    grain = 0.05 * value_noise(rng, coverage.shape, 6)
    paper = brightness * (1 + grain)
    darkness = coverage * rng.uniform(0.5, 0.9)
    page = paper * (1 - darkness)
    size = (28, 28)
    scan = cv2.resize(page.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    noise = 0.015 * rng.standard_normal(size)
    return _to_gray_levels(scan + noise)


def scan_register_cell(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a tiny digit in a tall cell with rules, a black edge and a full stop."""
    alpha, _ = render_ink(rng, digit, "pen")
    scale = int(rng.integers(17, 24)) / DIGIT_HEIGHT
    small = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height = int(rng.integers(90, 170))
    width = int(rng.integers(40, 70))
    rules = _render_cell_rules(rng, height, width)
    top = rng.integers(8, height - small.shape[0] - 8)
    left = rng.integers(7, max(8, width - small.shape[1] - 12))
    corner = np.array([top, left])
    stop = np.full((2, 2), 0.9, np.float32)
    stop_corner = corner + [small.shape[0] - 6, small.shape[1]]
    layers = [(rules, np.array([0, 0])), (small, corner), (stop, stop_corner)]
    coverage = composite_layers((height, width), layers)
    brightness = rng.uniform(0.6, 0.85)
    grain = 0.03 * value_noise(rng, coverage.shape, 10)
    paper = brightness * (1 + grain)
    page = paper * (1 - 0.85 * coverage)
    strip = int(rng.integers(3, 9))
    if rng.uniform() < 0.5:
        page[:, :strip] = 0.03
    else:
        page[-strip:] = 0.03
    scan = cv2.GaussianBlur(page.astype(np.float32), (0, 0), 0.5)
    noise = 0.02 * rng.standard_normal(page.shape)
    return _to_gray_levels(scan + noise)


def _render_cell_rules(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draws two vertical rules near the edges and equidistant horizontal ones."""
    coverage = np.zeros((height, width), np.float32)
    left = rng.integers(1, 6)
    right = width - rng.integers(2, 7)
    for x in (left, right):
        coverage[:, x] = rng.uniform(0.4, 0.9)
    first = int(rng.integers(8, 30))
    pitch = int(rng.integers(28, 50))
    for y in range(first, height, pitch):
        coverage[y] = np.maximum(coverage[y], rng.uniform(0.3, 0.8))
    return coverage


def crop_and_resize(
    alpha: np.ndarray, height: int, width: int, margin: int
) -> np.ndarray:
    """Crops to the ink's bounding box and resizes, including a margin.

    Args:
      alpha: `float32 (rows, columns)` in [0, 1].
      height: height of the result, in pixels.
      width: width of the result, in pixels.
      margin: empty border on each side of the result, in pixels.

    Returns:
      `float32 (height, width)` in [0, 1].
    """
    mask = alpha > _MIN_COVERAGE
    cropped = alpha[bounding_slices(mask)]
    inner_width = width - 2 * margin
    inner_height = height - 2 * margin
    inner_size = (inner_width, inner_height)
    resized = cv2.resize(cropped, inner_size, interpolation=cv2.INTER_AREA)
    padded = np.pad(resized, margin)
    return np.clip(padded, 0, 1)


def _aspect_ratio(alpha: np.ndarray) -> float:
    """Returns the width of the ink divided by its height.

    Empty rows and columns inside the bounding box do not count.
    """
    mask = alpha > _MIN_COVERAGE
    num_columns = np.count_nonzero(mask.any(axis=0))
    num_rows = np.count_nonzero(mask.any(axis=1))
    return num_columns / num_rows


def _center_columns(image: np.ndarray, side: int) -> np.ndarray:
    """Pads an image of `side` rows to `side` columns."""
    width = image.shape[1]
    left = (side - width) // 2
    return np.pad(image, ((0, 0), (left, side - width - left)))


def _shear(alpha: np.ndarray, slant: float) -> np.ndarray:
    """Moves the upper rows to the right, by `slant` pixels per pixel of height."""
    height, width = alpha.shape
    extra = int(slant * height)
    matrix = np.array([[1, -slant, extra], [0, 1, 0]], np.float32)
    return cv2.warpAffine(alpha, matrix, (width + extra, height))


def _to_gray_levels(image: np.ndarray) -> np.ndarray:
    """Converts an image in [0, 1], or a mask, to `uint8`."""
    gray_levels = np.rint(255 * image)
    clipped = np.clip(gray_levels, 0, 255)
    return clipped.astype(np.uint8)
