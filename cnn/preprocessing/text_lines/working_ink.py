"""Brings the ink of a text line to the resolution at which it is cut.

More than about two pixels per pixel of the network input only cost time, and the
slant of the hand would make every cut longer.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.component_labels import NEIGHBORHOOD

# Coverage above which a pixel is ink.
INK_THRESHOLD = 0.4
# Height of a digit, in pixels, to which larger ones are reduced, and from which on.
# A digit has 20 pixels in the network input.
_WORKING_HEIGHT = 36
_MAX_HEIGHT = 50
# Least width of a stroke before the reduction, as a fraction of a digit's height:
# two working pixels and a half, so that its width can be measured afterwards.
_MIN_STROKE = 2.5 / _WORKING_HEIGHT
# Components of at least this fraction of the highest one tell the height of a digit.
_MIN_TALL = 0.5
# Quantile of their sizes that is the height of a digit. Some hands have long tails.
_HEIGHT_QUANTILE = 0.6
# Height of the line's other digits, as a fraction of the width of a flat one, and the
# greatest width of one digit, as a fraction of its height.
_FLAT_SIZE = 0.85
_MAX_SINGLE_ASPECT = 1.8
# Most components of a line. The smallest of more are specks, and cost much time.
MAX_COMPONENTS = 80
# Empty pixels around the ink, in which strokes are widened.
MARGIN = 4
# Greatest slope of an edge that tells the slant, in pixels sideways per pixel upwards.
_MAX_EDGE_SLOPE = 1.2
# Smallest slant that is removed, in the same unit: a few digits always lean a little.
_MIN_SLANT = 0.1


class WorkingInk(NamedTuple):
    """The ink of a text line, cropped, and reduced if it is large.

    Attributes:
      mask: `float32 (height, width)` in [0, 1], with `MARGIN` empty pixels around.
      labels: `int32 (height, width)`, connected component of each ink pixel, from 1.
      num_labels: number of components, including the background.
      boxes: `int (num_labels, 4)`, left, top, right and bottom of each.
      digit_height: height of a digit, in pixels.
      stroke_width: mean width of the strokes, in pixels.
      slant: of the hand, in pixels to the right per pixel upwards.
      scale: pixels of `mask` per pixel of the line.
      offset: `float64 (2,)`, column and row of the line at the corner of `mask`.
    """

    mask: np.ndarray
    labels: np.ndarray
    num_labels: int
    boxes: np.ndarray
    digit_height: float
    stroke_width: float
    slant: float
    scale: float
    offset: np.ndarray

    def to_line(self, boxes: np.ndarray) -> np.ndarray:
        """Converts boxes, `(N, 4)`, to pixels of the line, `float32 (N, 4)`."""
        moved = boxes / self.scale + np.tile(self.offset, 2)
        return moved.astype(np.float32)


def find_working_ink(mask: np.ndarray) -> WorkingInk | None:
    """Crops and reduces the ink of a text line, and measures it.

    Args:
      mask: `float32 (height, width)` in [0, 1], the ink of the line.

    Returns:
      The ink, or None if there is none.
    """
    left, top, width, height = cv2.boundingRect((mask > INK_THRESHOLD).astype(np.uint8))
    if not width:
        return None
    offset = np.array([left, top], float) - 1
    ink = _crop(mask, left - 1, top - 1, width + 2, height + 2)
    binary = (ink > INK_THRESHOLD).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(binary)
    digit_height = _estimate_digit_height(stats[1:, 2], stats[1:, 3])
    scale = 1.0
    if digit_height > _MAX_HEIGHT:
        scale = _WORKING_HEIGHT / digit_height
        ink = _reduce(ink, scale, _MIN_STROKE * digit_height)
    padded = cv2.copyMakeBorder(
        ink, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0
    )
    return _measure(padded, scale, offset - MARGIN / scale)


def _crop(mask: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """Crops a box that may begin one pixel outside of the image."""
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return padded[top + 1 : top + 1 + height, left + 1 : left + 1 + width]


def _estimate_digit_height(widths: np.ndarray, heights: np.ndarray) -> float:
    """Returns a typical size of the tall components, weighted by their widths."""
    is_tall = heights >= _MIN_TALL * heights.max()
    # A flat digit is lower than the others. What is wider has several digits.
    is_single = widths <= _MAX_SINGLE_ASPECT * heights
    flat_sizes = np.minimum(_FLAT_SIZE * widths, heights.max())
    sizes = np.where(is_single, np.maximum(heights, flat_sizes), heights)
    # A wide component may hold several digits, a bar or a speck none.
    weights = np.where(is_tall, np.maximum(widths, heights / 2), 0).astype(float)
    order = np.argsort(sizes, kind="stable")
    cumulative = np.cumsum(weights[order])
    rank = np.searchsorted(cumulative, _HEIGHT_QUANTILE * cumulative[-1])
    return max(float(sizes[order[rank]]), _MIN_TALL * float(heights.max()), 1.0)


def _reduce(ink: np.ndarray, scale: float, min_stroke: float) -> np.ndarray:
    """Reduces the ink of a line, and widens strokes that would become too faint."""
    binary = (ink > INK_THRESHOLD).astype(np.uint8)
    missing = min_stroke - measure_stroke_width(binary)
    if missing > 0:
        distance = cv2.distanceTransform(1 - binary, cv2.DIST_L2, 5)
        ink = np.maximum(ink, np.clip(missing / 2 + 0.5 - distance, 0, 1))
    height, width = ink.shape
    # Whole pixels of the reduced ink cover whole pixels of the line.
    size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
    bottom = max(0, round(size[1] / scale) - height)
    right = max(0, round(size[0] / scale) - width)
    whole = cv2.copyMakeBorder(ink, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=0)
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA)


def measure_stroke_width(binary: np.ndarray) -> float:
    """Returns the mean width in pixels of the strokes, `uint8 (height, width)`."""
    distance = cv2.distanceTransform(binary, cv2.DIST_L2, 3)
    # The mean distance to the edge, across a stroke, is a quarter of its width.
    return max(1.0, 4 * float(distance[binary > 0].mean()) - 1)


def _measure(mask: np.ndarray, scale: float, offset: np.ndarray) -> WorkingInk | None:
    """Labels the components of the working ink, and measures height and slant."""
    binary = (mask > INK_THRESHOLD).astype(np.uint8)
    num_labels, labels, stats, _ = cv2.connectedComponentsWithStats(binary)
    if num_labels < 2:
        return None
    if num_labels > MAX_COMPONENTS + 1:
        return _measure(_erase_specks(mask, labels, stats[:, 4]), scale, offset)
    left, top, width, height = stats[:, :4].T
    return WorkingInk(
        mask=mask,
        labels=labels,
        num_labels=num_labels,
        boxes=np.stack([left, top, left + width, top + height], 1),
        digit_height=_estimate_digit_height(width[1:], height[1:]),
        stroke_width=measure_stroke_width(binary),
        slant=_estimate_slant(mask),
        scale=scale,
        offset=offset,
    )


def _erase_specks(
    mask: np.ndarray, labels: np.ndarray, areas: np.ndarray
) -> np.ndarray:
    """Keeps the largest components of a mask.

    Args:
      mask: `float32 (height, width)`, the ink's coverage.
      labels: `int32 (height, width)`, its components.
      areas: `int (labels,)`, their pixels. The first is the background.
    """
    largest = np.argsort(-areas[1:], kind="stable")[:MAX_COMPONENTS] + 1
    is_kept = np.zeros(len(areas), bool)
    is_kept[largest] = True
    near = cv2.dilate(is_kept[labels].astype(np.uint8), NEIGHBORHOOD) > 0
    is_dropped = (labels > 0) & ~is_kept[labels]
    return np.where(near & ~is_dropped, mask, 0)


def _estimate_slant(mask: np.ndarray) -> float:
    """Estimates the slant of the hand from the edges of the steep strokes.

    Args:
      mask: `float32 (height, width)`, the ink's coverage.

    Returns:
      Pixels to the right per pixel upwards, 0 for an upright hand.
    """
    across = cv2.Sobel(mask, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(mask, cv2.CV_32F, 0, 1)
    is_steep = np.abs(down) < _MAX_EDGE_SLOPE * np.abs(across)
    across, down = across[is_steep].astype(float), down[is_steep].astype(float)
    # The slope of an edge is that of the gradient, at a right angle to it.
    slant = float(across @ down) / max(float(across @ across), 1e-6)
    return 0.0 if abs(slant) < _MIN_SLANT else slant


def row_shifts(height: int, slant: float) -> np.ndarray:
    """Returns the columns by which rows move to the right without the slant.

    Args:
      height: number of rows.
      slant: pixels to the right per pixel upwards.

    Returns:
      `int (height,)`, at least 0.
    """
    shifts = np.floor(slant * np.arange(height) + 0.5).astype(int)
    return shifts - shifts.min()


def shift_rows(image: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Moves each row to the right, and widens the image.

    Args:
      image: `(height, width)`.
      shifts: `int (height,)`, at least 0.

    Returns:
      `(height, width + shifts.max())`, 0 where nothing was.
    """
    height, width = image.shape
    moved = np.zeros((height, width + int(shifts.max())), image.dtype)
    for row, shift in enumerate(shifts.tolist()):
        moved[row, shift : shift + width] = image[row]
    return moved
