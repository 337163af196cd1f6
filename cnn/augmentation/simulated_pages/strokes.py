"""Strokes of simulated handwriting: a 28×28 character, redrawn with another width."""

import cv2
import numpy as np

# Height in pixels at which a digit is drawn, before a camera or a scanner reduces it.
DIGIT_HEIGHT = 160

# Ink on the 28×28 image starts at this brightness, in [0, 1].
_MIN_INK = 0.3

# Margin around the character, in pixels of its 28×28 image.
_MARGIN = 3

# Blur before the enlarged character is thresholded, in pixels of its 28×28 image.
_ENLARGING_BLUR = 0.45

# Thresholds that are tried for the enlarged character.
_LEVELS = (0.42, 0.5, 0.6, 0.7, 0.8)

# A patch of paper inside the ink counts as a loop from this area on, in square pixels
# of the 28×28 image.
_MIN_LOOP_AREA = 0.2

# The distance to the paper grows by 1 per pixel, except in the middle of a stroke. The
# middle is where it grows less, at a distance of at least 2 pixels.
_MAX_MIDDLE_SLOPE = 0.7
_MIN_MIDDLE_DISTANCE = 2

# The weights of a 3×3 Sobel kernel on one side sum to 4, over a distance of 2 pixels.
_SOBEL_SCALE = 0.125

# Blur of the edges of a digit that keeps its own strokes, in pixels.
_EDGE_BLUR = 1.2

# Half of the width of the detected middle, in pixels, and the least that remains.
_MIDDLE_HALF_WIDTH = 2
_MIN_HALF_WIDTH = 0.7


def render_strokes(
    digit: np.ndarray, width: float, height: int = DIGIT_HEIGHT
) -> np.ndarray:
    """Enlarges a digit and redraws it with strokes of uniform width.

    Args:
      digit: `float32 (28, 28)` in [0, 1].
      width: width of the strokes, as a fraction of the digit's height, or 0 to keep the
        digit's own strokes.
      height: height of the digit, in pixels.

    Returns:
      Coverage, `float32` in [0, 1] with soft edges: the digit and margins.
    """
    enlarged, scale = _enlarge(digit, height)
    min_loop_area = _MIN_LOOP_AREA * scale * scale
    mask = _threshold_keeping_loops(enlarged, min_loop_area)
    if not width:
        return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _EDGE_BLUR)
    middle = _find_middle(mask)
    distance = cv2.distanceTransform(
        1 - middle,
        distanceType=cv2.DIST_L2,
        maskSize=5,
    )
    half_width = width * height / 2 - _MIDDLE_HALF_WIDTH
    half_width = max(half_width, _MIN_HALF_WIDTH)
    coverage = half_width - distance + 0.5
    return np.clip(coverage, 0, 1).astype(np.float32)


def _enlarge(digit: np.ndarray, height: int) -> tuple[np.ndarray, float]:
    """Crops a digit to its ink and enlarges it, with a margin.

    Args:
      digit: `float32 (28, 28)` in [0, 1].
      height: height of the enlarged digit, in pixels. A digit that is more than twice
        as wide as high becomes lower.

    Returns:
      The enlarged digit, smoothed, and the scale.
    """
    rows, columns = bounding_slices(digit > _MIN_INK)
    cropped = digit[rows, columns].astype(np.float32)
    num_rows, num_columns = cropped.shape
    scale = height / max(num_rows, 0.5 * num_columns)
    enlarged = cv2.resize(
        np.pad(cropped, _MARGIN),
        None,
        fx=scale,
        fy=scale,
        interpolation=cv2.INTER_CUBIC,
    )
    smooth = cv2.GaussianBlur(enlarged, (0, 0), _ENLARGING_BLUR * scale)
    return smooth, scale


def bounding_slices(mask: np.ndarray) -> tuple[slice, slice]:
    """Returns the rows and the columns of a mask's bounding box."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    row_slice = slice(rows[0], rows[-1] + 1)
    column_slice = slice(columns[0], columns[-1] + 1)
    return row_slice, column_slice


def _threshold_keeping_loops(enlarged: np.ndarray, min_loop_area: float) -> np.ndarray:
    """Thresholds at the level that keeps most loops open and no stroke broken.

    A stroke is broken if the mask has not as many connected components as at the
    lowest level. The lower level decides between equal numbers of loops.
    """
    lowest_level, *higher_levels = _LEVELS
    best = _threshold(enlarged, lowest_level)
    num_components = _count_components(best)
    most_loops = _count_loops(best, min_loop_area)
    for level in higher_levels:
        mask = _threshold(enlarged, level)
        if _count_components(mask) != num_components:
            continue
        num_loops = _count_loops(mask, min_loop_area)
        if num_loops > most_loops:
            best = mask
            most_loops = num_loops
    return best


def _threshold(image: np.ndarray, level: float) -> np.ndarray:
    """Returns `uint8`, 1 where the image exceeds the level."""
    mask = image > level
    return mask.astype(np.uint8)


def _count_components(mask: np.ndarray) -> int:
    """Counts the connected components of ink, and the background as one more."""
    num_labels, _ = cv2.connectedComponents(mask)
    return num_labels


def _count_loops(mask: np.ndarray, min_area: float) -> int:
    """Counts the patches of paper that ink surrounds."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    num_patches = np.count_nonzero(areas >= min_area)
    # One of the patches is the paper around the character.
    return int(num_patches) - 1


def _find_middle(mask: np.ndarray) -> np.ndarray:
    """Finds the medial axis of strokes, a few pixels wide: `uint8`, 0 or 1."""
    distance = cv2.distanceTransform(
        mask,
        distanceType=cv2.DIST_L2,
        maskSize=5,
    )
    distance = cv2.GaussianBlur(distance, (0, 0), 1)
    slope_x = _sobel(distance, dx=1, dy=0)
    slope_y = _sobel(distance, dx=0, dy=1)
    slope = np.hypot(slope_x, slope_y)
    is_flat = slope < _MAX_MIDDLE_SLOPE
    is_inside = distance > _MIN_MIDDLE_DISTANCE
    return (is_flat & is_inside).astype(np.uint8)


def _sobel(image: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Returns the derivative along x or y, per pixel."""
    return cv2.Sobel(
        image,
        ddepth=-1,
        dx=dx,
        dy=dy,
        scale=_SOBEL_SCALE,
    )
