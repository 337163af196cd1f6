"""Digits in forms that MNIST, written by Americans, hardly has, from which a network learns to read more
of the world: ones with a long upstroke or a foot, threes with a flat top, open fours of straight strokes,
fives with their bar apart, sevens with a hook and a bar, eights in one narrow swing, nines whose tail curls.

Each form is a function of a generator that returns strokes, each `float (points, 2)` of x and y, in a
box of 1 by 1 with its origin at the top left.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.images.frame import Fit, place

# How large the strokes are drawn, before they are placed as MNIST's makers did.
_HEIGHT = 96


def draw(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws digits of other hands.

    Args:
      seed: decides which.
      count: how many.

    Returns:
      `uint8 (count, 28, 28, 1)`, and their labels, `int64 (count,)`.
    """
    rng = np.random.default_rng([seed, 2])
    labels = np.resize(list(FORMS), count)
    pictures = [written(rng, FORMS[label](rng)) for label in labels]
    return np.array(pictures, np.uint8).reshape(-1, 28, 28, 1), labels


def one(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 1 with an upstroke; at times with a foot."""
    foot, apex = point(rng.uniform(0.4, 0.6), 1), point(rng.uniform(0.45, 0.6), 0)
    steep = np.deg2rad(rng.uniform(35, 75))
    start = apex + rng.uniform(0.25, 1.0) * point(-np.cos(steep), np.sin(steep))
    strokes = [
        curve(start, bent(rng, start, apex, 0.12), apex),
        curve(apex, bent(rng, apex, foot, 0.05), foot),
    ]
    if rng.random() < 0.2:
        left, right = rng.uniform(0.12, 0.3, 2)
        strokes.append(curve(foot - point(left, 0), foot, foot + point(right, rng.uniform(-0.05, 0.05))))
    return strokes


def three(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 3 with a flat top and a stroke aslant from there to its belly."""
    left, right = point(rng.uniform(0, 0.2), rng.uniform(0, 0.1)), point(rng.uniform(0.55, 0.8), 0.03)
    waist = point(rng.uniform(0.15, 0.5), rng.uniform(0.35, 0.5))
    high = rng.uniform(0.22, 0.32)
    belly = point(waist[0] + rng.uniform(0, 0.15), waist[1] + high)
    round_ = arc(belly, point(rng.uniform(0.2, 0.4), high), -0.25, rng.uniform(0.3, 0.5))
    return [
        curve(left, bent(rng, left, right, 0.15), right),
        curve(right, bent(rng, right, waist, 0.1), waist),
        np.concatenate([waist[None], round_]),
    ]


def four(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws an open 4 of straight strokes, whose stem hardly rises above its bar."""
    start, corner = point(rng.uniform(0.1, 0.45), 0), point(rng.uniform(0, 0.25), rng.uniform(0.4, 0.65))
    end = point(rng.uniform(0.5, 0.8), corner[1] + rng.uniform(-0.3, 0.05))
    stem = end - point(rng.uniform(-0.08, 0.05), rng.uniform(-0.02, 0.2))
    foot = point(rng.uniform(0.4, 0.75), 1)
    return [
        curve(start, bent(rng, start, corner, 0.12), corner),
        curve(corner, bent(rng, corner, end, 0.12), end),
        curve(stem, bent(rng, stem, foot, 0.08), foot),
    ]


def five(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 5 whose bar, drawn last, stands apart from its neck, or crosses it."""
    top, high = point(rng.uniform(0.1, 0.35), rng.uniform(0, 0.12)), rng.uniform(0.2, 0.32)
    neck = point(top[0] + rng.uniform(-0.15, 0.1), 1 - 2 * high - rng.uniform(-0.05, 0.1))
    belly = point(neck[0] + rng.uniform(0.05, 0.2), 1 - high)
    begins = rng.uniform(-0.4, -0.25)
    round_ = arc(belly, point(rng.uniform(0.2, 0.4), high), begins, rng.uniform(0.25, 0.5))
    bar = top + point(rng.uniform(-0.12, 0.12), rng.uniform(-0.12, 0.05))
    end = bar + point(rng.uniform(0.3, 0.6), rng.uniform(-0.12, 0.08))
    return [
        curve(top, bent(rng, top, neck, 0.1), neck),
        np.concatenate([neck[None], round_]),
        curve(bar, bent(rng, bar, end, 0.15), end),
    ]


def seven(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 7 with a hook at its left, or a bar through its stem, or both."""
    left, right = point(rng.uniform(0, 0.2), rng.uniform(0, 0.15)), point(0.8, rng.uniform(0, 0.12))
    foot = point(rng.uniform(0.25, 0.9), 1)
    hook, bar = rng.random() < 0.6, rng.random() < 0.8
    # The pen swings through the dip, or turns there, deep and close to the stem.
    turns = hook and rng.random() < 0.7
    dip = (left + right) / 2 + (
        point(rng.uniform(-0.1, 0.25), rng.uniform(0.05, 0.55))
        if turns
        else point(rng.uniform(-0.15, 0.1), rng.uniform(-0.05, 0.35 if hook else 0.15))
    )
    top = np.array([left, dip, right]) if turns else curve(left, 2 * dip - (left + right) / 2, right)
    strokes = [top, curve(right, bent(rng, right, foot, 0.12), foot)]
    if hook:
        end = left + point(rng.uniform(-0.3, 0.05), rng.uniform(0.12, 0.65))
        strokes.append(curve(end, bent(rng, end, left, 0.05), left))
    if bar or turns or not hook:
        middle = right + rng.uniform(0.4, 0.75) * (foot - right)
        before, after, slope = rng.uniform(0.15, 0.4), rng.uniform(0.15, 0.5), rng.uniform(-0.12, 0.12)
        strokes.append(curve(middle - point(before, slope), middle, middle + point(after, -slope)))
    return strokes


def eight(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws an 8 in one swing that begins and ends at its top, its loops narrow or one small."""
    waist = rng.uniform(0.3, 0.6)
    time = np.linspace(rng.uniform(0, 0.06), 1 - rng.uniform(-0.02, 0.06), 48) * 2 * np.pi
    above = np.cos(time) > 0  # It swings up, down the left, through the waist, and back.
    y = np.where(above, waist - waist * np.cos(time), waist - (1 - waist) * np.cos(time))
    wide = np.where(above, rng.uniform(0.08, 0.4), rng.uniform(0.1, 0.45))
    x = 0.45 - wide * np.sin(2 * time) + rng.uniform(-0.1, 0.1) * (y - waist)
    return [np.stack([x, y], axis=1)]


def nine(rng: np.random.Generator) -> list[np.ndarray]:
    """Draws a 9 whose tail curls to the left; at times its loop begins within itself."""
    wide, high = rng.uniform(0.15, 0.34), rng.uniform(0.14, 0.28)
    middle = point(0.45, high)
    turn = np.linspace(rng.uniform(-0.1, 0.2), -1.05 - rng.uniform(-0.2, 0.2), 24)[:, None] * 2 * np.pi
    grown = np.linspace(rng.uniform(0.3, 1) if rng.random() < 0.4 else 1, 1, 24)[:, None]
    loop = middle + grown * point(wide, high) * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    leaves = rng.uniform(-0.1, 0.1) if rng.random() < 0.5 else rng.uniform(0, 0.27)
    top = middle + point(wide, high) * [np.cos(leaves * 2 * np.pi), np.sin(leaves * 2 * np.pi)]
    low = point(rng.uniform(0.45, 0.8), rng.uniform(0.7, 0.9))
    tip = point(rng.uniform(-0.1, 0.35), rng.uniform(0.7, 1.0))
    under = point(rng.uniform(0.3, 0.65), rng.uniform(1.0, 1.25))
    swell = point(rng.uniform(0, 0.3) if leaves > 0.1 else rng.uniform(-0.1, 0.1), 0)
    return [loop, curve(top, (top + low) / 2 + swell, low), curve(low, under, tip)]


FORMS: dict[int, Callable[[np.random.Generator], list[np.ndarray]]] = {
    **{1: one, 3: three, 4: four, 5: five},
    **{7: seven, 8: eight, 9: nine},
}


def point(x: float, y: float) -> np.ndarray:
    """Returns a point, or how far it is to one."""
    return np.array([x, y])


def curve(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Returns points of the parabola (a Bézier curve of second degree) that three points span."""
    time = np.linspace(0, 1, 12)[:, None]
    return (1 - time) ** 2 * start + 2 * time * (1 - time) * middle + time**2 * end


def arc(middle: np.ndarray, radii: np.ndarray, start: float, end: float) -> np.ndarray:
    """Returns points along an ellipse, from one turn to another; 0 is at its right, 0.25 its foot."""
    turn = 2 * np.pi * np.linspace(start, end, 20)[:, None]
    return middle + radii * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)


def bent(rng: np.random.Generator, start: np.ndarray, end: np.ndarray, most: float) -> np.ndarray:
    """Returns a point beside the middle of a line, by which a stroke bends."""
    along = end - start
    return (start + end) / 2 + rng.uniform(-most, most) * np.array([-along[1], along[0]])


def written(rng: np.random.Generator, strokes: list[np.ndarray]) -> np.ndarray:
    """Writes strokes with a pen: slanted, narrow or wide, thick or thin, by a hand that is not steady.

    Returns:
      `uint8 (28, 28)`.
    """
    slant, wide, width = rng.uniform(-0.2, 0.45), rng.uniform(0.45, 1.2), int(rng.integers(6, 17))
    canvas = np.zeros((2 * _HEIGHT, 3 * _HEIGHT), np.uint8)
    for stroke in strokes:
        points = np.stack([wide * stroke[:, 0] + slant * (1 - stroke[:, 1]), stroke[:, 1]], axis=1)
        points = points + rng.normal(0, 0.012, (1, 2)) + np.cumsum(rng.normal(0, 0.004, points.shape), axis=0)
        pixels = np.rint(16 * (_HEIGHT * points + _HEIGHT // 2)).astype(np.int32)
        cv2.polylines(
            canvas, [pixels], isClosed=False, color=255, thickness=width, lineType=cv2.LINE_AA, shift=4
        )
    return np.rint(255 * place(canvas[None].astype(np.float32) / 255, Fit(box=20, by_mass=True))[0]).astype(
        np.uint8
    )
