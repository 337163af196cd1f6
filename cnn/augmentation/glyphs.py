"""Synthetic digits in European handwriting, as additional training examples.

MNIST was written by Americans. It has hardly any 1 with a long upstroke or a foot, open
4 of straight strokes, 7 with a hook and a bar, or 9 with a curled tail.

Each form is a function of a random generator. It returns strokes, each
`float64 (points, 2)` of x and y, in a box of 1 by 1 with its origin at the top left.
"""

from collections.abc import Callable

import numpy as np

from cnn.augmentation.bezier import quadratic_bezier
from cnn.augmentation.glyph_rendering import Strokes, render_glyph

# Points of the loop of a 9.
_LOOP_POINTS = 24


def make_glyphs(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws synthetic digits 1, 4, 7 and 9 in turn.

    Args:
      seed: seed of the random generator.
      count: number of digits.

    Returns:
      Images, `uint8 (count, 28, 28, 1)`, and labels, `int64 (count,)`.
    """
    rng = np.random.default_rng([seed, 2])
    labels = np.resize(list(GLYPHS), count)
    images = np.zeros((count, 28, 28, 1), np.uint8)
    for i, label in enumerate(labels):
        draw = GLYPHS[label]
        strokes = draw(rng)
        images[i, ..., 0] = render_glyph(rng, strokes)
    return images, labels


def draw_one(rng: np.random.Generator) -> Strokes:
    """Draws a 1 with an upstroke, in 20 % of the cases with a foot."""
    foot_x = rng.uniform(0.4, 0.6)
    apex_x = rng.uniform(0.45, 0.6)
    foot = point(foot_x, 1)
    apex = point(apex_x, 0)
    angle_degrees = rng.uniform(35, 75)
    length = rng.uniform(0.25, 1.0)
    angle = np.deg2rad(angle_degrees)
    direction = point(-np.cos(angle), np.sin(angle))
    start = apex + length * direction
    upstroke = _draw_stroke(rng, start, apex, max_bend=0.12)
    stem = _draw_stroke(rng, apex, foot, max_bend=0.05)
    strokes = [upstroke, stem]
    has_foot = rng.random() < 0.2
    if has_foot:
        strokes.append(_draw_foot(rng, foot))
    return strokes


def _draw_foot(rng: np.random.Generator, stem_end: np.ndarray) -> np.ndarray:
    """Draws a nearly horizontal line below the stem of a 1."""
    left, right = rng.uniform(0.12, 0.3, 2)
    rise = rng.uniform(-0.05, 0.05)
    start = stem_end - point(left, 0)
    end = stem_end + point(right, rise)
    return quadratic_bezier(start, stem_end, end)


def draw_four(rng: np.random.Generator) -> Strokes:
    """Draws an open 4 of straight strokes. Its stem hardly rises above its bar."""
    start_x = rng.uniform(0.1, 0.45)
    start = point(start_x, 0)
    corner = _sample_point(
        rng,
        x_range=(0, 0.25),
        y_range=(0.4, 0.65),
    )
    bar_offset = _sample_point(
        rng,
        x_range=(0.5, 0.8),
        y_range=(-0.3, 0.05),
    )
    stem_offset = _sample_point(
        rng,
        x_range=(-0.08, 0.05),
        y_range=(-0.02, 0.2),
    )
    foot_x = rng.uniform(0.4, 0.75)
    bar_end = point(0, corner[1]) + bar_offset
    stem_start = bar_end - stem_offset
    stem_end = point(foot_x, 1)
    return [
        _draw_stroke(rng, start, corner, max_bend=0.12),
        _draw_stroke(rng, corner, bar_end, max_bend=0.12),
        _draw_stroke(rng, stem_start, stem_end, max_bend=0.08),
    ]


def draw_seven(rng: np.random.Generator) -> Strokes:
    """Draws a 7 with a hook at its left, a bar through its stem, or both."""
    left = _sample_point(rng, x_range=(0, 0.2), y_range=(0, 0.15))
    right_y = rng.uniform(0, 0.12)
    foot_x = rng.uniform(0.25, 0.9)
    right = point(0.8, right_y)
    foot = point(foot_x, 1)
    has_hook = rng.random() < 0.6
    has_bar = rng.random() < 0.8
    # The top of a 7 with a hook may have a sharp corner, deep and close to the stem.
    has_corner = has_hook and rng.random() < 0.7
    if has_corner:
        top = _draw_cornered_top(rng, left, right)
    elif has_hook:
        top = _draw_curved_top(rng, left, right, max_dip=0.35)
    else:
        top = _draw_curved_top(rng, left, right, max_dip=0.15)
    stem = _draw_stroke(rng, right, foot, max_bend=0.12)
    strokes = [top, stem]
    if has_hook:
        strokes.append(_draw_hook(rng, left))
    if has_bar or has_corner or not has_hook:
        bar_position = rng.uniform(0.4, 0.75)
        middle = right + bar_position * (foot - right)
        strokes.append(_draw_bar(rng, middle))
    return strokes


def _draw_cornered_top(
    rng: np.random.Generator, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    dip = _sample_point(
        rng,
        x_range=(-0.1, 0.25),
        y_range=(0.05, 0.55),
    )
    corner = (left + right) / 2 + dip
    return np.array([left, corner, right])


def _draw_curved_top(
    rng: np.random.Generator, left: np.ndarray, right: np.ndarray, max_dip: float
) -> np.ndarray:
    dip = _sample_point(
        rng,
        x_range=(-0.15, 0.1),
        y_range=(-0.05, max_dip),
    )
    chord_center = (left + right) / 2
    middle = chord_center + dip
    # A quadratic Bézier curve with this control point passes through `middle`.
    control = 2 * middle - chord_center
    return quadratic_bezier(left, control, right)


def _draw_hook(rng: np.random.Generator, top_start: np.ndarray) -> np.ndarray:
    """Draws the stroke from the lower left up to the top of a 7."""
    offset = _sample_point(
        rng,
        x_range=(-0.3, 0.05),
        y_range=(0.12, 0.65),
    )
    start = top_start + offset
    return _draw_stroke(rng, start, top_start, max_bend=0.05)


def _draw_bar(rng: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Draws a nearly horizontal bar through a point of the stem of a 7."""
    left = rng.uniform(0.15, 0.4)
    right = rng.uniform(0.15, 0.5)
    rise = rng.uniform(-0.12, 0.12)
    start = middle - point(left, rise)
    end = middle + point(right, -rise)
    return quadratic_bezier(start, middle, end)


def draw_nine(rng: np.random.Generator) -> Strokes:
    """Draws a 9 with a tail that curls to the left."""
    radii = _sample_point(rng, x_range=(0.15, 0.34), y_range=(0.14, 0.28))
    center = point(0.45, radii[1])
    loop = center + _draw_loop(rng, radii)
    # The tail starts near the right of the loop, or up to 0.27 turns further down.
    is_near_right = rng.random() < 0.5
    if is_near_right:
        turns = rng.uniform(-0.1, 0.1)
    else:
        turns = rng.uniform(0, 0.27)
    angle = turns * 2 * np.pi
    direction = point(np.cos(angle), np.sin(angle))
    tail_start = center + radii * direction
    tail = _draw_tail(rng, tail_start, is_bulging=turns > 0.1)
    return [loop, *tail]


def _draw_tail(
    rng: np.random.Generator, start: np.ndarray, is_bulging: bool
) -> Strokes:
    """Draws the tail of a 9: one curve down, then one to the left."""
    lowest = _sample_point(
        rng,
        x_range=(0.45, 0.8),
        y_range=(0.7, 0.9),
    )
    tip = _sample_point(
        rng,
        x_range=(-0.1, 0.35),
        y_range=(0.7, 1.0),
    )
    tip_control = _sample_point(
        rng,
        x_range=(0.3, 0.65),
        y_range=(1.0, 1.25),
    )
    if is_bulging:
        bulge = rng.uniform(0, 0.3)
    else:
        bulge = rng.uniform(-0.1, 0.1)
    control = (start + lowest) / 2 + point(bulge, 0)
    return [
        quadratic_bezier(start, control, lowest),
        quadratic_bezier(lowest, tip_control, tip),
    ]


def _draw_loop(rng: np.random.Generator, radii: np.ndarray) -> np.ndarray:
    """Draws an ellipse around 0. In 40 % of the cases it starts inside itself."""
    first_turn = rng.uniform(-0.1, 0.2)
    last_turn = -1.05 - rng.uniform(-0.2, 0.2)
    turns = np.linspace(first_turn, last_turn, _LOOP_POINTS)
    angle = turns * 2 * np.pi
    starts_inside = rng.random() < 0.4
    if starts_inside:
        first_size = rng.uniform(0.3, 1)
    else:
        first_size = 1.0
    size = np.linspace(first_size, 1, _LOOP_POINTS)
    x = np.cos(angle)
    y = np.sin(angle)
    circle = np.stack([x, y], axis=1)
    return size[:, None] * radii * circle


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
    middle = (start + end) / 2
    control = middle + bend * normal
    return quadratic_bezier(start, control, end)
