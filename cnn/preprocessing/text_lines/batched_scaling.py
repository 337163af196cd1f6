"""Makes the network inputs of all pieces of a line at once.

The results are those of `centering.thicken_strokes` and `centering.scale_and_center`:
the bicubic filter is two matrix products here.
"""

import cv2
import numpy as np

from cnn.preprocessing.centering import (
    IMAGE_SIZE,
    MAX_KEPT_SCALE,
    MIN_KEPT_SCALE,
    Placement,
    find_windows,
)
from cnn.preprocessing.thresholds import THRESHOLDS

# Longer side of a digit in MNIST, in pixels. Strokes of pieces of twice this size in
# the picture are measured, as in `centering.thicken_strokes`.
_MNIST_BOX = 20
# Coverage above which a pixel belongs to a stroke whose width is measured.
_STROKE_THRESHOLD = 0.5
# Parameter of the bicubic filter, as in Pillow.
_BICUBIC = -0.5
# Pixels outside of the mask that a filter at its edge reaches, at most.
_OUTSIDE = 8
# Empty rows between stacked masks: more than the ink is widened.
_GAP = 4


def scale_pieces(
    masks: np.ndarray, placement: Placement, is_reduced: bool
) -> np.ndarray:
    """Scales pieces to the placement's box and centers them in the network input.

    Args:
      masks: `float32 (N, height, width)` in [0, 1], each with ink, which is at least 4
        pixels from the left and right edges.
      placement: size and position of a character.
      is_reduced: whether the pieces were larger in the picture.

    Returns:
      `float32 (N, 28, 28)` in [0, 1], each with maximum 1.
    """
    widened = _widen_strokes(masks, _MNIST_BOX if is_reduced else 2 * _MNIST_BOX)
    corner, scale = find_windows(widened, placement)
    is_kept = (scale > MIN_KEPT_SCALE) & (scale < MAX_KEPT_SCALE)
    corner = np.where(is_kept[:, None], np.floor(corner + 0.5), corner)
    scale = np.where(is_kept, 1, scale)
    _, height, width = masks.shape
    rows = _filter_weights(corner[:, 0], scale, height)
    columns = _filter_weights(corner[:, 1], scale, width)
    images = rows @ widened @ columns.transpose(0, 2, 1)
    maximum = np.maximum(images.max((1, 2), keepdims=True), 1e-6)
    return np.clip(images / maximum, 0, 1)


def _filter_weights(start: np.ndarray, scale: np.ndarray, size: int) -> np.ndarray:
    """Computes the weights of each pixel in each row of the network input.

    Args:
      start: `float64 (N,)`, where the 28 rows begin.
      scale: `float64 (N,)`, rows of the network input per pixel.
      size: number of pixels.

    Returns:
      `float32 (N, 28, size)`.
    """
    step = 1 / scale
    support = np.maximum(step, 1)[:, None, None]
    centers = start[:, None] + (np.arange(IMAGE_SIZE) + 0.5) * step[:, None]
    pixels = np.arange(-_OUTSIDE, size + _OUTSIDE)
    distance = (pixels + 0.5 - centers[:, :, None]) / support
    weights = _bicubic(np.abs(distance).astype(np.float32))
    # The sum of each filter is 1, with the pixels outside of the mask.
    total = weights.sum(2, keepdims=True)
    inside = weights[:, :, _OUTSIDE:-_OUTSIDE]
    normalized: np.ndarray = inside / np.where(total == 0, 1, total)
    return normalized


def _bicubic(x: np.ndarray) -> np.ndarray:
    """Evaluates the bicubic filter at distances, `float32`, of at least 0."""
    a = np.float32(_BICUBIC)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _widen_strokes(masks: np.ndarray, min_size: int) -> np.ndarray:
    """Widens thin strokes of large pieces, as `centering.thicken_strokes` does."""
    strokes = (masks > _STROKE_THRESHOLD).astype(np.uint8)
    sizes = np.maximum(_extent(strokes.max(1)), _extent(strokes.max(2)))
    is_measured = sizes >= min_size
    if not is_measured.any():
        return masks
    measured = strokes[is_measured]
    inner = _distances(measured)
    count = np.maximum(measured.sum((1, 2)), 1)
    stroke_width = 4 * inner.sum((1, 2)) / count - 1
    min_width = THRESHOLDS.min_stroke_width * sizes[is_measured] / _MNIST_BOX
    missing = (min_width - stroke_width).astype(np.float32)
    if (missing <= 0).all():
        return masks
    outer = _distances(1 - measured, fill=1)
    coverage = np.clip(missing[:, None, None] / 2 + 0.5 - outer, 0, 1)
    coverage[missing <= 0] = 0
    widened = masks.copy()
    widened[is_measured] = np.maximum(masks[is_measured], coverage)
    return widened


def _extent(strokes: np.ndarray) -> np.ndarray:
    """Returns the length from the first to the last 1 of each row, `int (N,)`."""
    length = strokes.shape[1]
    last = length - strokes[:, ::-1].argmax(1)
    return np.where(strokes.max(1) > 0, last - strokes.argmax(1), 0)


def _distances(binary: np.ndarray, fill: int = 0) -> np.ndarray:
    """Returns the distance of each pixel that is 1 to the next 0, `float32`.

    Args:
      binary: `uint8 (N, height, width)`. They are stacked with a gap.
      fill: the value of the gap.
    """
    gaps = ((0, 0), (_GAP, _GAP), (0, 0))
    stacked = np.pad(binary, gaps, constant_values=fill)
    flat = stacked.reshape(-1, binary.shape[2])
    distance = cv2.distanceTransform(flat, cv2.DIST_L2, 5)
    return distance.reshape(stacked.shape)[:, _GAP:-_GAP]
