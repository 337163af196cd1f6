"""Synthetic digits in European handwriting, as additional training examples.

MNIST was written by Americans. It has hardly any 1 with a long upstroke or a foot, open
4 of straight strokes, 7 with a hook and a bar, or 9 with a curled tail.

Each form is a function of a random generator. It returns strokes, each
`float64 (points, 2)` of x and y, in a box of 1 by 1 with its origin at the top left.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.augmentation.bezier import quadratic_bezier
from cnn.preprocessing.centering import Placement, scale_and_center

Strokes = list[np.ndarray]

# Size and position of the digits in MNIST's images.
_MNIST_PLACEMENT = Placement(box=20, by_center_of_mass=True)

# Height of a digit before it is scaled to 20 pixels, in pixels.
_DRAWING_HEIGHT = 96

# Fractional bits of the coordinates that OpenCV draws lines at.
_COORDINATE_BITS = 4

# Points of the loop of a 9.
_LOOP_POINTS = 24


def make_glyphs(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws synthetic digits 1, 4, 7 and 9 in turn.

    Args:
      seed: of the random generator.
      count: number of digits.

    Returns:
      Images, `uint8 (count, 28, 28, 1)`, and labels, `int64 (count,)`.
    """
    rng = np.random.default_rng([seed, 2])
    labels = np.resize(list(GLYPHS), count)
    images = [render_glyph(rng, GLYPHS[label](rng)) for label in labels]
    return np.array(images, np.uint8).reshape(-1, 28, 28, 1), labels


def draw_one(rng: np.random.Generator) -> Strokes:
    """Draws a 1 with an upstroke, in 20 % of the cases with a foot."""
    foot = point(rng.uniform(0.4, 0.6), 1)
    apex = point(rng.uniform(0.45, 0.6), 0)
    angle = np.deg2rad(rng.uniform(35, 75))
    length = rng.uniform(0.25, 1.0)
    start = apex + length * point(-np.cos(angle), np.sin(angle))
    strokes = [
        _draw_stroke(rng, start, apex, 0.12),
        _draw_stroke(rng, apex, foot, 0.05),
    ]
    if rng.random() < 0.2:
        left, right = rng.uniform(0.12, 0.3, 2)
        rise = rng.uniform(-0.05, 0.05)
        foot_start = foot - point(left, 0)
        foot_end = foot + point(right, rise)
        strokes.append(quadratic_bezier(foot_start, foot, foot_end))
    return strokes


def draw_four(rng: np.random.Generator) -> Strokes:
    """Draws an open 4 of straight strokes. Its stem hardly rises above its bar."""
    start = point(rng.uniform(0.1, 0.45), 0)
    corner = _sample_point(rng, (0, 0.25), (0.4, 0.65))
    bar_offset = _sample_point(rng, (0.5, 0.8), (-0.3, 0.05))
    bar_end = point(0, corner[1]) + bar_offset
    stem_start = bar_end - _sample_point(rng, (-0.08, 0.05), (-0.02, 0.2))
    foot = point(rng.uniform(0.4, 0.75), 1)
    return [
        _draw_stroke(rng, start, corner, 0.12),
        _draw_stroke(rng, corner, bar_end, 0.12),
        _draw_stroke(rng, stem_start, foot, 0.08),
    ]


def draw_seven(rng: np.random.Generator) -> Strokes:
    """Draws a 7 with a hook at its left, a bar through its stem, or both."""
    left = _sample_point(rng, (0, 0.2), (0, 0.15))
    right = point(0.8, rng.uniform(0, 0.12))
    foot = point(rng.uniform(0.25, 0.9), 1)
    has_hook = rng.random() < 0.6
    has_bar = rng.random() < 0.8
    # The top of a 7 with a hook may have a sharp corner, deep and close to the stem.
    has_corner = has_hook and rng.random() < 0.7
    if has_corner:
        dip = _sample_point(rng, (-0.1, 0.25), (0.05, 0.55))
        top = np.array([left, (left + right) / 2 + dip, right])
    else:
        top = _draw_curved_top(rng, left, right, 0.35 if has_hook else 0.15)
    strokes = [top, _draw_stroke(rng, right, foot, 0.12)]
    if has_hook:
        hook = _sample_point(rng, (-0.3, 0.05), (0.12, 0.65))
        strokes.append(_draw_stroke(rng, left + hook, left, 0.05))
    if has_bar or has_corner or not has_hook:
        middle = right + rng.uniform(0.4, 0.75) * (foot - right)
        strokes.append(_draw_bar(rng, middle))
    return strokes


def _draw_curved_top(
    rng: np.random.Generator, left: np.ndarray, right: np.ndarray, max_dip: float
) -> np.ndarray:
    dip = _sample_point(rng, (-0.15, 0.1), (-0.05, max_dip))
    middle = (left + right) / 2 + dip
    # A quadratic Bézier curve with this control point passes through `middle`.
    control = 2 * middle - (left + right) / 2
    return quadratic_bezier(left, control, right)


def _draw_bar(rng: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Draws a nearly horizontal bar through a point of the stem of a 7."""
    left = rng.uniform(0.15, 0.4)
    right = rng.uniform(0.15, 0.5)
    rise = rng.uniform(-0.12, 0.12)
    start = middle - point(left, rise)
    return quadratic_bezier(start, middle, middle + point(right, -rise))


def draw_nine(rng: np.random.Generator) -> Strokes:
    """Draws a 9 with a tail that curls to the left."""
    radii = _sample_point(rng, (0.15, 0.34), (0.14, 0.28))
    center = point(0.45, radii[1])
    loop = center + _draw_loop(rng, radii)
    # The tail starts near the right of the loop, or up to 0.27 turns further down.
    if rng.random() < 0.5:
        turns = rng.uniform(-0.1, 0.1)
    else:
        turns = rng.uniform(0, 0.27)
    angle = turns * 2 * np.pi
    tail_start = center + radii * [np.cos(angle), np.sin(angle)]
    tail_low = _sample_point(rng, (0.45, 0.8), (0.7, 0.9))
    tip = _sample_point(rng, (-0.1, 0.35), (0.7, 1.0))
    tip_control = _sample_point(rng, (0.3, 0.65), (1.0, 1.25))
    if turns > 0.1:
        bulge = point(rng.uniform(0, 0.3), 0)
    else:
        bulge = point(rng.uniform(-0.1, 0.1), 0)
    control = (tail_start + tail_low) / 2 + bulge
    return [
        loop,
        quadratic_bezier(tail_start, control, tail_low),
        quadratic_bezier(tail_low, tip_control, tip),
    ]


def _draw_loop(rng: np.random.Generator, radii: np.ndarray) -> np.ndarray:
    """Draws an ellipse around 0. In 40 % of the cases it starts inside itself."""
    first_turn = rng.uniform(-0.1, 0.2)
    last_turn = -1.05 - rng.uniform(-0.2, 0.2)
    turns = np.linspace(first_turn, last_turn, _LOOP_POINTS)[:, None]
    angle = turns * 2 * np.pi
    first_size = 1.0
    if rng.random() < 0.4:
        first_size = rng.uniform(0.3, 1)
    size = np.linspace(first_size, 1, _LOOP_POINTS)[:, None]
    circle = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return size * radii * circle


# How to add a form: write a function of a generator that returns strokes, and list it
# here. Existing models are then no longer reproduced by their seed.
GLYPHS: dict[int, Callable[[np.random.Generator], Strokes]] = {
    1: draw_one,
    4: draw_four,
    7: draw_seven,
    9: draw_nine,
}


def point(x: float, y: float) -> np.ndarray:
    """Returns a point, or the vector from one point to another, `float64 (2,)`."""
    return np.array([x, y])


def _sample_point(
    rng: np.random.Generator,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> np.ndarray:
    x = rng.uniform(*x_range)
    y = rng.uniform(*y_range)
    return point(x, y)


def _draw_stroke(
    rng: np.random.Generator, start: np.ndarray, end: np.ndarray, max_bend: float
) -> np.ndarray:
    """Draws a nearly straight stroke.

    The control point lies beside the middle, at up to `max_bend` of the length.
    """
    x, y = end - start
    normal = point(-y, x)
    bend = rng.uniform(-max_bend, max_bend)
    control = (start + end) / 2 + bend * normal
    return quadratic_bezier(start, control, end)


def render_glyph(rng: np.random.Generator, strokes: Strokes) -> np.ndarray:
    """Renders strokes with random slant, width, pen and tremor.

    Returns:
      `uint8 (28, 28)`, scaled and centered like MNIST's digits.
    """
    slant = rng.uniform(-0.2, 0.45)
    width = rng.uniform(0.45, 1.2)
    thickness = int(rng.integers(6, 17))
    curves = []
    for stroke in strokes:
        x, y = stroke.T
        slanted_x = width * x + slant * (1 - y)
        slanted = np.stack([slanted_x, y], axis=1)
        points = _add_tremor(rng, slanted)
        curves.append(_DRAWING_HEIGHT * points + _DRAWING_HEIGHT // 2)
    mask = _draw_polylines(curves, thickness).astype(np.float32) / 255
    (image,) = scale_and_center(mask[None], _MNIST_PLACEMENT)
    return np.rint(255 * image).astype(np.uint8)


def _add_tremor(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Moves a stroke as a whole, and its points along a random walk."""
    offset = rng.normal(0, 0.012, (1, 2))
    steps = rng.normal(0, 0.004, points.shape)
    return points + offset + np.cumsum(steps, axis=0)


def _draw_polylines(curves: list[np.ndarray], thickness: int) -> np.ndarray:
    fixed_point = [
        np.rint(2**_COORDINATE_BITS * curve).astype(np.int32) for curve in curves
    ]
    return cv2.polylines(
        np.zeros((2 * _DRAWING_HEIGHT, 3 * _DRAWING_HEIGHT), np.uint8),
        fixed_point,
        isClosed=False,
        color=255,
        thickness=thickness,
        lineType=cv2.LINE_AA,
        shift=_COORDINATE_BITS,
    )
