"""Estimates and subtracts the background of a gray image, and its polarity."""

import cv2
import numpy as np

from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.background
# Added to the variance in squared levels, so that a uniform image has skewness 0.
_MIN_VARIANCE = 1e-6


def estimate_polarity(gray: np.ndarray) -> list[int]:
    """Estimates whether ink is dark or light from the skewness of the local contrast.

    Ink covers less area than the background and differs more, so the differences from
    the local median are skewed towards ink. Three window sizes are summed. The
    narrowest is the least affected by thick strokes and shadows, and has a veto.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      `[1]` for dark ink, `[-1]` for light ink, or both with the likelier first.
    """
    small = downscale(gray, _THRESHOLDS.polarity_side)
    *narrow, widest = _THRESHOLDS.skewness_windows
    skewnesses = [_local_skewness(small, window) for window in narrow]
    if abs(sum(skewnesses)) < _THRESHOLDS.min_narrow_skewness:
        skewnesses.append(_local_skewness(small, widest))
    total = sum(skewnesses)
    likelier = 1 if total >= 0 else -1
    narrowest_agrees = skewnesses[0] * likelier >= 0
    is_clear = abs(total) >= _THRESHOLDS.min_total_skewness
    if is_clear and narrowest_agrees:
        return [likelier]
    return [likelier, -likelier]


def _local_skewness(gray: np.ndarray, window: float) -> float:
    """Computes the skewness of the differences from a median filter."""
    side = kernel_side(gray, window)
    median = cv2.medianBlur(gray, side)
    difference = median.astype(np.float32) - gray
    squares = difference * difference
    cubes = squares * difference
    third_moment = cubes.mean()
    variance = squares.mean() + _MIN_VARIANCE
    return float(third_moment / variance**1.5)


def subtract_background(gray: np.ndarray, sign: int, stroke_width: float) -> np.ndarray:
    """Computes the black top-hat, or the white top-hat for light ink.

    The background is the morphological closing, or the opening for light ink. The
    kernel is wider than a stroke, so that the closing removes the strokes. It follows
    the edges of shadows. Dark ink is divided by the illumination.

    Args:
      gray: `uint8 (height, width)`.
      sign: 1 for dark ink, -1 for light ink.
      stroke_width: side of the kernel, as a fraction of the equivalent side.

    Returns:
      `float32 (height, width)`, levels above the background. Their median is 0.
    """
    closed = _close(gray, sign, stroke_width)
    background = closed.astype(np.float32)
    levels = np.float32(sign) * (background - gray)
    if sign > 0:
        darkest = _THRESHOLDS.min_illumination * background.max() + 1
        illumination = np.maximum(background, darkest)
        levels *= _THRESHOLDS.white_level / illumination
    # The closing is the lightest of the background's noise, and not its median.
    noise_level = upper_median(subsample(levels))
    return levels - noise_level


def _close(gray: np.ndarray, sign: int, stroke_width: float) -> np.ndarray:
    """Closes an image, or opens it for light ink, at a reduced resolution."""
    if stroke_width > _THRESHOLDS.wide_stroke_width:
        small = downscale(gray, _THRESHOLDS.wide_stroke_side)
    else:
        small = downscale(gray, _THRESHOLDS.thin_stroke_side)
    side = kernel_side(small, stroke_width)
    padded = cv2.copyMakeBorder(small, side, side, side, side, cv2.BORDER_REPLICATE)
    kernel = np.ones((side, side), np.uint8)
    operation = cv2.MORPH_CLOSE if sign > 0 else cv2.MORPH_OPEN
    closed = cv2.morphologyEx(padded, operation, kernel)
    closed = closed[side:-side, side:-side]
    if closed.shape == gray.shape:
        return closed
    size = gray.shape[::-1]
    return cv2.resize(closed, size, interpolation=cv2.INTER_LINEAR)


def kernel_side(image: np.ndarray, fraction: float) -> int:
    """Returns a fraction of the equivalent side as an odd number of pixels from 3."""
    side = int(fraction * equivalent_side(image))
    odd_side = side | 1
    return max(3, odd_side)


def is_uniform(pixels: np.ndarray) -> bool:
    """Tells whether the range of levels is that of a uniform area."""
    lightest = int(pixels.max())
    darkest = int(pixels.min())
    return lightest - darkest <= THRESHOLDS.max_uniform_range


def upper_median(values: np.ndarray) -> np.float32:
    """Returns the median, or the upper of the two middle values.

    It is quicker than `np.median`, which looks for NaN and averages two values.
    """
    middle = values.size // 2
    partitioned = values.flatten()
    partitioned.partition(middle)
    return np.float32(partitioned[middle])


def border_pixels(image: np.ndarray) -> np.ndarray:
    """Returns the pixels along the four edges of an image, `(pixels,)`."""
    return border_pixels_batch(image[None])[0]


def border_pixels_batch(images: np.ndarray) -> np.ndarray:
    """Returns the pixels along the four edges of each image, `(N, pixels)`."""
    top = images[:, 0]
    bottom = images[:, -1]
    left = images[:, :, 0]
    right = images[:, :, -1]
    return np.concatenate([top, bottom, left, right], axis=1)


def downscale(gray: np.ndarray, side: int, by_halves: bool = True) -> np.ndarray:
    """Reduces an image to at most as many pixels as a square of `side` has.

    Smaller images are returned as they are, without a copy.

    Args:
      gray: `uint8 (height, width)`.
      side: the side of the square, in pixels.
      by_halves: whether blocks of pixels are averaged first, which is quicker, as long
        as areas of at least 2×2 blocks are left to be averaged.
    """
    scale = side / equivalent_side(gray)
    if scale >= 1:
        return gray
    height, width = gray.shape
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    while by_halves and scale < _THRESHOLDS.max_area_scale / 2:
        gray = halve(gray)
        scale *= 2
    return cv2.resize(gray, size, interpolation=downscale_interpolation(scale))


def halve(gray: np.ndarray) -> np.ndarray:
    """Averages blocks of 2×2 pixels.

    The last row or column of an odd number is left out.
    """
    height, width = (size // 2 for size in gray.shape)
    even = gray[: 2 * height, : 2 * width]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)


def downscale_interpolation(scale: float) -> int:
    """Returns OpenCV's interpolation method for a scale below 1."""
    if scale < _THRESHOLDS.max_area_scale:
        return cv2.INTER_AREA
    return cv2.INTER_LINEAR


def equivalent_side(image: np.ndarray) -> float:
    """Returns the side of a square with as many pixels."""
    return float(np.sqrt(image.size))


def subsample(image: np.ndarray) -> np.ndarray:
    """Returns a view of enough pixels to measure the distribution of their levels."""
    if image.size < _THRESHOLDS.max_exact_pixels:
        return image
    return image[::2, ::2]
