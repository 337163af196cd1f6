"""Rendering of synthetic digits, from strokes to images like MNIST's."""

import cv2
import numpy as np

from cnn.augmentation.glyphs.curves import Strokes
from cnn.preprocessing.centering import Placement, scale_and_center

# Size and position of the digits in MNIST's images.
_MNIST_PLACEMENT = Placement(box=20, by_center_of_mass=True)

# Slants, as tangents of the angle. Most hands lean to the right, some by 45°. Of digits
# that lean further to the left, an open 4 and a 7 look alike.
_USUAL_SLANTS = (-0.2, 0.65)
_STRONG_SLANTS = (-0.6, 1.0)
_STRONG_SLANT_PROB = 0.25

# Widths of the pens before scaling, in pixels.
_MIN_THICKNESS = 5
_MAX_THICKNESS = 18

# Height of a digit before it is scaled to 20 pixels, in pixels.
_DRAWING_HEIGHT = 96

# Space around the strokes, in pixels. It is more than half of a pen's width.
_MARGIN = 16

# Fractional bits of the coordinates that OpenCV draws lines at.
_COORDINATE_BITS = 4


def render_glyph(rng: np.random.Generator, strokes: Strokes) -> np.ndarray:
    """Renders strokes with random slant, width, pen and tremor.

    Returns:
      `uint8 (28, 28)`, scaled and centered like MNIST's digits.
    """
    slant = _sample_slant(rng)
    width = rng.uniform(0.45, 1.2)
    thickness = _sample_thickness(rng, width)
    curves = []
    for stroke in strokes:
        slanted = _slant_and_widen(stroke, slant, width)
        points = _add_tremor(rng, slanted)
        curves.append(_DRAWING_HEIGHT * points)
    drawing = _draw_polylines(curves, thickness)
    mask = drawing.astype(np.float32) / 255
    (image,) = scale_and_center(mask[None], _MNIST_PLACEMENT)
    gray_levels = np.rint(255 * image)
    return gray_levels.astype(np.uint8)


def _sample_slant(rng: np.random.Generator) -> float:
    """Samples the tangent of the angle by which a digit leans to the right."""
    is_strong = rng.random() < _STRONG_SLANT_PROB
    slant_range = _STRONG_SLANTS if is_strong else _USUAL_SLANTS
    return rng.uniform(*slant_range)


def _sample_thickness(rng: np.random.Generator, width: float) -> int:
    """Samples the width of the pen. A broad one would close a narrow digit's loops."""
    broadest = round(_MAX_THICKNESS * min(1, 0.4 + 0.6 * width))
    return int(rng.integers(_MIN_THICKNESS, broadest + 1))


def _slant_and_widen(stroke: np.ndarray, slant: float, width: float) -> np.ndarray:
    """Moves each point to the right by `slant` times its height above the foot."""
    x, y = stroke.T
    height_above_foot = 1 - y
    slanted_x = width * x + slant * height_above_foot
    return np.stack([slanted_x, y], axis=1)


def _add_tremor(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Moves a stroke as a whole, and its points along a random walk."""
    offset = rng.normal(0, 0.012, (1, 2))
    steps = rng.normal(0, 0.004, points.shape)
    random_walk = np.cumsum(steps, axis=0)
    return points + offset + random_walk


def _draw_polylines(curves: list[np.ndarray], thickness: int) -> np.ndarray:
    """Draws on a canvas that holds all curves, whatever their slant.

    Args:
      curves: each `float64 (points, 2)`, x and y in pixels.
      thickness: width of the pen, in pixels.

    Returns:
      `uint8 (height, width)`, 0 to 255.
    """
    lowest = np.min([curve.min(axis=0) for curve in curves], axis=0)
    curves = [curve - lowest + _MARGIN for curve in curves]
    width, height = np.max([curve.max(axis=0) for curve in curves], axis=0)
    canvas = np.zeros((int(height) + _MARGIN, int(width) + _MARGIN), np.uint8)
    polylines = [_as_fixed_point(curve) for curve in curves]
    return cv2.polylines(
        canvas,
        polylines,
        isClosed=False,
        color=255,
        thickness=thickness,
        lineType=cv2.LINE_AA,
        shift=_COORDINATE_BITS,
    )


def _as_fixed_point(coordinates: np.ndarray) -> np.ndarray:
    scaled = 2**_COORDINATE_BITS * coordinates
    return np.rint(scaled).astype(np.int32)
