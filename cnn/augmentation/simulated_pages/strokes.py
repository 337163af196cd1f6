"""Handwriting on simulated pages: strokes of a chosen width, and the ink of a tool.

A character is written anew from its 28×28 image.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.rendering import value_noise

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

# Half of the width of the detected middle, in pixels, and the least that remains.
_MIDDLE_HALF_WIDTH = 2
_MIN_HALF_WIDTH = 0.7

# Colors in RGB order. None is black or gray.
_PEN_COLORS = (
    None,
    np.array([0.05, 0.1, 0.55]),  # blue
    np.array([0.1, 0.1, 0.35]),  # dark blue
    np.array([0.65, 0.08, 0.1]),  # red
)
_FAINT_COLOR = np.array([0.25, 0.27, 0.4])

# The coverage of the ink, and its color, or None for black or gray.
_Ink = tuple[np.ndarray, np.ndarray | None]


def render_ink(
    rng: np.random.Generator, digit: np.ndarray, tool: str
) -> tuple[np.ndarray, np.ndarray]:
    """Writes a digit with a tool.

    Args:
      rng: a random generator.
      digit: `float32 (28, 28)` in [0, 1].
      tool: `pen`, `pencil`, `faint`, `marker` or `brush`.

    Returns:
      The coverage of the ink, `float32 (height, width)` in [0, 1], and its color,
      `float32 (3,)` in [0, 1].
    """
    gray = rng.uniform(0.02, 0.3)
    coverage, color = _TOOLS[tool](rng, digit)
    if color is None:
        color = np.full(3, gray)
    return coverage.astype(np.float32), color.astype(np.float32)


def _write_with_pen(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.035, 0.08)
    strokes = render_strokes(digit, width)
    color = _PEN_COLORS[rng.integers(len(_PEN_COLORS))]
    noise = 0.06 * value_noise(rng, strokes.shape, 12)
    grain = np.clip(0.92 + noise, 0, 1)
    return strokes * grain, color


def _write_with_pencil(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.03, 0.07)
    strokes = render_strokes(digit, width)
    fine = 0.3 * value_noise(rng, strokes.shape, 70)
    coarse = 0.15 * value_noise(rng, strokes.shape, 8)
    grain = np.clip(0.75 + fine + coarse, 0.15, 1)
    opacity = rng.uniform(0.45, 0.85)
    gray = rng.uniform(0.25, 0.4)
    return strokes * grain * opacity, np.full(3, gray)


def _write_faintly(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.025, 0.05)
    strokes = render_strokes(digit, width)
    fine = 0.15 * value_noise(rng, strokes.shape, 40)
    coarse = 0.15 * value_noise(rng, strokes.shape, 6)
    grain = np.clip(0.8 + fine + coarse, 0.2, 1)
    opacity = rng.uniform(0.2, 0.45)
    return strokes * grain * opacity, _FAINT_COLOR


def _write_with_marker(rng: np.random.Generator, digit: np.ndarray) -> _Ink:
    width = rng.uniform(0.12, 0.2)
    return render_strokes(digit, width), None


def _write_with_brush(_: np.random.Generator, digit: np.ndarray) -> _Ink:
    """Keeps the varying width of the digit's own strokes."""
    return render_strokes(digit, 0), None


_TOOLS: dict[str, Callable[[np.random.Generator, np.ndarray], _Ink]] = {
    "pen": _write_with_pen,
    "pencil": _write_with_pencil,
    "faint": _write_faintly,
    "marker": _write_with_marker,
    "brush": _write_with_brush,
}


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
    rows, columns = bounding_slices(digit > _MIN_INK)
    cropped = np.pad(digit[rows, columns].astype(np.float32), _MARGIN)
    num_rows = rows.stop - rows.start
    num_columns = columns.stop - columns.start
    scale = height / max(num_rows, 0.5 * num_columns)
    enlarged = cv2.resize(
        cropped, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC
    )
    enlarged = cv2.GaussianBlur(enlarged, (0, 0), _ENLARGING_BLUR * scale)
    mask = _threshold_keeping_loops(enlarged, _MIN_LOOP_AREA * scale * scale)
    if not width:
        return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)
    middle = _find_middle(mask)
    distance = cv2.distanceTransform(1 - middle, cv2.DIST_L2, 5)
    half_width = max(width * height / 2 - _MIDDLE_HALF_WIDTH, _MIN_HALF_WIDTH)
    coverage = half_width - distance + 0.5
    return np.clip(coverage, 0, 1).astype(np.float32)


def bounding_slices(mask: np.ndarray) -> tuple[slice, slice]:
    """Returns the rows and the columns of a mask's bounding box."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    row_slice = slice(rows[0], rows[-1] + 1)
    column_slice = slice(columns[0], columns[-1] + 1)
    return row_slice, column_slice


def _threshold_keeping_loops(enlarged: np.ndarray, min_loop_area: float) -> np.ndarray:
    """Thresholds at the level that keeps most loops open and no stroke broken."""
    masks = [(enlarged > level).astype(np.uint8) for level in _LEVELS]
    counts = [cv2.connectedComponents(mask)[0] for mask in masks]
    unbroken = [
        mask for mask, count in zip(masks, counts, strict=True) if count == counts[0]
    ]
    return max(unbroken, key=lambda mask: _count_loops(mask, min_loop_area))


def _count_loops(mask: np.ndarray, min_area: float) -> int:
    """Counts the patches of paper that ink surrounds."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    # One of the patches is the paper around the character.
    return int(np.count_nonzero(areas >= min_area)) - 1


def _find_middle(mask: np.ndarray) -> np.ndarray:
    """Finds the medial axis of strokes, a few pixels wide: `uint8`, 0 or 1."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    distance = cv2.GaussianBlur(distance, (0, 0), 1)
    slope_x = cv2.Sobel(distance, -1, 1, 0, scale=0.125)
    slope_y = cv2.Sobel(distance, -1, 0, 1, scale=0.125)
    slope = np.hypot(slope_x, slope_y)
    is_middle = (slope < _MAX_MIDDLE_SLOPE) & (distance > _MIN_MIDDLE_DISTANCE)
    return is_middle.astype(np.uint8)
