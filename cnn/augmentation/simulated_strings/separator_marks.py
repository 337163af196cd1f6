"""Separators between digits, drawn with a pen: full stop, comma, dash, slash, colon."""

import cv2
import numpy as np

# All lengths are fractions of the height of a digit.
# Height above the line of a dash, and of the upper dot of a colon.
_DASH_HEIGHTS = (0.35, 0.55)
_COLON_HEIGHTS = (0.45, 0.65)
_DASH_LENGTHS = (0.2, 0.45)
_COMMA_LENGTHS = (0.15, 0.28)
_DOT_WIDTHS = (0.08, 0.14)
# Width and height of a slash.
_SLASH_WIDTHS = (0.05, 0.3)
_SLASH_HEIGHTS = (0.95, 1.3)

# Rows and columns of the canvas around a mark, as multiples of the height.
_CANVAS = 2.0


def draw_separator(
    rng: np.random.Generator, symbol: str, pen_width: float, height: float
) -> tuple[np.ndarray, float]:
    """Draws a separator.

    Args:
      rng: a random generator.
      symbol: one of `.,-/:`.
      pen_width: width of the pen, as a fraction of the height of a digit.
      height: height of a digit, in pixels.

    Returns:
      The coverage, `float32 (rows, columns)` in [0, 1], with margins, and the row of
      the line in it.
    """
    side = int(_CANVAS * height)
    baseline = 0.7 * side
    canvas = np.zeros((side, side), np.uint8)
    for points, width in _DRAWINGS[symbol](rng, pen_width):
        pixels = np.array(points) * [height, -height] + [side / 2, baseline]
        cv2.polylines(
            canvas,
            [np.rint(pixels * 8).astype(np.int32)],
            isClosed=False,
            color=255,
            thickness=max(1, round(width * height)),
            lineType=cv2.LINE_AA,
            shift=3,
        )
    return canvas.astype(np.float32) / np.float32(255), baseline


# Points, as x to the right and y upwards from the line, and the width of the stroke.
_Strokes = list[tuple[list[tuple[float, float]], float]]


def _draw_dot(rng: np.random.Generator, y: float, pen_width: float) -> _Strokes:
    width = max(rng.uniform(*_DOT_WIDTHS), pen_width)
    # A stroke of no length is a round dot.
    return [([(0, y + width / 2), (0.01, y + width / 2)], width)]


def _draw_full_stop(rng: np.random.Generator, pen_width: float) -> _Strokes:
    return _draw_dot(rng, rng.uniform(-0.03, 0.05), pen_width)


def _draw_comma(rng: np.random.Generator, pen_width: float) -> _Strokes:
    length = rng.uniform(*_COMMA_LENGTHS)
    lean = rng.uniform(0.03, 0.12)
    width = max(0.06, 0.8 * pen_width)
    return [([(0, 0.08), (0, 0.02), (-lean, 0.06 - length)], width)]


def _draw_dash(rng: np.random.Generator, pen_width: float) -> _Strokes:
    y = rng.uniform(*_DASH_HEIGHTS)
    half = rng.uniform(*_DASH_LENGTHS) / 2
    tilt = rng.uniform(-0.05, 0.05)
    return [([(-half, y - tilt), (half, y + tilt)], pen_width)]


def _draw_slash(rng: np.random.Generator, pen_width: float) -> _Strokes:
    half = rng.uniform(*_SLASH_WIDTHS) / 2
    bottom = rng.uniform(-0.2, 0.0)
    top = bottom + rng.uniform(*_SLASH_HEIGHTS)
    return [([(-half, bottom), (half, top)], pen_width)]


def _draw_colon(rng: np.random.Generator, pen_width: float) -> _Strokes:
    lower = _draw_dot(rng, rng.uniform(0.0, 0.12), pen_width)
    return lower + _draw_dot(rng, rng.uniform(*_COLON_HEIGHTS), pen_width)


_DRAWINGS = {
    ".": _draw_full_stop,
    ",": _draw_comma,
    "-": _draw_dash,
    "/": _draw_slash,
    ":": _draw_colon,
}
