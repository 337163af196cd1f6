"""Scales a character and centers it in the 28×28 network input, like those of MNIST.

MNIST's makers scaled each digit to fit a box of 20×20 pixels, kept its aspect ratio,
and centered it in 28×28 pixels by its center of mass.

Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from cnn.preprocessing.thresholds import THRESHOLDS

# Width and height of the network input, in pixels.
IMAGE_SIZE = 28
# Longer side of a digit in MNIST, in pixels.
_MNIST_BOX = 20
# MNIST centers by mass at pixel 14, counted from 0. The center of that pixel lies half
# a pixel beyond the middle of the image.
_MNIST_CENTER = 14.5
# Coverage above which a pixel belongs to a stroke whose width is measured.
_STROKE_THRESHOLD = 0.5
# Coverage above which a pixel belongs to the bounding box, as a fraction of the
# maximum. Antialiasing leaves less outside the strokes.
_BOX_THRESHOLD = 0.2
# Scales at which the pixels are kept, because resampling would only blur them.
_MIN_KEPT_SCALE = 0.88
_MAX_KEPT_SCALE = 1.12


class Placement(NamedTuple):
    """Size and position of a character in the images of a data set.

    Attributes:
      box: longer side of the character, in pixels.
      by_center_of_mass: whether the image is centered on the character's center of
        mass, or on its bounding box.
    """

    box: int
    by_center_of_mass: bool


def thicken_strokes(mask: np.ndarray) -> np.ndarray:
    """Widens thin strokes of a large character, which scaling would make too faint.

    Args:
      mask: `float32 (height, width)` in [0, 1], the ink's coverage of each pixel.

    Returns:
      A mask with strokes of at least `THRESHOLDS.min_stroke_width` pixels after
      scaling, or `mask` itself if the strokes are wide enough.
    """
    strokes = (mask > _STROKE_THRESHOLD).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(strokes)
    size = max(width, height)
    if size < 2 * _MNIST_BOX:
        return mask
    distance_inside = cv2.distanceTransform(strokes, cv2.DIST_L2, 5)
    # The mean distance to the edge, across a stroke, is a quarter of its width.
    stroke_width = 4 * float(distance_inside[strokes > 0].mean()) - 1
    missing_width = THRESHOLDS.min_stroke_width * size / _MNIST_BOX - stroke_width
    if missing_width <= 0:
        return mask
    distance_outside = cv2.distanceTransform(1 - strokes, cv2.DIST_L2, 5)
    widened = np.clip(missing_width / 2 + 0.5 - distance_outside, 0, 1)
    return np.maximum(mask, widened).astype(np.float32)


def scale_and_center(masks: np.ndarray, placement: Placement) -> np.ndarray:
    """Scales characters to the placement's box and centers them in the network input.

    Args:
      masks: `float32 (N, height, width)` in [0, 1], each with ink.
      placement: size and position of the character.

    Returns:
      `float32 (N, 28, 28)` in [0, 1], each with maximum 1.
    """
    first, last = _bounding_boxes(masks)
    scale = placement.box / (last - first).max(1)
    if placement.by_center_of_mass:
        # Ink more than one pixel outside of the bounding box is noise.
        center = _centers_of_mass(masks, first - 1, last + 1) + 0.5
        corner = center - _MNIST_CENTER / scale[:, None]
    else:
        corner = (first + last) / 2 - IMAGE_SIZE / 2 / scale[:, None]
    is_kept = (scale > _MIN_KEPT_SCALE) & (scale < _MAX_KEPT_SCALE)
    images = np.empty((len(masks), IMAGE_SIZE, IMAGE_SIZE), np.float32)
    images[is_kept] = _crop(masks[is_kept], np.floor(corner[is_kept] + 0.5).astype(int))
    for i in np.flatnonzero(~is_kept):
        images[i] = _resample_square(masks[i], corner[i], IMAGE_SIZE / scale[i])
    return np.clip(images / images.max((1, 2), keepdims=True), 0, 1)


def _bounding_boxes(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first (row, column) with ink and the one after the last, `(N, 2)`."""
    ink = masks > _BOX_THRESHOLD * masks.max((1, 2), keepdims=True)
    profiles = [np.any(ink, axis=2), np.any(ink, axis=1)]
    first = [profile.argmax(1) for profile in profiles]
    last = [profile.shape[1] - profile[:, ::-1].argmax(1) for profile in profiles]
    return np.stack(first, 1), np.stack(last, 1)


def _centers_of_mass(
    masks: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Returns the center of mass of each mask between `first` and `last`.

    Adds in float64, which holds the sums of a small mask without rounding. Therefore
    the result does not depend on the order of addition, nor on the batch.

    Args:
      masks: `float32 (N, height, width)`.
      first: `int (N, 2)`, first row and column.
      last: `int (N, 2)`, row and column after the last.

    Returns:
      `float64 (N, 2)`, row and column.
    """
    rows = np.arange(masks.shape[1])
    columns = np.arange(masks.shape[2])
    in_rows = (rows >= first[:, 0, None]) & (rows < last[:, 0, None])
    in_columns = (columns >= first[:, 1, None]) & (columns < last[:, 1, None])
    in_box = in_rows[:, :, None] & in_columns[:, None, :]
    masks = np.where(in_box, masks, 0)
    row_sums = masks.sum(2, dtype=float)
    column_sums = masks.sum(1, dtype=float)
    moments = np.stack([row_sums @ rows, column_sums @ columns], 1)
    return moments / row_sums.sum(1, keepdims=True)


def _crop(masks: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Crops 28×28 pixels from each mask, 0 outside of it.

    Args:
      masks: `float32 (N, height, width)`.
      corner: `int (N, 2)`, row and column of the upper left corner.

    Returns:
      `float32 (N, 28, 28)`.
    """
    pixels = corner[:, :, None] + np.arange(IMAGE_SIZE)
    is_inside = (pixels >= 0) & (pixels < np.array(masks.shape[1:])[:, None])
    pixels = np.where(is_inside, pixels, 0)
    index = np.arange(len(masks))[:, None, None]
    cropped = masks[index, pixels[:, 0, :, None], pixels[:, 1, None, :]]
    return cropped * (is_inside[:, 0, :, None] & is_inside[:, 1, None, :])


def _resample_square(mask: np.ndarray, corner: np.ndarray, side: float) -> np.ndarray:
    """Resamples a square of a mask to 28×28 pixels by bicubic interpolation.

    Args:
      mask: `float32 (height, width)`, taken as 0 outside.
      corner: `float64 (2,)`, row and column of the square's upper left corner.
      side: of the square, in pixels.

    Returns:
      `float32 (28, 28)`.
    """
    height, width = mask.shape
    top, left = corner.tolist()
    # The bicubic filter reads two pixels of the larger scale on each side.
    margin = 2 * max(1, side / IMAGE_SIZE) + 1
    above = max(0, math.ceil(margin - top))
    below = max(0, math.ceil(top + side + margin - height))
    before = max(0, math.ceil(margin - left))
    behind = max(0, math.ceil(left + side + margin - width))
    padded = cv2.copyMakeBorder(
        mask, above, below, before, behind, cv2.BORDER_CONSTANT, value=0
    )
    left += before
    top += above
    square = (left, top, left + side, top + side)
    image = Image.fromarray(padded)
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, square))
