"""Separates a gray image into background and foreground: paper and ink.

Three estimates of the background are tried in order: the uniform level of the image
border, one side of Otsu's threshold, and a morphological closing.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.background import (
    border_pixels,
    estimate_polarity,
    is_uniform,
    subtract_background,
    upper_median,
)
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.background
_NUM_LEVELS = 256


class Foreground(NamedTuple):
    """An image minus its background.

    Attributes:
      levels: `float32 (height, width)`, gray levels above the background, positive for
        ink.
      sign: 1 for dark ink on a light background, -1 for light ink on a dark one.
      may_touch_border: whether the character may touch the image border.
      unambiguous: whether no other estimate of the background is plausible.
      weight: prior probability relative to the other estimates.
    """

    levels: np.ndarray
    sign: int
    may_touch_border: bool
    unambiguous: bool
    weight: float = 1.0


def foreground_candidates(gray: np.ndarray) -> Iterator[Foreground]:
    """Yields estimates of the foreground, the most plausible first.

    Args:
      gray: `uint8 (height, width)`.

    Yields:
      One estimate if it is unambiguous, and up to five otherwise.
    """
    may_touch_border = max(gray.shape) <= _THRESHOLDS.max_cropped_side
    uniform = _subtract_border_level(gray, may_touch_border)
    if uniform is not None:
        yield uniform
        return
    bilevel = _subtract_otsu_level(gray, may_touch_border)
    if bilevel is not None:
        yield bilevel
        if bilevel.unambiguous:
            return
    yield from _subtract_closings(gray)


def _subtract_border_level(
    gray: np.ndarray, may_touch_border: bool
) -> Foreground | None:
    """Subtracts the level of a uniform border. Returns None for other images."""
    border = border_pixels(gray)
    if not is_uniform(border):
        return None
    difference = upper_median(border) - gray
    # Ink covers less area than the background and differs more, so it decides the
    # sign of the third moment.
    third_moment = float((difference * difference * difference).sum(dtype=float))
    sign = 1 if third_moment >= 0 else -1
    levels = difference * sign
    ink_share = np.mean(levels > _THRESHOLDS.uniform_ink_fraction * levels.max())
    if ink_share > _THRESHOLDS.max_uniform_ink_share:
        return None
    return Foreground(levels, sign, may_touch_border, unambiguous=True)


def _subtract_otsu_level(gray: np.ndarray, may_touch_border: bool) -> Foreground | None:
    """Subtracts the background of a bilevel image. Returns None for other images.

    Otsu's threshold separates the two levels (Otsu, "A threshold selection method from
    gray-level histograms", 1979). The background is the level of most border pixels.
    """
    method = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    threshold = int(cv2.threshold(gray, 0, 255, method)[0])
    histogram = cv2.calcHist([gray], [0], None, [_NUM_LEVELS], [0, _NUM_LEVELS])
    counts = histogram.ravel().astype(float)
    is_light = np.arange(_NUM_LEVELS) > threshold
    if not _is_bilevel(counts, is_light):
        return None
    light_share = float(np.mean(border_pixels(gray) > threshold))
    if light_share > 0.5:  # The majority.
        background = _measure_class(counts, is_light, light_share)
        ink = _measure_class(counts, ~is_light, 1 - light_share)
        sign = 1
    else:
        background = _measure_class(counts, ~is_light, 1 - light_share)
        ink = _measure_class(counts, is_light, light_share)
        sign = -1
    if not _is_character(background, ink, may_touch_border):
        return None
    levels = np.float32(sign) * (np.float32(background.median) - gray)
    unambiguous = may_touch_border and (
        background.exact_share > _THRESHOLDS.min_exact_share
        or background.near_share > _THRESHOLDS.min_certain_share
    )
    return Foreground(levels, sign, may_touch_border, unambiguous)


def _is_bilevel(counts: np.ndarray, is_light: np.ndarray) -> bool:
    """Tells whether most of the variance lies between dark and light pixels.

    Args:
      counts: `float64 (256,)`, number of pixels of each level.
      is_light: `bool (256,)`, whether the level is above the threshold.
    """
    levels = np.arange(_NUM_LEVELS)
    dark = np.where(is_light, 0, counts)
    light = np.where(is_light, counts, 0)
    num_dark = dark.sum()
    num_light = light.sum()
    mean_difference = levels @ light / num_light - levels @ dark / num_dark
    between = num_dark * num_light * mean_difference**2
    total = counts.sum() * (levels**2 @ counts) - (levels @ counts) ** 2
    return bool(between > _THRESHOLDS.min_between_class_share * total)


class _LevelClass(NamedTuple):
    """The pixels on one side of a threshold.

    Attributes:
      median: median level, from 0 to 255.
      area: number of pixels in the class.
      border_share: fraction of the border's pixels that are in the class.
      near_share: fraction of the class that is near its median.
      exact_share: fraction of the class that is at its median.
    """

    median: int
    area: float
    border_share: float
    near_share: float
    exact_share: float


def _measure_class(
    counts: np.ndarray, members: np.ndarray, border_share: float
) -> _LevelClass:
    """Measures a class of levels in a histogram.

    Args:
      counts: `float64 (256,)`, number of pixels of each level.
      members: `bool (256,)`, the levels of the class.
      border_share: fraction of the border's pixels that are in the class.
    """
    class_counts = np.where(members, counts, 0)
    area = class_counts.sum()
    median = int(np.searchsorted(np.cumsum(class_counts), area / 2))
    first = max(0, median - THRESHOLDS.max_uniform_range)
    near = class_counts[first : median + THRESHOLDS.max_uniform_range + 1]
    return _LevelClass(
        median,
        float(area),
        border_share,
        near_share=float(near.sum() / area),
        exact_share=float(class_counts[median] / area),
    )


def _is_character(
    background: _LevelClass, ink: _LevelClass, may_touch_border: bool
) -> bool:
    """Tells whether two classes of levels may be background and ink."""
    if background.near_share < _THRESHOLDS.min_background_share:
        return False
    if ink.area > _THRESHOLDS.max_ink_share * (background.area + ink.area):
        return False
    if may_touch_border:
        return True
    near_share = min(background.near_share, ink.near_share)
    return (
        background.border_share > _THRESHOLDS.min_border_share
        and near_share > _THRESHOLDS.min_strict_share
    )


def _subtract_closings(gray: np.ndarray) -> Iterator[Foreground]:
    """Yields the foreground for each stroke width and each plausible polarity."""
    signs = estimate_polarity(gray)
    unambiguous = len(signs) == 1
    for width in (_THRESHOLDS.max_stroke_width, _THRESHOLDS.max_thin_stroke_width):
        for sign in signs:
            levels = subtract_background(gray, sign, width)
            yield Foreground(levels, sign, False, unambiguous)
