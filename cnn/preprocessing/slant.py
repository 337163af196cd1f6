"""Slant of handwriting: estimates it, and removes it by a shear.

The slant is the tangent of the angle between the strokes and the vertical: 0 for an
upright hand, 1 for one that leans by 45° to the right. It is estimated from the second
moments of the ink (Teow & Loe, "Robust vision-based features and classification schemes
for off-line handwritten digit recognition", 2002).
"""

import cv2
import numpy as np

from cnn.preprocessing.centering import Placement, scale_and_center
from cnn.preprocessing.thresholds import THRESHOLDS


def estimate_slants(images: np.ndarray) -> np.ndarray:
    """Estimates the slant of each character.

    Each row of the ink has a mean column. The slant is the slope of the line through
    these means, fitted by least squares.

    Args:
      images: `float32 (N, height, width)` in [0, 1], each with ink.

    Returns:
      `float64 (N,)`, pixels to the right per pixel upwards. 0 for ink in a single row.
    """
    # Sums of integers are exact, so the result does not depend on the batch.
    levels = np.rint(255 * images.astype(float))
    _, height, width = images.shape
    rows = np.arange(height)
    columns = np.arange(width)
    row_masses = levels @ np.ones(width)
    row_moments = levels @ columns
    mass = row_masses.sum(1)
    mean_row = row_masses @ rows / mass
    mean_column = row_moments.sum(1) / mass
    covariance = row_moments @ rows / mass - mean_row * mean_column
    variance = row_masses @ rows**2 / mass - mean_row**2
    is_flat = variance < 1e-9
    # Rows are counted downwards.
    return np.where(is_flat, 0, -covariance / np.where(is_flat, 1, variance))


def make_upright(image: np.ndarray, slant: float, placement: Placement) -> np.ndarray:
    """Removes the slant of a network input, and scales and centers it again.

    Args:
      image: `float32 (28, 28)` in [0, 1], with ink.
      slant: from `estimate_slants`. At most `THRESHOLDS.slant.max_slant` is removed.
      placement: size and position of the character.

    Returns:
      `float32 (28, 28)` in [0, 1].
    """
    max_slant = THRESHOLDS.slant.max_slant
    bounded = min(max(slant, -max_slant), max_slant)
    upright = remove_slant(image, bounded)
    (centered,) = scale_and_center(upright[None], placement)
    return centered


def remove_slant(mask: np.ndarray, slant: float) -> np.ndarray:
    """Moves each row of a character to the left by `slant` times its height.

    Args:
      mask: `float32 (height, width)`, the ink's coverage of each pixel.
      slant: pixels to the right per pixel upwards, negative for a lean to the left.

    Returns:
      `float32 (height, width + extra)`, which holds all of the ink.
    """
    height, width = mask.shape
    extra_width = int(np.ceil(abs(slant) * height))
    # Row y moves by slant · y to the right: for a lean to the right, the lower rows
    # the most; for one to the left, they start at the right end and come back.
    offset = extra_width if slant < 0 else 0
    shear = np.array(
        [
            [1, slant, offset],
            [0, 1, 0],
        ],
        float,
    )
    return cv2.warpAffine(mask, shear, (width + extra_width, height))
