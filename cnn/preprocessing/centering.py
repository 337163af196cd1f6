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
MIN_KEPT_SCALE = 0.88
MAX_KEPT_SCALE = 1.12


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
    min_width = THRESHOLDS.min_stroke_width * size / _MNIST_BOX
    stroke_width = _measure_stroke_width(strokes)
    missing_width = min_width - stroke_width
    if missing_width <= 0:
        return mask
    background = 1 - strokes
    distance = cv2.distanceTransform(background, cv2.DIST_L2, 5)
    # The new edge is antialiased: its coverage falls from 1 to 0 within one pixel.
    reach = missing_width / 2 + 0.5
    coverage = np.clip(reach - distance, 0, 1)
    widened = np.maximum(mask, coverage)
    return widened.astype(np.float32)


def _measure_stroke_width(strokes: np.ndarray) -> float:
    """Returns the mean width in pixels of the strokes, `uint8 (height, width)`."""
    distance_to_edge = cv2.distanceTransform(strokes, cv2.DIST_L2, 5)
    is_stroke = strokes > 0
    mean_distance = distance_to_edge[is_stroke].mean()
    # The mean distance to the edge, across a stroke, is a quarter of its width.
    return 4 * float(mean_distance) - 1


def scale_and_center(masks: np.ndarray, placement: Placement) -> np.ndarray:
    """Scales characters to the placement's box and centers them in the network input.

    Args:
      masks: `float32 (N, height, width)` in [0, 1], each with ink.
      placement: size and position of the character.

    Returns:
      `float32 (N, 28, 28)` in [0, 1], each with maximum 1.
    """
    corner, scale = find_windows(masks, placement)
    is_reduced = scale <= MIN_KEPT_SCALE
    is_enlarged = scale >= MAX_KEPT_SCALE
    is_resampled = is_reduced | is_enlarged
    is_kept = ~is_resampled
    shape = (len(masks), IMAGE_SIZE, IMAGE_SIZE)
    images = np.empty(shape, np.float32)
    nearest_pixel = np.floor(corner[is_kept] + 0.5)
    images[is_kept] = _crop(masks[is_kept], nearest_pixel.astype(int))
    for i in np.flatnonzero(is_resampled):
        side = IMAGE_SIZE / scale[i]
        images[i] = _resample_square(masks[i], corner[i], side)
    images /= images.max((1, 2), keepdims=True)
    return np.clip(images, 0, 1, out=images)


def find_windows(
    masks: np.ndarray, placement: Placement
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the square of each mask that becomes the network input.

    Returns:
      `float64 (N, 2)`, row and column of the square's upper left corner, and
      `float64 (N,)`, the scale from the mask to the network input.
    """
    first, last = _bounding_boxes(masks)
    sides = last - first
    longer_side = sides.max(1)
    scale = placement.box / longer_side
    if placement.by_center_of_mass:
        # Ink more than one pixel outside of the bounding box is noise.
        mean_index = _centers_of_mass(masks, first - 1, last + 1)
        # The center of pixel 0 lies at 0.5.
        center = mean_index + 0.5
        offset = _MNIST_CENTER
    else:
        center = (first + last) / 2
        offset = IMAGE_SIZE / 2
    offset_in_mask = offset / scale
    corner = center - offset_in_mask[:, None]
    return corner, scale


def _bounding_boxes(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first (row, column) with ink and the one after the last, `(N, 2)`."""
    maximum = masks.max((1, 2), keepdims=True)
    min_coverage = _BOX_THRESHOLD * maximum
    ink = masks > min_coverage
    if len(masks) == 1:
        x, y, width, height = cv2.boundingRect(ink[0].view(np.uint8))
        return np.array([[y, x]]), np.array([[y + height, x + width]])
    has_ink_in_row = ink.any(axis=2)
    has_ink_in_column = ink.any(axis=1)
    top, bottom = _find_extents(has_ink_in_row)
    left, right = _find_extents(has_ink_in_column)
    first = np.stack([top, left], axis=1)
    last = np.stack([bottom, right], axis=1)
    return first, last


def _find_extents(profiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first true index of each row, and the one after the last, `(N,)`."""
    _, length = profiles.shape
    first = profiles.argmax(1)
    backwards = profiles[:, ::-1]
    num_behind = backwards.argmax(1)
    last = length - num_behind
    return first, last


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
    top, left = first.min(0).clip(0).tolist()
    bottom, right = last.max(0).tolist()
    masks = masks[:, top:bottom, left:right]
    _, height, width = masks.shape
    rows = np.arange(top, top + height)
    columns = np.arange(left, left + width)
    if len(masks) > 1:
        in_rows = _is_between(rows, first[:, 0], last[:, 0])
        in_columns = _is_between(columns, first[:, 1], last[:, 1])
        is_inside = in_rows[:, :, None] & in_columns[:, None, :]
        masks = masks * is_inside
    row_sums = masks.sum(2, dtype=float)
    column_sums = masks.sum(1, dtype=float)
    row_moment = row_sums @ rows
    column_moment = column_sums @ columns
    moments = np.stack([row_moment, column_moment], axis=1)
    mass = row_sums.sum(1, keepdims=True)
    return moments / mass


def _is_between(indices: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Tells which indices lie in each range, `bool (N, indices)`."""
    is_after_start = indices >= first[:, None]
    is_before_end = indices < last[:, None]
    return is_after_start & is_before_end


def _crop(masks: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Crops 28×28 pixels from each mask, 0 outside of it.

    Args:
      masks: `float32 (N, height, width)`.
      corner: `int (N, 2)`, row and column of the upper left corner.

    Returns:
      `float32 (N, 28, 28)`.
    """
    cropped = np.zeros((len(masks), IMAGE_SIZE, IMAGE_SIZE), masks.dtype)
    # A slice of each image takes less time than indices of the pixels of all.
    for image, mask, (top, left) in zip(cropped, masks, corner.tolist(), strict=True):
        inside = mask[max(top, 0) : top + IMAGE_SIZE, max(left, 0) : left + IMAGE_SIZE]
        height, width = inside.shape
        above, before = max(-top, 0), max(-left, 0)
        image[above : above + height, before : before + width] = inside
    return cropped


def _resample_square(mask: np.ndarray, corner: np.ndarray, side: float) -> np.ndarray:
    """Resamples a square of a mask to 28×28 pixels by bicubic interpolation.

    Args:
      mask: `float32 (height, width)`, taken as 0 outside.
      corner: `float64 (2,)`, row and column of the square's upper left corner.
      side: side of the square, in pixels.

    Returns:
      `float32 (28, 28)`.
    """
    height, width = mask.shape
    top, left = corner.tolist()
    # The bicubic filter reads two pixels of the larger scale on each side.
    margin = 2 * max(1, side / IMAGE_SIZE) + 1
    above, below = _missing_pixels(top, side, margin, height)
    before, behind = _missing_pixels(left, side, margin, width)
    padded = cv2.copyMakeBorder(
        mask,
        above,
        below,
        before,
        behind,
        cv2.BORDER_CONSTANT,
        value=0,
    )
    top += above
    left += before
    square = (left, top, left + side, top + side)
    image = Image.fromarray(padded)
    resized = image.resize(
        (IMAGE_SIZE, IMAGE_SIZE),
        Image.Resampling.BICUBIC,
        box=square,
    )
    return np.asarray(resized)


def _missing_pixels(
    start: float, side: float, margin: float, size: int
) -> tuple[int, int]:
    """Counts the pixels before 0 and behind `size` that a window with margin reads."""
    end = start + side
    num_before = math.ceil(margin - start)
    num_behind = math.ceil(end + margin - size)
    return max(0, num_before), max(0, num_behind)
