"""Digits in forms that MNIST, written by Americans, hardly has, from which a network learns to read more
of the world: ones with a long upstroke or a foot, open fours of straight strokes, sevens with a hook and a
bar, nines with a curled tail.

Each form is a function of a generator that returns strokes, each `float (points, 2)` of x and y, in a
box of 1 by 1 with its origin at the top left.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.preprocessing.centering import Placement, scale_and_center

# How large the strokes are drawn, before they are placed as MNIST's makers did.
_HEIGHT = 96


def make_glyphs(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws digits of other hands.

    Args:
      seed: decides which.
      count: how many.

    Returns:
      `uint8 (count, 28, 28, 1)`, and their labels, `int64 (count,)`.
    """
    rng = np.random.default_rng([seed, 2])
    labels = np.resize(list(GLYPHS), count)
    pictures = [render_strokes(rng, GLYPHS[label](rng)) for label in labels]
    return np.array(pictures, np.uint8).reshape(-1, 28, 28, 1), labels


def draw_one(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 1 with an upstroke; at times with a foot."""
    foot, apex = point(rng.uniform(0.4, 0.6), 1), point(rng.uniform(0.45, 0.6), 0)
    steep = np.deg2rad(rng.uniform(35, 75))
    start = apex + rng.uniform(0.25, 1.0) * point(-np.cos(steep), np.sin(steep))
    strokes = [
        quadratic_bezier(start, control_point(rng, start, apex, 0.12), apex),
        quadratic_bezier(apex, control_point(rng, apex, foot, 0.05), foot),
    ]
    if rng.random() < 0.2:
        left, right = rng.uniform(0.12, 0.3, 2)
        strokes.append(
            quadratic_bezier(
                foot - point(left, 0),
                foot,
                foot + point(right, rng.uniform(-0.05, 0.05)),
            )
        )
    return strokes


def draw_four(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws an open 4 of straight strokes, whose stem hardly rises above its bar."""
    start, corner = (
        point(rng.uniform(0.1, 0.45), 0),
        point(rng.uniform(0, 0.25), rng.uniform(0.4, 0.65)),
    )
    end = point(rng.uniform(0.5, 0.8), corner[1] + rng.uniform(-0.3, 0.05))
    stem = end - point(rng.uniform(-0.08, 0.05), rng.uniform(-0.02, 0.2))
    foot = point(rng.uniform(0.4, 0.75), 1)
    return [
        quadratic_bezier(start, control_point(rng, start, corner, 0.12), corner),
        quadratic_bezier(corner, control_point(rng, corner, end, 0.12), end),
        quadratic_bezier(stem, control_point(rng, stem, foot, 0.08), foot),
    ]


def draw_seven(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 7 with a hook at its left, or a bar through its stem, or both."""
    left, right = (
        point(rng.uniform(0, 0.2), rng.uniform(0, 0.15)),
        point(0.8, rng.uniform(0, 0.12)),
    )
    foot = point(rng.uniform(0.25, 0.9), 1)
    hook, bar = rng.random() < 0.6, rng.random() < 0.8
    # The pen swings through the dip, or turns there, deep and close to the stem.
    turns = hook and rng.random() < 0.7
    dip = (left + right) / 2 + (
        point(rng.uniform(-0.1, 0.25), rng.uniform(0.05, 0.55))
        if turns
        else point(rng.uniform(-0.15, 0.1), rng.uniform(-0.05, 0.35 if hook else 0.15))
    )
    top = (
        np.array([left, dip, right])
        if turns
        else quadratic_bezier(left, 2 * dip - (left + right) / 2, right)
    )
    strokes = [
        top,
        quadratic_bezier(right, control_point(rng, right, foot, 0.12), foot),
    ]
    if hook:
        end = left + point(rng.uniform(-0.3, 0.05), rng.uniform(0.12, 0.65))
        strokes.append(quadratic_bezier(end, control_point(rng, end, left, 0.05), left))
    if bar or turns or not hook:
        middle = right + rng.uniform(0.4, 0.75) * (foot - right)
        before, after, slope = (
            rng.uniform(0.15, 0.4),
            rng.uniform(0.15, 0.5),
            rng.uniform(-0.12, 0.12),
        )
        strokes.append(
            quadratic_bezier(
                middle - point(before, slope), middle, middle + point(after, -slope)
            )
        )
    return strokes


def draw_nine(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 9 whose tail curls to the left; at times its loop begins within itself."""
    wide, high = rng.uniform(0.15, 0.34), rng.uniform(0.14, 0.28)
    middle = point(0.45, high)
    turn = (
        np.linspace(rng.uniform(-0.1, 0.2), -1.05 - rng.uniform(-0.2, 0.2), 24)[:, None]
        * 2
        * np.pi
    )
    grown = np.linspace(rng.uniform(0.3, 1) if rng.random() < 0.4 else 1, 1, 24)[
        :, None
    ]
    loop = middle + grown * point(wide, high) * np.concatenate(
        [np.cos(turn), np.sin(turn)], axis=1
    )
    leaves = rng.uniform(-0.1, 0.1) if rng.random() < 0.5 else rng.uniform(0, 0.27)
    top = middle + point(wide, high) * [
        np.cos(leaves * 2 * np.pi),
        np.sin(leaves * 2 * np.pi),
    ]
    low = point(rng.uniform(0.45, 0.8), rng.uniform(0.7, 0.9))
    tip = point(rng.uniform(-0.1, 0.35), rng.uniform(0.7, 1.0))
    under = point(rng.uniform(0.3, 0.65), rng.uniform(1.0, 1.25))
    swell = point(rng.uniform(0, 0.3) if leaves > 0.1 else rng.uniform(-0.1, 0.1), 0)
    return [
        loop,
        quadratic_bezier(top, (top + low) / 2 + swell, low),
        quadratic_bezier(low, under, tip),
    ]


GLYPHS: dict[int, Callable[[np.random.Generator], list[np.ndarray]]] = {
    1: draw_one,
    4: draw_four,
    7: draw_seven,
    9: draw_nine,
}


def point(x: float, y: float) -> np.ndarray:
    """Returns a point, or how far it is to one."""
    return np.array([x, y])


def quadratic_bezier(
    start: np.ndarray, middle: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Returns points of the parabola (a Bézier curve of second degree) that three points span."""
    time = np.linspace(0, 1, 12)[:, None]
    return (1 - time) ** 2 * start + 2 * time * (1 - time) * middle + time**2 * end


def control_point(
    rng: np.random.Generator, start: np.ndarray, end: np.ndarray, most: float
) -> np.ndarray:
    """Returns a point beside the middle of a line, by which a stroke bends."""
    along = end - start
    return (start + end) / 2 + rng.uniform(-most, most) * np.array(
        [-along[1], along[0]]
    )


def render_strokes(rng: np.random.Generator, strokes: list[np.ndarray]) -> np.ndarray:
    """Writes strokes with a pen: slanted, narrow or wide, thick or thin, by a hand that is not steady.

    Returns:
      `uint8 (28, 28)`.
    """
    slant, wide, width = (
        rng.uniform(-0.2, 0.45),
        rng.uniform(0.45, 1.2),
        int(rng.integers(6, 17)),
    )
    canvas = np.zeros((2 * _HEIGHT, 3 * _HEIGHT), np.uint8)
    for stroke in strokes:
        points = np.stack(
            [wide * stroke[:, 0] + slant * (1 - stroke[:, 1]), stroke[:, 1]], axis=1
        )
        points = (
            points
            + rng.normal(0, 0.012, (1, 2))
            + np.cumsum(rng.normal(0, 0.004, points.shape), axis=0)
        )
        pixels = np.rint(16 * (_HEIGHT * points + _HEIGHT // 2)).astype(np.int32)
        cv2.polylines(
            canvas,
            [pixels],
            isClosed=False,
            color=255,
            thickness=width,
            lineType=cv2.LINE_AA,
            shift=4,
        )
    return np.rint(
        255
        * scale_and_center(
            canvas[None].astype(np.float32) / 255,
            Placement(box=20, by_center_of_mass=True),
        )[0]
    ).astype(np.uint8)
