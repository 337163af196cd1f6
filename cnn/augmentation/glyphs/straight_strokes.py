"""Digits of straight strokes: 1, 4 and 7.

Each form is a function of a random generator. It returns the strokes of a digit, as
`cnn.augmentation.glyphs.curves` describes them.
"""

import numpy as np

from cnn.augmentation.bezier import quadratic_bezier
from cnn.augmentation.glyphs.curves import (
    Strokes,
    draw_curve,
    draw_stroke,
    point,
    sample_point,
)

# Distance between the strokes that fill a block, as a fraction of its height. It is
# less than the width of the thinnest pen.
_FILLING_DISTANCE = 0.05


def draw_one(rng: np.random.Generator) -> Strokes:
    """Draws a 1 with an upstroke."""
    foot_x = rng.uniform(0.4, 0.6)
    apex_x = rng.uniform(0.45, 0.6)
    foot = point(foot_x, 1)
    apex = point(apex_x, 0)
    angle_degrees = rng.uniform(35, 75)
    length = rng.uniform(0.25, 1.0)
    angle = np.deg2rad(angle_degrees)
    direction = point(-np.cos(angle), np.sin(angle))
    start = apex + length * direction
    upstroke = draw_stroke(rng, start, apex, max_bend=0.12)
    stem = draw_stroke(rng, apex, foot, max_bend=0.05)
    return [upstroke, stem]


def draw_one_with_foot(rng: np.random.Generator) -> Strokes:
    """Draws a 1 with a foot. Its upstroke is short, unlike that of a 2."""
    foot_x = rng.uniform(0.4, 0.6)
    foot = point(foot_x, 1)
    apex = point(foot_x + rng.uniform(-0.05, 0.05), 0)
    stem = draw_stroke(rng, apex, foot, max_bend=0.03)
    strokes = [stem, _draw_foot(rng, foot)]
    has_upstroke = rng.random() < 0.85
    if has_upstroke:
        offset = sample_point(rng, x_range=(-0.4, -0.1), y_range=(0.08, 0.4))
        strokes.append(draw_stroke(rng, apex + offset, apex, max_bend=0.12))
    return strokes


def _draw_foot(rng: np.random.Generator, stem_end: np.ndarray) -> np.ndarray:
    """Draws a nearly horizontal line below the stem of a 1."""
    left, right = rng.uniform(0.12, 0.45, 2)
    rise = rng.uniform(-0.05, 0.05)
    start = stem_end - point(left, 0)
    end = stem_end + point(right, rise)
    return quadratic_bezier(start, stem_end, end)


def draw_block_one(rng: np.random.Generator) -> Strokes:
    """Draws a 1 as thick as a block, as stems side by side that a broad pen fills."""
    thickness = rng.uniform(0.1, 0.45)
    left = 0.5 - thickness / 2
    num_stems = 1 + int(np.ceil(thickness / _FILLING_DISTANCE))
    lean = rng.uniform(-0.1, 0.1)
    # Top and foot are cut off at an angle.
    top_slope, foot_slope = rng.uniform(-0.3, 0.3, 2)
    strokes = []
    for offset in np.linspace(0, thickness, num_stems):
        top = point(left + offset + lean, top_slope * offset)
        foot = point(left + offset, 1 + foot_slope * offset)
        strokes.append(np.stack([top, foot]))
    return strokes


def draw_open_four(rng: np.random.Generator) -> Strokes:
    """Draws an open 4 of straight strokes. Its stem hardly rises above its bar."""
    start_x = rng.uniform(0.1, 0.45)
    start = point(start_x, 0)
    corner = sample_point(
        rng,
        x_range=(0, 0.25),
        y_range=(0.4, 0.65),
    )
    bar_offset = sample_point(
        rng,
        x_range=(0.5, 0.8),
        y_range=(-0.3, 0.05),
    )
    stem_offset = sample_point(
        rng,
        x_range=(-0.08, 0.05),
        y_range=(-0.02, 0.2),
    )
    foot_x = rng.uniform(0.4, 0.75)
    bar_end = point(0, corner[1]) + bar_offset
    stem_start = bar_end - stem_offset
    stem_end = point(foot_x, 1)
    return [
        draw_stroke(rng, start, corner, max_bend=0.12),
        draw_stroke(rng, corner, bar_end, max_bend=0.12),
        draw_stroke(rng, stem_start, stem_end, max_bend=0.08),
    ]


def draw_lightning_four(rng: np.random.Generator) -> Strokes:
    """Draws a 4 in one line, like a lightning, whose stem is short or missing."""
    start = sample_point(rng, x_range=(0.35, 0.75), y_range=(0.0, 0.0))
    corner = sample_point(rng, x_range=(0.0, 0.15), y_range=(0.45, 0.62))
    bar_end = sample_point(rng, x_range=(0.6, 0.95), y_range=(0.36, 0.56))
    foot = sample_point(rng, x_range=(0.25, 0.65), y_range=(1.0, 1.0))
    return [
        draw_stroke(rng, start, corner, max_bend=0.1),
        draw_stroke(rng, corner, bar_end, max_bend=0.1),
        draw_stroke(rng, bar_end, foot, max_bend=0.08),
    ]


def draw_tall_four(rng: np.random.Generator) -> Strokes:
    """Draws a 4 with a short left half and a long stem far below its bar."""
    bar_y = rng.uniform(0.35, 0.58)
    stem_x = rng.uniform(0.5, 0.7)
    start = sample_point(rng, x_range=(0.05, 0.35), y_range=(0.0, 0.2))
    corner = point(rng.uniform(-0.05, 0.08), bar_y + rng.uniform(-0.04, 0.08))
    bar_end = point(stem_x + rng.uniform(0.1, 0.4), bar_y)
    stem_start = point(stem_x, rng.uniform(-0.05, 0.25))
    stem_end = point(stem_x + rng.uniform(-0.1, 0.05), 1)
    return [
        draw_stroke(rng, start, corner, max_bend=0.15),
        draw_stroke(rng, corner, bar_end, max_bend=0.1),
        draw_stroke(rng, stem_start, stem_end, max_bend=0.06),
    ]


def draw_seven(rng: np.random.Generator) -> Strokes:
    """Draws a 7 with a hook at its left, a bar through its stem, or both."""
    left = sample_point(rng, x_range=(0, 0.2), y_range=(0, 0.15))
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
    stem = draw_stroke(rng, right, foot, max_bend=0.12)
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
    dip = sample_point(
        rng,
        x_range=(-0.1, 0.25),
        y_range=(0.05, 0.55),
    )
    corner = (left + right) / 2 + dip
    return np.array([left, corner, right])


def _draw_curved_top(
    rng: np.random.Generator, left: np.ndarray, right: np.ndarray, max_dip: float
) -> np.ndarray:
    dip = sample_point(
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
    offset = sample_point(
        rng,
        x_range=(-0.3, 0.05),
        y_range=(0.12, 0.65),
    )
    start = top_start + offset
    return draw_stroke(rng, start, top_start, max_bend=0.05)


def _draw_bar(rng: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Draws a nearly horizontal bar through a point of the stem of a 7."""
    left = rng.uniform(0.15, 0.4)
    right = rng.uniform(0.15, 0.5)
    rise = rng.uniform(-0.12, 0.12)
    start = middle - point(left, rise)
    end = middle + point(right, -rise)
    return quadratic_bezier(start, middle, end)


def draw_waved_seven(rng: np.random.Generator) -> Strokes:
    """Draws a 7 with a wave for a top, often with a serif at its left and a bar."""
    right = sample_point(rng, x_range=(0.75, 0.95), y_range=(0.0, 0.08))
    wave = rng.uniform(0.03, 0.12)
    points = [
        (0.02, rng.uniform(0.1, 0.25)),
        (0.15, 0.08 - wave),
        (0.35, 0.06),
        (0.58, 0.07 + wave),
        (right[0], right[1]),
    ]
    top = draw_curve(rng, points, jitter=0.015)
    foot = sample_point(rng, x_range=(0.2, 0.6), y_range=(1.0, 1.0))
    stem = draw_stroke(rng, top[-1], foot, max_bend=0.15)
    strokes = [top, stem]
    has_bar = rng.random() < 0.6
    if has_bar:
        bar_position = rng.uniform(0.4, 0.65)
        middle = top[-1] + bar_position * (foot - top[-1])
        strokes.append(_draw_bar(rng, middle))
    return strokes


def draw_narrow_seven(rng: np.random.Generator) -> Strokes:
    """Draws a 7 with a short top, level or waved, unlike the steep upstroke of a 1."""
    top_width = rng.uniform(0.38, 0.6)
    right = point(rng.uniform(0.6, 0.7), rng.uniform(0.0, 0.06))
    x, y = right
    left_x = x - top_width
    wave = rng.uniform(0.0, 0.06)
    points = [
        (left_x, y + rng.uniform(0.05, 0.16)),
        (left_x + 0.04, y),
        (left_x + top_width / 2, y + wave),
        (x, y),
    ]
    top = draw_curve(rng, points, jitter=0.01)
    foot = point(x - rng.uniform(0.0, 0.25), 1)
    return [top, draw_stroke(rng, top[-1], foot, max_bend=0.06)]
