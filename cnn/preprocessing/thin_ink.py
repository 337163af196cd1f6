"""Finds strokes that lose their contrast when an image is reduced.

Averaging leaves a tenth of the contrast of a line of one pixel that is reduced ten
times, less than a shadow's edge has. The black top-hat with a small kernel, at full
resolution, shows thin strokes alone. The strongest pixel of each block is kept.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from cnn.preprocessing import background
from cnn.preprocessing.foreground import Foreground
from cnn.preprocessing.ink_levels import estimate_contrast
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.thin_ink


def find_thin_ink(gray: np.ndarray, small: np.ndarray) -> Iterator[Foreground]:
    """Yields the foreground of thin, dark strokes, or nothing.

    Args:
      gray: `uint8 (height, width)`, dark ink on a light background.
      small: the same image at the resolution that is searched.

    Yields:
      The foreground at the size of `small`, unless `small` shows the ink as well. A
      uniform border leaves no doubt about the ink.
    """
    is_sharp = gray.shape[0] < _THRESHOLDS.min_zoom * small.shape[0]
    if is_sharp or background.is_uniform(background.border_pixels(small)):
        return
    searched = _black_top_hat(small, _THRESHOLDS.kernel_in_searched)
    searched_contrast = estimate_contrast(searched.astype(np.float32))
    if searched_contrast > _THRESHOLDS.max_searched_contrast:
        return
    levels = _measure_thin_ink(gray, small.shape)
    if estimate_contrast(levels) > _THRESHOLDS.min_gain * searched_contrast:
        yield Foreground(
            levels,
            sign=1,
            may_touch_border=False,
            unambiguous=False,
            weight=_THRESHOLDS.weight,
        )


def _measure_thin_ink(gray: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the levels of thin strokes, `float32` of `shape`. Their median is 0."""
    full = _reduce_to_darkest(gray)
    zoom = full.shape[0] / shape[0]
    side = max(int(_THRESHOLDS.kernel_to_zoom * zoom) | 1, _THRESHOLDS.min_kernel)
    # A single noisy pixel would be the strongest of its block.
    smooth = cv2.GaussianBlur(full, (3, 3), 0)
    pooled = _pool_strongest(_black_top_hat(smooth, side), shape).astype(np.float32)
    return pooled - background.upper_median(background.subsample(pooled))


def _black_top_hat(gray: np.ndarray, side: int) -> np.ndarray:
    """Returns how much darker each pixel is than its surroundings, `uint8`."""
    kernel = np.ones((side, side), np.uint8)
    return cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel)


def _reduce_to_darkest(gray: np.ndarray) -> np.ndarray:
    """Reduces a very large image to the darkest pixel of each block."""
    factor = int(background.equivalent_side(gray) / _THRESHOLDS.max_side)
    if factor <= 1:
        return gray
    height, width = (side // factor * factor for side in gray.shape)
    whole = gray[:height, :width]
    rows = np.minimum.reduce([whole[i::factor] for i in range(factor)])
    return np.minimum.reduce([rows[:, i::factor] for i in range(factor)])


def _pool_strongest(levels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Reduces an image to the largest level near each pixel, `(height, width)`."""
    height, width = shape
    side = int(np.ceil(levels.shape[0] / height)) | 1
    spread = cv2.dilate(levels, np.ones((side, side), np.uint8))
    return cv2.resize(spread, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
