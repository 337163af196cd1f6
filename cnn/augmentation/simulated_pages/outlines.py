"""Closed curves around a character: ellipses, rounded rectangles and polygons.

An outline is `float64 (points, 2)`, x and y in pixels from its center.
"""

import cv2
import numpy as np

# Points of an ellipse, and of each corner of a rounded rectangle.
_NUM_POINTS = 96
_NUM_CORNER_POINTS = 12

# OpenCV takes fixed-point coordinates: these are 1/8 pixels.
_FRACTION_BITS = 3

# Largest waves of a curve drawn by hand, as a fraction of the radius.
_MAX_WAVE = 0.05

# Turns of a curve drawn by hand, and its drift outwards per turn, as a fraction of the
# radius. With less than one turn, it remains open.
_MIN_TURNS = 0.95
_MAX_TURNS = 1.15
_MAX_DRIFT = 0.12


def ellipse(half_width: float, half_height: float) -> np.ndarray:
    """Returns the outline of an ellipse."""
    angle = np.linspace(0, 2 * np.pi, _NUM_POINTS)
    return np.stack([half_width * np.cos(angle), half_height * np.sin(angle)], axis=1)


def hand_drawn_ellipse(
    rng: np.random.Generator, half_width: float, half_height: float
) -> np.ndarray:
    """Returns an uneven ellipse whose ends overlap or leave a small gap."""
    turns = rng.uniform(_MIN_TURNS, _MAX_TURNS)
    position = np.linspace(0, turns, _NUM_POINTS)
    angle = 2 * np.pi * position
    radius = 1 + rng.uniform(-_MAX_DRIFT, _MAX_DRIFT) * position
    for frequency in (2, 3):
        phase = rng.uniform(0, 2 * np.pi)
        radius += rng.uniform(0, _MAX_WAVE) * np.sin(frequency * angle + phase)
    angle = angle + rng.uniform(0, 2 * np.pi)
    x = half_width * radius * np.cos(angle)
    y = half_height * radius * np.sin(angle)
    return np.stack([x, y], axis=1)


def rounded_rectangle(
    half_width: float, half_height: float, radius: float
) -> np.ndarray:
    """Returns the outline of a rectangle with round corners.

    Args:
      half_width: in pixels.
      half_height: in pixels.
      radius: radius of the corners in pixels, 0 for square ones.
    """
    radius = min(radius, half_width, half_height)
    corners = []
    for quarter, (x, y) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        start = quarter * np.pi / 2
        angle = np.linspace(start, start + np.pi / 2, _NUM_CORNER_POINTS)
        arc = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        corners.append(arc + [x * (half_width - radius), y * (half_height - radius)])
    outline = np.concatenate(corners)
    return np.concatenate([outline, outline[:1]])


def polygon(num_sides: int, half_width: float, half_height: float) -> np.ndarray:
    """Returns a polygon with equal angles at its center and one corner on top."""
    angle = np.linspace(0, 2 * np.pi, num_sides + 1) - np.pi / 2
    return np.stack([half_width * np.cos(angle), half_height * np.sin(angle)], axis=1)


def rotate(outline: np.ndarray, degrees: float) -> np.ndarray:
    """Rotates an outline about its center, clockwise in an image."""
    angle = np.deg2rad(degrees)
    rotation = np.array(
        [
            [np.cos(angle), -np.sin(angle)],
            [np.sin(angle), np.cos(angle)],
        ]
    )
    return outline @ rotation.T


def draw_outline(
    outline: np.ndarray,
    center: np.ndarray,
    shape: tuple[int, int],
    line_width: int | None,
) -> np.ndarray:
    """Draws an outline as a line, or fills it.

    Args:
      outline: the outline. A filled one is closed.
      center: x and y of its center on the page, in pixels.
      shape: height and width of the page.
      line_width: in pixels, or None to fill the outline.

    Returns:
      Coverage, `float32 (height, width)` in [0, 1].
    """
    scaled = (outline + center) * 2**_FRACTION_BITS
    points = np.rint(scaled).astype(np.int32)[:, None]
    canvas = np.zeros(shape, np.uint8)
    if line_width is None:
        cv2.fillPoly(canvas, [points], 255, cv2.LINE_AA, _FRACTION_BITS)
    else:
        cv2.polylines(
            canvas, [points], False, 255, line_width, cv2.LINE_AA, _FRACTION_BITS
        )
    return canvas.astype(np.float32) / 255
