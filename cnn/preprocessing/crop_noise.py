"""Measures the noise of crops, in which ink covers much of the image."""

import cv2
import numpy as np

from cnn.preprocessing.background import upper_median
from cnn.preprocessing.ink_levels import Ink
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.neighbors

# Second derivative along both axes. It is 0 on planes and on edges along an axis.
# Source: Immerkaer, "Fast noise variance estimation", 1996.
_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_KERNEL_NORM = 6.0  # Square root of the sum of the squares.


def limit_noise(ink: Ink, levels: np.ndarray) -> Ink:
    """Limits the noise of a crop to that between neighboring pixels, or to a share.

    The median level is no background where ink covers much of the image, and then its
    deviations are no noise.

    Args:
      ink: the ink of the crop.
      levels: `float32 (height, width)`, its levels above the background, not blurred.
    """
    residual = cv2.filter2D(levels, -1, _KERNEL)
    deviation = float(upper_median(np.abs(residual)))
    fine_noise = THRESHOLDS.mad_to_deviation * deviation / _KERNEL_NORM
    limit = max(fine_noise, _THRESHOLDS.max_noise_share * ink.contrast)
    return ink._replace(noise=min(ink.noise, limit))
