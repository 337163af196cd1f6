"""The frame that a network reads: a character scaled and centred in 28×28 pixels, as MNIST's makers did.

They scaled a digit to fit 20×20, kept its aspect ratio, and centred it in 28×28 by its centre of mass
(LeCun et al., "Gradient-based learning applied to document recognition", 1998).
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from cnn.images.limits import LIMITS, Limits

FRAME = 28


class Fit(NamedTuple):
    """How a data set's makers placed a character in the frame.

    Attributes:
      box: the longer side of the character, in pixels.
      by_mass: whether its centre of mass is centred, or its bounding box.
    """

    box: int
    by_mass: bool


def widened(strength: np.ndarray, limits: Limits = LIMITS) -> np.ndarray:
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
    missing = limits.thinnest * max(width, height) / 20 - stroke
    if missing <= 0:
        return strength
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    return np.maximum(strength, np.clip(missing / 2 + 0.5 - outside, 0, 1)).astype(np.float32)


def place(strength: np.ndarray, fit: Fit) -> np.ndarray:
    """Scales a character to the box of `fit` and centres it in the frame.

    Args:
      strength: `float32 (height, width)` in [0, 1], not all 0.
      fit: where to.

    Returns:
      `float32 (28, 28)` in [0, 1].
    """
    left, top, width, height = cv2.boundingRect((strength > 0.2 * strength.max()).astype(np.uint8))
    first, last = np.array([top, left]), np.array([top + height, left + width])
    scale = fit.box / max(width, height)
    if fit.by_mass:  # MNIST's lie at pixel 14, counted from 0: half a pixel beyond the middle.
        start = np.maximum(first - 1, 0)  # Faint spots further off have no say.
        corner = start + _centre_of_mass(strength[start[0] : last[0] + 1, start[1] : last[1] + 1]) + 0.5
        corner -= 14.5 / scale
    else:
        corner = (first + last) / 2 - FRAME / 2 / scale
    if 0.88 < scale < 1.12:  # Resampling blurs; what nearly fits keeps its pixels.
        corner, scale = np.rint(corner), 1.0
    frame = _cut_square(strength, corner, FRAME / scale)
    return np.clip(frame / frame.max(), 0, 1)


def _centre_of_mass(strength: np.ndarray) -> np.ndarray:
    rows, columns = strength.sum(1), strength.sum(0)
    return np.array([rows @ np.arange(len(rows)), columns @ np.arange(len(columns))]) / rows.sum()


def _cut_square(strength: np.ndarray, corner: np.ndarray, side: float) -> np.ndarray:
    """Resamples a square, with its corner at (row, column), to the frame; beyond the picture is 0."""
    (top, left), (rows, columns) = corner.tolist(), strength.shape
    above, before = max(0, math.ceil(-top)), max(0, math.ceil(-left))
    below, behind = max(0, math.ceil(top + side - rows)), max(0, math.ceil(left + side - columns))
    padded = cv2.copyMakeBorder(strength, above, below, before, behind, cv2.BORDER_CONSTANT, value=0)
    top, left = top + above, left + before
    if side == FRAME:
        return padded[int(top) : int(top) + FRAME, int(left) : int(left) + FRAME]
    box = (left, top, min(left + side, padded.shape[1]), min(top + side, padded.shape[0]))
    return np.asarray(Image.fromarray(padded).resize((FRAME, FRAME), Image.Resampling.BICUBIC, box))
