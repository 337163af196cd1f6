"""Rendering of synthetic digits, from strokes to images like MNIST's."""

import cv2
import numpy as np

from cnn.preprocessing.centering import Placement, scale_and_center

# Each stroke is `float64 (points, 2)` of x and y, in a box of 1 by 1 with its origin
# at the top left.
Strokes = list[np.ndarray]

# Size and position of the digits in MNIST's images.
_MNIST_PLACEMENT = Placement(box=20, by_center_of_mass=True)

# Height of a digit before it is scaled to 20 pixels, in pixels.
_DRAWING_HEIGHT = 96

# Space around the box of the strokes, at its top and left, in pixels.
_MARGIN = _DRAWING_HEIGHT // 2

# Fractional bits of the coordinates that OpenCV draws lines at.
_COORDINATE_BITS = 4


def render_glyph(rng: np.random.Generator, strokes: Strokes) -> np.ndarray:
    """Renders strokes with random slant, width, pen and tremor.

    Returns:
      `uint8 (28, 28)`, scaled and centered like MNIST's digits.
    """
    slant = rng.uniform(-0.2, 0.45)
    width = rng.uniform(0.45, 1.2)
    thickness = rng.integers(6, 17)
    curves = []
    for stroke in strokes:
        x, y = stroke.T
        height_above_foot = 1 - y
        slanted_x = width * x + slant * height_above_foot
        slanted = np.stack([slanted_x, y], axis=1)
        points = _add_tremor(rng, slanted)
        pixels = _DRAWING_HEIGHT * points
        curves.append(pixels + _MARGIN)
    drawing = _draw_polylines(curves, int(thickness))
    mask = drawing.astype(np.float32) / 255
    (image,) = scale_and_center(mask[None], _MNIST_PLACEMENT)
    gray_levels = np.rint(255 * image)
    return gray_levels.astype(np.uint8)


def _add_tremor(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Moves a stroke as a whole, and its points along a random walk."""
    offset = rng.normal(0, 0.012, (1, 2))
    steps = rng.normal(0, 0.004, points.shape)
    random_walk = np.cumsum(steps, axis=0)
    return points + offset + random_walk


def _draw_polylines(curves: list[np.ndarray], thickness: int) -> np.ndarray:
    height = _DRAWING_HEIGHT + 2 * _MARGIN
    width = 3 * _DRAWING_HEIGHT
    canvas = np.zeros((height, width), np.uint8)
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
