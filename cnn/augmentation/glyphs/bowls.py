"""Digits with a bowl: 2, 3 and 5.

Each form is a function of a random generator. It returns the strokes of a digit, as
`cnn.augmentation.glyphs.curves` describes them.
"""

import numpy as np

from cnn.augmentation.glyphs.curves import (
    Coordinates,
    Strokes,
    draw_curve,
    draw_stroke,
    point,
    sample_point,
)


def draw_two_with_loop(rng: np.random.Generator) -> Strokes:
    """Draws a 2 whose base starts with a loop and ends in a wave."""
    loop_height = rng.uniform(0.05, 0.24)
    loop_top = 0.95 - loop_height
    points = [
        (0.1, rng.uniform(0.15, 0.35)),
        (0.22, 0.05),
        (0.5, 0),
        (0.75, 0.2),
        (0.6, 0.5),
        (0.3, 0.8),
        (0.1, 0.95),
        (0.02, 0.92 - loop_height / 2),
        (0.15, loop_top),
        (0.4, 0.93),
        (0.65, 1),
        (0.9, rng.uniform(0.8, 0.98)),
    ]
    return [draw_curve(rng, points)]


def draw_two_with_curl(rng: np.random.Generator) -> Strokes:
    """Draws a 2 whose head starts with a curl, like the loop of a 9, on a long base."""
    foot = sample_point(rng, x_range=(-0.05, 0.15), y_range=(0.9, 1.0))
    points = [
        *_curl_at_upper_left(rng),
        (0.3, 0.02),
        (0.5, 0),
        (0.68, 0.2),
        (0.6, 0.42),
        (0.35, 0.72),
        (foot[0], foot[1]),
    ]
    back = draw_curve(rng, points, jitter=0.025)
    wave = rng.uniform(0.0, 0.1)
    base_end = rng.uniform(0.75, 1.1)
    x, y = back[-1]
    base = draw_curve(
        rng,
        [(x, y), (0.3, y - wave), (0.55, 1.0), (base_end, 1.0 - wave)],
        jitter=0.015,
    )
    return [back, base]


def _curl_at_upper_left(rng: np.random.Generator) -> list[Coordinates]:
    """Returns the points at which a 2 or a 3 starts: inside of its head, then left."""
    size = rng.uniform(0.06, 0.16)
    center_x = rng.uniform(0.2, 0.32)
    center_y = rng.uniform(0.16, 0.26)
    return [
        (center_x + size, center_y),
        (center_x + size / 2, center_y + size),
        (center_x - size / 2, center_y + size / 2),
        (center_x - size, center_y - size / 2),
    ]


def draw_angular_two(rng: np.random.Generator) -> Strokes:
    """Draws a 2 with a straight slope and a straight base, without a loop."""
    shoulder = rng.uniform(0.15, 0.3)
    points = [
        (0.05, rng.uniform(0.1, 0.35)),
        (0.2, 0.06),
        (0.45, 0),
        (0.75, shoulder),
        (0.6, shoulder + 0.25),
        (0.3, 0.75),
    ]
    corner = sample_point(rng, x_range=(-0.05, 0.1), y_range=(0.92, 1.0))
    base_end = sample_point(rng, x_range=(0.7, 1.0), y_range=(0.88, 1.05))
    back = draw_curve(rng, [*points, (corner[0], corner[1])])
    base = draw_stroke(rng, back[-1], base_end, max_bend=0.08)
    return [back, base]


def draw_flat_topped_three(rng: np.random.Generator) -> Strokes:
    """Draws a 3 whose upper half is a 7: a flat top and a straight slope."""
    left = sample_point(rng, x_range=(0.0, 0.25), y_range=(0.0, 0.08))
    right = sample_point(rng, x_range=(0.7, 0.95), y_range=(0.0, 0.06))
    waist = sample_point(rng, x_range=(0.25, 0.5), y_range=(0.36, 0.5))
    top = draw_stroke(rng, left, right, max_bend=0.12)
    slope = draw_stroke(rng, right, waist, max_bend=0.1)
    strokes = [top, slope, _draw_lower_bowl(rng, waist)]
    has_serif = rng.random() < 0.4
    if has_serif:
        serif_end = left + sample_point(rng, x_range=(-0.08, 0.05), y_range=(0.08, 0.2))
        strokes.append(draw_stroke(rng, serif_end, left, max_bend=0.1))
    return strokes


def draw_round_three(rng: np.random.Generator) -> Strokes:
    """Draws a 3 of two arcs, the upper one small, often with a loop at the waist."""
    waist_x = rng.uniform(0.2, 0.55)
    waist = point(waist_x, rng.uniform(0.35, 0.5))
    top = [
        (0.12, rng.uniform(0.08, 0.22)),
        (0.35, 0),
        (0.65, 0.06),
        (0.68, 0.22),
        (0.5, waist[1] - 0.06),
        (waist[0], waist[1]),
    ]
    upper_bowl = draw_curve(rng, top, jitter=0.025)
    return [upper_bowl, _draw_lower_bowl(rng, upper_bowl[-1])]


def draw_three_with_curl(rng: np.random.Generator) -> Strokes:
    """Draws a 3 whose head starts with a curl, and whose lower bowl may curl, too."""
    waist = sample_point(rng, x_range=(0.3, 0.5), y_range=(0.4, 0.5))
    points = [
        *_curl_at_upper_left(rng),
        (0.32, 0.01),
        (0.6, 0.04),
        (0.68, 0.2),
        (0.58, waist[1] - 0.08),
        (waist[0], waist[1]),
    ]
    head = draw_curve(rng, points, jitter=0.02)
    return [head, _draw_lower_bowl(rng, head[-1])]


def _draw_lower_bowl(rng: np.random.Generator, start: np.ndarray) -> np.ndarray:
    """Draws the lower half of a 3 or a 5, from its inner end to the tip at the left."""
    x, y = start
    depth = 1 - y
    reach = rng.uniform(0.75, 0.95)
    tip_rise = rng.uniform(0, 0.3)
    points = [
        (x, y),
        ((x + reach) / 2, y + 0.02 * depth),
        (reach, y + 0.35 * depth),
        (reach - 0.05, y + 0.65 * depth),
        (0.5, 1),
        (0.2, y + 0.93 * depth),
        (rng.uniform(-0.02, 0.12), y + (0.9 - tip_rise) * depth),
    ]
    bowl = draw_curve(rng, points, jitter=0.02)
    bowl[0] = start
    return bowl


def draw_five_with_detached_flag(rng: np.random.Generator) -> Strokes:
    """Draws a 5 whose flag, the upper stroke, does not touch the rest."""
    strokes, top = _draw_five_without_flag(rng)
    gap = sample_point(rng, x_range=(0.02, 0.28), y_range=(-0.14, 0.04))
    start = top + gap
    length = sample_point(rng, x_range=(0.3, 0.6), y_range=(-0.12, 0.06))
    flag = draw_stroke(rng, start, start + length, max_bend=0.12)
    return [*strokes, flag]


def draw_five_with_long_flag(rng: np.random.Generator) -> Strokes:
    """Draws a 5 whose flag goes on far to the right, straight or as a wave."""
    strokes, top = _draw_five_without_flag(rng)
    end_x, end_y = top + sample_point(rng, x_range=(0.45, 0.95), y_range=(-0.2, 0.03))
    x, y = top
    wave = rng.uniform(-0.02, 0.08)
    points = [
        (x, y),
        ((2 * x + end_x) / 3, (2 * y + end_y) / 3 + wave),
        ((x + 2 * end_x) / 3, (y + 2 * end_y) / 3 + wave),
        (end_x, end_y),
    ]
    return [*strokes, draw_curve(rng, points, jitter=0.015)]


def _draw_five_without_flag(rng: np.random.Generator) -> tuple[Strokes, np.ndarray]:
    """Draws the neck and the bowl of a 5. Returns them and the top of the neck."""
    top = sample_point(rng, x_range=(0.15, 0.4), y_range=(0.0, 0.1))
    # The shorter the neck, the more does the rest look like a 3 or a 9.
    waist = point(
        top[0] + rng.uniform(-0.12, 0.05),
        rng.uniform(0.36, 0.5),
    )
    neck = draw_stroke(rng, top, waist, max_bend=0.1)
    return [neck, _draw_lower_bowl(rng, waist)], top
