"""Measures the noise and contrast of a foreground, and scales its ink to [0, 1]."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing import background
from cnn.preprocessing.component_labels import NEIGHBORHOOD
from cnn.preprocessing.thresholds import THRESHOLDS


class Ink(NamedTuple):
    """A foreground with its noise and contrast.

    Attributes:
      foreground: `float32 (height, width)`, levels above the background.
      noise: standard deviation of the background, in levels.
      contrast: level of the strongest ink.
    """

    foreground: np.ndarray
    noise: float
    contrast: float

    @property
    def threshold(self) -> float:
        """Smallest level of ink, exclusive."""
        return max(
            THRESHOLDS.min_ink_to_noise * self.noise,
            THRESHOLDS.min_ink_fraction * self.contrast,
            THRESHOLDS.min_ink_level,
        )


def denoise(foreground: np.ndarray) -> Ink:
    """Measures noise and contrast, and blurs a foreground with too much noise."""
    ink = _measure(foreground)
    is_sharp = (
        ink.noise <= THRESHOLDS.max_sharp_noise
        or ink.contrast >= THRESHOLDS.min_sharp_contrast * ink.noise
    )
    if is_sharp:
        return ink
    return _measure(cv2.GaussianBlur(foreground, (3, 3), 0))


def _measure(foreground: np.ndarray) -> Ink:
    noise = _estimate_noise(foreground)
    return Ink(foreground, noise, estimate_contrast(foreground))


def _estimate_noise(foreground: np.ndarray) -> float:
    """Estimates the standard deviation of the background's noise, in levels.

    The estimate is the median absolute deviation (MAD) of the pixels on the other side
    of the background than ink.
    """
    sample = background.subsample(foreground)
    below = sample[sample < 0]
    if below.size <= THRESHOLDS.min_noisy_share * sample.size:
        return 0.0
    return THRESHOLDS.mad_to_deviation * float(background.upper_median(-below))


def estimate_contrast(foreground: np.ndarray) -> float:
    """Returns the level that the few strongest pixels reach."""
    few = max(1, int(THRESHOLDS.contrast_share * foreground.size))
    few = min(THRESHOLDS.max_contrast_pixels, few)
    min_strong = THRESHOLDS.strong_fraction * foreground.max()
    levels = foreground[foreground > min_strong]
    if levels.size < few:
        levels = foreground.ravel()
    partitioned = np.partition(levels, -few)
    return float(partitioned[-few])


def soft_mask(ink: Ink, selected: np.ndarray) -> np.ndarray:
    """Scales the levels of selected components and their antialiased edges to [0, 1].

    Args:
      ink: the ink, of shape `(height, width)`.
      selected: `bool (height, width)`, pixels of the components.

    Returns:
      `float32 (height, width)`, 0 for everything else.
    """
    if ink.noise < THRESHOLDS.max_clean_noise:
        full = ink.contrast
        floor = 0.0
    else:
        full = _full_ink_level(ink.foreground[selected])
        floor = min(
            THRESHOLDS.floor_to_noise * ink.noise,
            THRESHOLDS.max_floor_fraction * full,
        )
    near = cv2.dilate(selected.astype(np.uint8), NEIGHBORHOOD) > 0
    # Ink that was not selected is no edge of the selected components.
    near &= selected | (ink.foreground <= ink.threshold)
    levels = np.where(near, ink.foreground, 0) - floor
    return np.clip(levels / max(full - floor, 1e-6), 0, 1).astype(np.float32)


def _full_ink_level(levels: np.ndarray) -> float:
    """Returns the level of the ink's pixels, `float32 (pixels,)`, that becomes 1."""
    rank = int(THRESHOLDS.full_ink_quantile * levels.size)
    return float(np.partition(levels, rank)[rank])
