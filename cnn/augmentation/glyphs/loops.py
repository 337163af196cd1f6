"""Digits with a loop: 0, 6, 8 and 9.

Each form is a function of a random generator. It returns the strokes of a digit, as
`cnn.augmentation.glyphs.curves` describes them.
"""

import itertools

import numpy as np

from cnn.augmentation.bezier import quadratic_bezier
from cnn.augmentation.glyphs.curves import (
    Strokes,
    draw_curve,
    draw_stroke,
    ellipse_arc,
    point,
    sample_point,
)


def draw_open_zero(rng: np.random.Generator) -> Strokes:
    """Draws a 0 that is open at its top, or whose ends cross there."""
    radii = sample_point(rng, x_range=(0.22, 0.5), y_range=(0.5, 0.5))
    # A gap of more than a fifth of a turn makes a 6 or a u of it.
    gap = rng.uniform(-0.12, 0.14)
    top = -0.25 + rng.uniform(-0.06, 0.1)
    first_size = rng.uniform(0.75, 1)
    arc = ellipse_arc(
        center=point(0.5, 0.5),
        radii=radii,
        first_turn=top - gap / 2,
        last_turn=top + gap / 2 - 1,
        first_size=first_size,
    )
    return [arc]


def draw_square_six(rng: np.random.Generator) -> Strokes:
    """Draws a 6 of straight strokes, with a square instead of its loop."""
    top = sample_point(rng, x_range=(0.15, 0.75), y_range=(0.0, 0.0))
    left = rng.uniform(0.0, 0.12)
    right = rng.uniform(0.65, 0.9)
    shelf = rng.uniform(0.42, 0.58)
    corners = [
        top,
        point(left, shelf + rng.uniform(-0.2, 0.0)),
        point(left + rng.uniform(-0.04, 0.06), 1),
        point(right, 1 + rng.uniform(-0.04, 0.03)),
        point(right + rng.uniform(-0.05, 0.05), shelf),
        point(left + rng.uniform(-0.05, 0.04), shelf + rng.uniform(0.0, 0.12)),
    ]
    return _draw_polygon(rng, corners, max_bend=0.07)


def _draw_polygon(
    rng: np.random.Generator, corners: list[np.ndarray], max_bend: float
) -> Strokes:
    """Draws nearly straight strokes from each corner to the next."""
    sides = itertools.pairwise(corners)
    return [draw_stroke(rng, start, end, max_bend) for start, end in sides]


def draw_curled_six(rng: np.random.Generator) -> Strokes:
    """Draws a 6 with a tall, straight or curled back and a small, wide loop."""
    loop_height = rng.uniform(0.34, 0.52)
    loop_top = 1 - loop_height
    points = [
        (rng.uniform(0.4, 0.9), rng.uniform(0.0, 0.12)),
        (0.35, 0.1),
        (0.1, loop_top),
        (0.05, 0.8),
        (0.35, 1),
        (0.7, 0.8 + loop_height / 10),
        (0.55, loop_top),
        (0.3, loop_top + 0.05),
        (rng.uniform(0.05, 0.15), 0.85),
    ]
    return [draw_curve(rng, points)]


def draw_leaning_eight(rng: np.random.Generator) -> Strokes:
    """Draws an 8 as a leaning S, which a straight stroke closes from foot to top."""
    top = sample_point(rng, x_range=(0.6, 0.85), y_range=(0.0, 0.15))
    points = [
        (top[0], top[1]),
        (0.45, 0),
        (0.2, 0.2),
        (0.45, 0.45),
        (0.75, 0.75),
        (0.45, 1),
        (0.12, 0.85),
    ]
    curve = draw_curve(rng, points, jitter=0.025)
    overshoot = sample_point(rng, x_range=(0.0, 0.12), y_range=(-0.12, 0.0))
    closing = draw_stroke(rng, curve[-1], curve[0] + overshoot, max_bend=0.12)
    return [curve, closing]


def draw_eight_of_two_loops(rng: np.random.Generator) -> Strokes:
    """Draws an 8 as two loops that stand on each other, touching or crossing."""
    upper_height = rng.uniform(0.38, 0.52)
    overlap = rng.uniform(0.0, 0.06)
    upper = _draw_standing_loop(rng, top=0, bottom=upper_height)
    lower = _draw_standing_loop(rng, top=upper_height - overlap, bottom=1)
    return [upper, lower]


def _draw_standing_loop(
    rng: np.random.Generator, top: float, bottom: float
) -> np.ndarray:
    height = bottom - top
    center = point(0.5 + rng.uniform(-0.04, 0.04), (top + bottom) / 2)
    radii = point(rng.uniform(0.4, 0.65) * height, height / 2)
    first_turn = rng.uniform(0, 1)
    length = rng.uniform(0.95, 1.1)
    return ellipse_arc(center, radii, first_turn, first_turn - length)


def draw_nine(rng: np.random.Generator) -> Strokes:
    """Draws a 9 with a tail that curls to the left."""
    radii = sample_point(rng, x_range=(0.15, 0.34), y_range=(0.14, 0.28))
    center = point(0.45, radii[1])
    loop = _draw_nine_loop(rng, center, radii)
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
    lowest = sample_point(
        rng,
        x_range=(0.45, 0.8),
        y_range=(0.7, 0.9),
    )
    tip = sample_point(
        rng,
        x_range=(-0.1, 0.35),
        y_range=(0.7, 1.0),
    )
    tip_control = sample_point(
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


def _draw_nine_loop(
    rng: np.random.Generator, center: np.ndarray, radii: np.ndarray
) -> np.ndarray:
    """Draws the loop of a 9. In 40 % of the cases it starts inside itself."""
    first_turn = rng.uniform(-0.1, 0.2)
    last_turn = -1.05 - rng.uniform(-0.2, 0.2)
    starts_inside = rng.random() < 0.4
    first_size = rng.uniform(0.3, 1) if starts_inside else 1.0
    return ellipse_arc(center, radii, first_turn, last_turn, first_size)


def draw_nine_like_p(rng: np.random.Generator) -> Strokes:
    """Draws a 9 with a straight stem that starts above its open or closed bowl."""
    stem_top = sample_point(rng, x_range=(0.6, 0.75), y_range=(0.0, 0.08))
    stem_end = sample_point(rng, x_range=(0.4, 0.8), y_range=(1.0, 1.0))
    bowl_bottom = rng.uniform(0.4, 0.58)
    # Where the bowl comes back to the stem. Further away it is open, like a 4.
    gap = rng.uniform(-0.04, 0.06)
    points = [
        (stem_top[0], rng.uniform(0.03, 0.15)),
        (0.4, 0.02),
        (0.1, bowl_bottom / 2),
        (0.2, bowl_bottom * 0.9),
        (0.4, bowl_bottom),
        (stem_top[0] - gap, bowl_bottom - rng.uniform(0.05, 0.2)),
    ]
    bowl = draw_curve(rng, points, jitter=0.025)
    return [bowl, draw_stroke(rng, stem_top, stem_end, max_bend=0.05)]


def draw_nine_like_g(rng: np.random.Generator) -> Strokes:
    """Draws a 9 whose tail curls back up to the left, far below its loop."""
    radii = sample_point(rng, x_range=(0.2, 0.32), y_range=(0.17, 0.25))
    center = point(0.45, radii[1])
    loop = _draw_nine_loop(rng, center, radii)
    right = center[0] + radii[0]
    # A tip that comes near the loop would make an 8 of it.
    points = [
        (right, center[1] - 0.1),
        (right + 0.03, 0.5),
        (right, 0.8),
        (0.45, 1),
        (0.15, 0.93),
        (rng.uniform(0.0, 0.15), rng.uniform(0.72, 0.88)),
    ]
    return [loop, draw_curve(rng, points, jitter=0.025)]
