"""Scanned and cropped digits, 16 to 32 pixels high, in gray or in two levels.

Every scan is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns `uint8 (height, width)`.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.ink import render_ink
from cnn.augmentation.simulated_pages.strokes import bounding_slices, render_strokes

# Pixels of a larger coverage belong to the character's bounding box, in [0, 1].
_MIN_COVERAGE = 0.3


def scan_stretched(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit that was cropped and stretched to 28×28, black on white."""
    tool = str(rng.choice(["pen", "marker", "brush"]))
    alpha, _ = render_ink(rng, digit, tool)
    margin = int(rng.integers(0, 3))
    frame = crop_and_resize(alpha, height=28, width=28, margin=margin)
    return 255 - to_gray_levels(frame)


def scan_postal_digit(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit in 16×16 gray pixels, as high as the frame, like USPS."""
    stroke_width = rng.uniform(0.1, 0.17)
    alpha = render_strokes(digit, stroke_width)
    # The exponent widens narrow digits.
    relative_width = _aspect_ratio(alpha) ** 0.8
    frame = _fit_height(alpha, 16, relative_width, min_width=2)
    blurred = cv2.GaussianBlur(frame, (0, 0), 0.5)
    return to_gray_levels(blurred)


def scan_form_field(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit in 32×32 black or white pixels, as high as the frame."""
    stroke_width = rng.uniform(0.07, 0.16)
    alpha = render_strokes(digit, stroke_width)
    relative_width = _aspect_ratio(alpha)
    frame = _fit_height(alpha, 32, relative_width, min_width=4)
    mask = frame > 0.5
    return to_gray_levels(mask)


def scan_binary_16(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Scans a digit in 16×16 black or white pixels, stretched to the frame."""
    stroke_width = rng.uniform(0.05, 0.15)
    alpha = render_strokes(digit, stroke_width)
    frame = crop_and_resize(alpha, height=16, width=16, margin=0)
    mask = frame > 0.4
    return to_gray_levels(mask)


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
    resized = cv2.resize(
        cropped,
        (inner_width, inner_height),
        interpolation=cv2.INTER_AREA,
    )
    padded = np.pad(resized, margin)
    return np.clip(padded, 0, 1)


def _fit_height(
    alpha: np.ndarray, side: int, relative_width: float, min_width: int
) -> np.ndarray:
    """Crops to the ink and fits it into the height of a square.

    Args:
      alpha: `float32 (rows, columns)` in [0, 1].
      side: side of the square, in pixels.
      relative_width: width of the ink, as a fraction of the square's side.
      min_width: least width of the ink, in pixels.

    Returns:
      `float32 (side, side)` in [0, 1].
    """
    width = np.rint(side * relative_width)
    width = int(np.clip(width, min_width, side))
    resized = crop_and_resize(alpha, side, width, margin=0)
    free_columns = side - width
    left = free_columns // 2
    right = free_columns - left
    return np.pad(resized, ((0, 0), (left, right)))


def _aspect_ratio(alpha: np.ndarray) -> float:
    """Returns the width of the ink divided by its height.

    Empty rows and columns inside the bounding box do not count.
    """
    mask = alpha > _MIN_COVERAGE
    num_columns = np.count_nonzero(mask.any(axis=0))
    num_rows = np.count_nonzero(mask.any(axis=1))
    return num_columns / num_rows


def to_gray_levels(image: np.ndarray) -> np.ndarray:
    """Converts an image in [0, 1], or a mask, to `uint8`."""
    gray_levels = np.rint(255 * image)
    clipped = np.clip(gray_levels, 0, 255)
    return clipped.astype(np.uint8)
