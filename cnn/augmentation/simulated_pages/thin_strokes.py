"""Thin strokes of simulated handwriting: a character drawn along its middle line.

`strokes` draws a character at one height, which a camera reduces. These strokes are
drawn at the height of the image, so they can be one pixel wide at any height.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT, render_strokes

# Width of the strokes of which the middle line is found, as a fraction of the height.
_TRACED_WIDTH = 0.04
# Coverage from which a pixel belongs to these strokes.
_INK = 0.5
# Half of the window in which points are averaged, in pixels of the traced character. It
# makes a curve of the steps between pixels.
_SMOOTHING_REACH = 4
# Binary digits of the fraction of a coordinate, for OpenCV.
_SHIFT = 4
# Neighbors of which each pair of connected points is listed once, as (row, column).
_FORWARD = ((0, 1), (1, -1), (1, 0), (1, 1))
# Further neighbors in the order around a pixel, from the one above it.
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def render_thin_strokes(digit: np.ndarray, height: int, width: float) -> np.ndarray:
    """Draws a character with strokes of a given width in pixels.

    Args:
      digit: `float32 (28, 28)` in [0, 1].
      height: height of the character, in pixels. It sets the scale for both sides.
      width: width of the strokes, in pixels.

    Returns:
      Coverage, `float32` in [0, 1]: the character and margins.
    """
    traced = render_strokes(digit, _TRACED_WIDTH) > _INK
    skeleton = thin(traced)
    scale = height / DIGIT_HEIGHT
    starts, ends = _trace_segments(skeleton)
    rows, columns = skeleton.shape
    margin = int(np.ceil(width))
    shape = (round(rows * scale) + 2 * margin, round(columns * scale) + 2 * margin)
    paper = np.ones(shape, np.uint8)
    for start, end in zip(starts, ends, strict=True):
        cv2.line(
            paper,
            _to_fixed_point(start * scale + margin),
            _to_fixed_point(end * scale + margin),
            color=0,
            shift=_SHIFT,
        )
    distance = cv2.distanceTransform(paper, cv2.DIST_L2, 5)
    # A line of one pixel has a distance of 0, and its neighbors have one of 1.
    coverage: np.ndarray = np.clip(width / 2 + 0.5 - distance, 0, 1)
    return coverage


def thin(mask: np.ndarray) -> np.ndarray:
    """Thins strokes to lines of one pixel.

    Source: Zhang and Suen, "A fast parallel algorithm for thinning digital patterns",
    1984.

    Args:
      mask: `bool (height, width)`.

    Returns:
      `bool (height, width)`, connected as `mask` is.

    Example:
      >>> stroke = np.zeros((5, 7), bool)
      >>> stroke[1:4, 1:6] = True
      >>> thin(stroke).astype(int)[2]
      array([0, 0, 1, 1, 0, 0, 0])
    """
    padded = np.pad(mask, 1)
    while True:
        before = np.count_nonzero(padded)
        for is_second in (False, True):
            padded &= ~_find_removable(padded, is_second)
        if np.count_nonzero(padded) == before:
            return padded[1:-1, 1:-1]


def _find_removable(padded: np.ndarray, is_second: bool) -> np.ndarray:
    """Returns the pixels that one of the two steps of Zhang and Suen removes."""
    around = [_shift(padded, row, column) for row, column in _AROUND]
    neighbors = np.stack(around)
    count = neighbors.sum(0)
    following = np.roll(neighbors, -1, axis=0)
    num_crossings = (~neighbors & following).sum(0)
    above, right, below, left = neighbors[::2]
    if is_second:
        is_edge = ~(above & right & left) & ~(above & below & left)
    else:
        is_edge = ~(above & right & below) & ~(right & below & left)
    is_middle = (count >= 2) & (count <= 6)
    return padded & is_middle & (num_crossings == 1) & is_edge


def _shift(image: np.ndarray, row: int, column: int) -> np.ndarray:
    """Returns the neighbors at an offset. The image has a margin of 0."""
    return np.roll(image, (-row, -column), axis=(0, 1))


def _trace_segments(skeleton: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both ends of all segments between neighboring pixels of a line.

    Returns:
      Two arrays `float32 (segments, 2)` of x and y, in pixels of the skeleton.
    """
    points = _smooth_points(skeleton)
    padded = np.pad(skeleton, 1)
    starts = []
    ends = []
    for row, column in _FORWARD:
        neighbor = _shift(padded, row, column)[1:-1, 1:-1]
        rows, columns = np.nonzero(skeleton & neighbor)
        starts.append(points[rows, columns])
        ends.append(points[rows + row, columns + column])
    return np.concatenate(starts), np.concatenate(ends)


def _smooth_points(skeleton: np.ndarray) -> np.ndarray:
    """Returns the mean x and y of the line around each pixel, `(height, width, 2)`."""
    window = (2 * _SMOOTHING_REACH + 1,) * 2
    ones = skeleton.astype(np.float32)
    height, width = skeleton.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    sums = [
        cv2.boxFilter(plane * ones, -1, window, normalize=False) for plane in (x, y)
    ]
    count = cv2.boxFilter(ones, -1, window, normalize=False)
    return np.stack(sums, axis=-1) / np.maximum(count, 1)[..., None]


def _to_fixed_point(point: np.ndarray) -> tuple[int, int]:
    x, y = np.rint(point * (1 << _SHIFT)).astype(int).tolist()
    return x, y
