"""The frame that a network reads: a character scaled and centred in 28×28 pixels, as MNIST's makers did.

They scaled a digit to fit 20×20, kept its aspect ratio, and centred it in 28×28 by its centre of mass
(LeCun et al., "Gradient-based learning applied to document recognition", 1998).
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from cnn.preprocessing.thresholds import THRESHOLDS, SegmentationThresholds

IMAGE_SIZE = 28


class Placement(NamedTuple):
    """How a data set's makers placed a character in the frame.

    Attributes:
      box: the longer side of the character, in pixels.
      by_center_of_mass: whether its centre of mass is centred, or its bounding box.
    """

    box: int
    by_center_of_mass: bool


def thicken_strokes(
    strength: np.ndarray, limits: SegmentationThresholds = THRESHOLDS
) -> np.ndarray:
    """Gives the strokes of a large character at least the width that they will need in the frame.

    Args:
      strength: `float32 (height, width)` in [0, 1].
      limits: how thin a stroke may be.

    Returns:
      The same, or with strokes that are wider on both sides.
    """
    mask = (strength > 0.5).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(mask)
    if max(width, height) < 2 * 20:
        return strength
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    # Across a stroke, the distance to its edge is a quarter of its width on average.
    stroke = 4 * float(inside[mask > 0].mean()) - 1
    missing = limits.min_stroke_width * max(width, height) / 20 - stroke
    if missing <= 0:
        return strength
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    return np.maximum(strength, np.clip(missing / 2 + 0.5 - outside, 0, 1)).astype(
        np.float32
    )


def scale_and_center(strength: np.ndarray, fit: Placement) -> np.ndarray:
    """Scales characters to the box of `fit` and centres them in the frame.

    Args:
      strength: `float32 (N, height, width)` in [0, 1], none of them all 0.
      fit: where to.

    Returns:
      `float32 (N, 28, 28)` in [0, 1].
    """
    first, last = _bounding_boxes(strength > 0.2 * strength.max((1, 2), keepdims=True))
    scale = fit.box / (last - first).max(1)
    if (
        fit.by_center_of_mass
    ):  # MNIST's lie at pixel 14, counted from 0: half a pixel beyond the middle.
        middle = (
            _centers_of_mass(strength, first - 1, last + 1) + 0.5
        )  # Spots further off have no say.
        corner = middle - 14.5 / scale[:, None]
    else:
        corner = (first + last) / 2 - IMAGE_SIZE / 2 / scale[:, None]
    fits = (scale > 0.88) & (
        scale < 1.12
    )  # Resampling blurs; what nearly fits keeps its pixels.
    frames = np.empty((len(strength), IMAGE_SIZE, IMAGE_SIZE), np.float32)
    frames[fits] = _crop(strength[fits], np.floor(corner[fits] + 0.5).astype(int))
    for i in np.flatnonzero(~fits):
        frames[i] = _resample_square(strength[i], corner[i], IMAGE_SIZE / scale[i])
    return np.clip(frames / frames.max((1, 2), keepdims=True), 0, 1)


def _bounding_boxes(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first row and column that has something, and those after the last, `int (N, 2)`."""
    sides = [np.any(mask, axis=axis) for axis in (2, 1)]
    first = [side.argmax(1) for side in sides]
    last = [side.shape[1] - side[:, ::-1].argmax(1) for side in sides]
    return np.stack(first, 1), np.stack(last, 1)


def _centers_of_mass(
    strength: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Returns rows and columns, `float64 (N, 2)`, of what lies between `first` and `last`.

    Of small pictures, 64 bits hold these sums without rounding, so that no order of adding changes them.
    """
    places = [np.arange(n) for n in strength.shape[1:]]
    within = [
        (at >= first[:, i, None]) & (at < last[:, i, None])
        for i, at in enumerate(places)
    ]
    strength = np.where(within[0][:, :, None] & within[1][:, None, :], strength, 0)
    rows, columns = (strength.sum(axis, dtype=float) for axis in (2, 1))
    return np.stack([rows @ places[0], columns @ places[1]], 1) / rows.sum(
        1, keepdims=True
    )


def _crop(strength: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Cuts the frame out of each picture, from its corner at (row, column) on; beyond the picture is 0."""
    at = corner[:, :, None] + np.arange(IMAGE_SIZE)
    inside = (at >= 0) & (at < np.array(strength.shape[1:])[:, None])
    (rows, columns), within = (
        np.where(inside, at, 0).swapaxes(0, 1),
        inside.swapaxes(0, 1),
    )
    each = np.arange(len(strength))[:, None, None]
    cut = strength[each, rows[:, :, None], columns[:, None, :]]
    return cut * (within[0][:, :, None] & within[1][:, None, :])


def _resample_square(
    strength: np.ndarray, corner: np.ndarray, side: float
) -> np.ndarray:
    """Resamples a square, with its corner at (row, column), to the frame; beyond the picture is 0."""
    (top, left), (rows, columns) = corner.tolist(), strength.shape
    reach = 2 * max(1, side / IMAGE_SIZE) + 1  # As far as a bicubic filter looks.
    above, before = max(0, math.ceil(reach - top)), max(0, math.ceil(reach - left))
    below, behind = (
        max(0, math.ceil(top + side + reach - rows)),
        max(0, math.ceil(left + side + reach - columns)),
    )
    padded = cv2.copyMakeBorder(
        strength, above, below, before, behind, cv2.BORDER_CONSTANT, value=0
    )
    top, left = top + above, left + before
    box = (left, top, left + side, top + side)
    return np.asarray(
        Image.fromarray(padded).resize(
            (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC, box
        )
    )
