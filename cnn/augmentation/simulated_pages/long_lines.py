"""Photographs of digits whose strokes are as long as rules, or that lines touch.

A digit may fill its picture, so that its own strokes run from edge to edge. Or a line
that is no stroke of it touches it: an underline, a printed rule, the edge of a paper,
or the margin of a page. Sizes are in pixels of the page before the camera reduces it,
where a digit is `DIGIT_HEIGHT` pixels high.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.camera import (
    apply_lighting,
    random_perspective,
    simulate_camera,
)
from cnn.augmentation.simulated_pages.compositing import (
    Layer,
    alpha_blend,
    composite_layers,
)
from cnn.augmentation.simulated_pages.ink import render_ink
from cnn.augmentation.simulated_pages.paper import render_paper
from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT, bounding_slices

# Coverage from which a pixel is ink.
_MIN_COVERAGE = 0.3

# Colors of margins, in RGB order.
_MARGIN_COLORS = (
    (0.8, 0.25, 0.3),  # red
    (0.3, 0.4, 0.75),  # blue
    (0.5, 0.5, 0.52),  # gray
    (0.25, 0.25, 0.3),  # black thread
    (0.75, 0.5, 0.6),  # pink
)

_MAX_DEGREES = 3


def photograph_large_digit(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit that fills 40 to 98 % of the picture, on any paper.

    Half of the pictures are cut close around the ink, so that long strokes reach the
    edges.
    """
    tool = str(rng.choice(["pen", "pen", "pencil", "marker", "brush"]))
    paper = str(rng.choice(["plain", "plain", "ruled", "squared"]))
    alpha, color = render_ink(rng, digit, tool)
    alpha = _crop_to_ink(alpha)
    is_tight = rng.uniform() < 0.5
    largest_margin = 0.04 if is_tight else 0.45
    margins = DIGIT_HEIGHT * rng.uniform(0, largest_margin, 4)
    left, top, right, bottom = margins.astype(int).tolist()
    height, width = alpha.shape
    shape = (top + height + bottom, left + width + right)
    sheet = render_paper(rng, shape, paper, DIGIT_HEIGHT * rng.uniform(0.15, 0.8))
    coverage = composite_layers(shape, [Layer(alpha, top, left)])
    page = alpha_blend(sheet, color, coverage)
    # A turned picture would show strokes near its edges twice, which are mirrored.
    return _photograph(rng, page) if not is_tight else _take_picture(rng, page)


def photograph_underlined_digit(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a digit above a line that touches it or comes near.

    The line crosses the picture or ends inside, and is drawn with the digit's pen or
    printed. The paper may end there, too.
    """
    tool = str(rng.choice(["pen", "pencil", "marker"]))
    alpha, color = render_ink(rng, digit, tool)
    alpha = _crop_to_ink(alpha)
    height, width = alpha.shape
    shape, top, left = _place_freely(rng, alpha.shape)
    base = top + height + DIGIT_HEIGHT * rng.uniform(-0.06, 0.1)
    sheet = render_paper(rng, shape, "plain", DIGIT_HEIGHT)
    is_edge = rng.uniform() < 0.2
    line = _draw_underline(rng, shape, base, left, width)
    is_same_pen = rng.uniform() < 0.5
    gray = np.full(3, rng.uniform(0.1, 0.6), np.float32)
    opacity = 1.0 if is_same_pen else rng.uniform(0.5, 1)
    page = alpha_blend(sheet, color if is_same_pen else gray, opacity * line)
    if is_edge:
        page = _darken_below(rng, page, base)
    coverage = composite_layers(shape, [Layer(alpha, top, left)])
    return _photograph(rng, alpha_blend(page, color, coverage))


def photograph_beside_margin(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit that touches the margin of a page, or stands beside it.

    The margin is a solid, double, dashed, stitched or perforated line down the page.
    """
    tool = str(rng.choice(["pen", "pencil"]))
    alpha, color = render_ink(rng, digit, tool)
    alpha = _crop_to_ink(alpha)
    shape, top, left = _place_freely(rng, alpha.shape)
    paper = str(rng.choice(["plain", "ruled", "squared"]))
    page = render_paper(rng, shape, paper, DIGIT_HEIGHT * rng.uniform(0.4, 1))
    is_left = rng.uniform() < 0.7
    edge = left if is_left else left + alpha.shape[1]
    gap = DIGIT_HEIGHT * rng.uniform(-0.15, 0.3)
    column = edge - gap if is_left else edge + gap
    margin = _draw_margin(rng, shape, column)
    margin_color = np.array(_MARGIN_COLORS[rng.integers(len(_MARGIN_COLORS))])
    page = alpha_blend(page, margin_color, margin * rng.uniform(0.5, 1))
    coverage = composite_layers(shape, [Layer(alpha, top, left)])
    return _photograph(rng, alpha_blend(page, color, coverage))


def _crop_to_ink(alpha: np.ndarray) -> np.ndarray:
    """Crops the coverage of a digit to its ink."""
    return alpha[bounding_slices(alpha > _MIN_COVERAGE * alpha.max())]


def _place_freely(
    rng: np.random.Generator, ink_shape: tuple[int, ...]
) -> tuple[tuple[int, int], int, int]:
    """Samples the shape of a page, and the top and left of a digit on it.

    The digit fills a fourth to three fourths of the height.
    """
    ink_height, ink_width = ink_shape
    height = int(DIGIT_HEIGHT / rng.uniform(0.25, 0.75))
    height = max(height, int(1.2 * ink_height))
    width = int(height * rng.uniform(0.8, 2))
    width = max(width, int(1.5 * ink_width))
    top = int((height - ink_height) * rng.uniform(0.2, 0.8))
    left = int((width - ink_width) * rng.uniform(0.2, 0.8))
    return (height, width), top, left


def _draw_underline(
    rng: np.random.Generator, shape: tuple[int, int], base: float, left: int, width: int
) -> np.ndarray:
    """Draws a line below a digit, `float32` of `shape`.

    Args:
      rng: a random generator.
      shape: height and width of the page, in pixels.
      base: row of the line in the middle of the digit.
      left: first column of the digit.
      width: number of columns of the digit.
    """
    if rng.uniform() < 0.6:
        first, last = -10, shape[1] + 10
    else:
        first = int(left - DIGIT_HEIGHT * rng.uniform(0.1, 0.8))
        last = int(left + width + DIGIT_HEIGHT * rng.uniform(0.1, 0.8))
    middle = left + width / 2
    slope = rng.normal(0, 0.02)
    columns = np.array([first, last])
    rows = base + slope * (columns - middle)
    points = np.stack([columns, rows], axis=1)
    thickness = int(DIGIT_HEIGHT * rng.uniform(0.015, 0.09))
    return _draw_line(shape, points, max(thickness, 1))


def _draw_line(
    shape: tuple[int, int], points: np.ndarray, thickness: int
) -> np.ndarray:
    """Draws a straight line between two points of x and y, `float32` of `shape`."""
    start, end = np.rint(points).astype(int).tolist()
    page = np.zeros(shape, np.uint8)
    cv2.line(page, start, end, 255, thickness, cv2.LINE_AA)
    return page.astype(np.float32) / 255


def _darken_below(
    rng: np.random.Generator, page: np.ndarray, base: float
) -> np.ndarray:
    """Replaces what is below a row by a darker surface, on which the sheet lies."""
    first = max(int(base), 0)
    result = page.copy()
    result[first:] *= rng.uniform(0.3, 0.8)
    return result


def _draw_margin(
    rng: np.random.Generator, shape: tuple[int, int], column: float
) -> np.ndarray:
    """Draws a line down the page at a column, `float32` of `shape`."""
    height, _ = shape
    slope = rng.normal(0, 0.015)
    rise = slope * height / 2
    points = np.array([[column - rise, -10], [column + rise, height + 10]])
    kind = str(rng.choice(["solid", "double", "dashed", "stitched", "perforated"]))
    if kind == "double":
        thickness = int(rng.integers(1, 5))
        distance = DIGIT_HEIGHT * rng.uniform(0.04, 0.12)
        second = points + np.array([distance, 0])
        lines = [_draw_line(shape, line, thickness) for line in (points, second)]
        return np.maximum(*lines)
    if kind == "solid":
        return _draw_line(shape, points, int(rng.integers(2, 10)))
    return _interrupt(rng, _draw_line(shape, points, _sample_thickness(rng, kind)))


def _sample_thickness(rng: np.random.Generator, kind: str) -> int:
    """Samples the thickness of an interrupted margin, in pixels."""
    low, high = {"dashed": (2, 8), "stitched": (6, 22), "perforated": (4, 12)}[kind]
    return int(rng.integers(low, high))


def _interrupt(rng: np.random.Generator, line: np.ndarray) -> np.ndarray:
    """Interrupts a line down the page at equal distances."""
    period = DIGIT_HEIGHT * rng.uniform(0.06, 0.3)
    drawn_share = rng.uniform(0.4, 0.8)
    rows = np.arange(len(line)) + rng.uniform(0, period)
    is_drawn = rows % period < drawn_share * period
    return line * is_drawn[:, None]


def _photograph(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Photographs a page that is slightly turned and tilted."""
    page = random_perspective(rng, page.astype(np.float32), _MAX_DEGREES)
    return _take_picture(rng, page)


def _take_picture(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Takes a picture of 100 to 600 pixels, in moderately uneven light."""
    lit = apply_lighting(rng, page.astype(np.float32), rng.uniform(0, 0.7))
    long_side_px = int(np.exp(rng.uniform(np.log(100), np.log(600))))
    noise_sigma = rng.uniform(0, 0.02)
    return simulate_camera(rng, lit, long_side_px, noise_sigma, rng.uniform(0, 1))
