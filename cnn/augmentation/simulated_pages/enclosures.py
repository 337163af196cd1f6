"""Pictures of a digit inside a closed curve: a ring, a disc, a rounded box or a card.

Every scene is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns a photograph, a drawing or a scan, `uint8 (height, width, 3)`. Sizes
are in pixels of the page before it is reduced, where a digit is `DIGIT_HEIGHT` high.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.augmentation.simulated_pages import outlines
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
from cnn.augmentation.simulated_pages.paper import render_paper, value_noise
from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT

# Half of the height of the free space in a curve, as a fraction of the digit's
# diagonal. With the smallest, the curve may touch the digit.
_MIN_CLEARANCE = 0.53
_MAX_CLEARANCE = 1.1

# Free space around the curve, as a fraction of its size.
_MIN_SURROUNDINGS = 0.04
_MAX_SURROUNDINGS = 0.9

# Least contrast of a disc or card with its surroundings and with the digit, in [0, 1].
_MIN_CONTRAST = 0.3

# Probabilities of the ways in which a page becomes an image. The rest is photographed.
_DRAWING_PROB = 0.3
_SCAN_PROB = 0.1
_NEGATIVE_PROB = 0.15

# Least height of the digit in the image, and longer side of the image, in pixels.
_MIN_DIGIT_HEIGHT = 14
_MAX_SIDE = 600

# Smallest and largest share of the image that a small card covers.
_MIN_CARD_SHARE = 0.03
_MAX_CARD_SHARE = 0.25


class _Placed(NamedTuple):
    """A digit on an empty page.

    Attributes:
      coverage: `float32 (height, width)` in [0, 1], of the ink.
      color: `float32 (3,)`, of the ink.
      center: `float64 (2,)`, x and y of the digit's middle.
    """

    coverage: np.ndarray
    color: np.ndarray
    center: np.ndarray


def draw_in_ring(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Draws a digit in a printed or hand-drawn ring, or in two concentric ones."""
    return _draw_in_line(rng, digit, aspect_ratio=rng.uniform(0.93, 1.07))


def draw_in_ellipse(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Draws a digit in a printed or hand-drawn ellipse, often slanted."""
    return _draw_in_line(rng, digit, aspect_ratio=np.exp(rng.uniform(-0.5, 0.5)))


def draw_in_rounded_box(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Draws a digit in a box with round corners, or in a polygon."""
    half_sizes = _sample_half_sizes(rng, digit, np.exp(rng.uniform(-0.3, 0.3)))
    outline = _sample_straight_outline(rng, half_sizes)
    return _draw_outlined(rng, digit, [outline], half_sizes)


def draw_on_disc(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Draws a digit on a filled disc, ellipse or polygon of any color."""
    half_sizes = _sample_half_sizes(rng, digit, np.exp(rng.normal(0, 0.12)))
    if rng.uniform() < 0.75:
        outline = outlines.ellipse(*half_sizes)
    else:
        outline = _sample_straight_outline(rng, half_sizes)
    return _draw_filled(rng, digit, outline, half_sizes, _sample_surroundings(rng))


def draw_on_rounded_card(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Draws a digit on a card with round corners, on a surface of another level."""
    half_sizes = _sample_half_sizes(rng, digit, np.exp(rng.uniform(-0.3, 0.3)))
    radius = rng.uniform(0.1, 0.45) * 2 * min(half_sizes)
    outline = outlines.rounded_rectangle(*half_sizes, radius)
    outline = outlines.rotate(outline, rng.uniform(-15, 15))
    return _draw_filled(rng, digit, outline, half_sizes, _sample_surroundings(rng))


def draw_on_small_card(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Draws a digit on a card that covers 3 to 25 % of the image."""
    half_sizes = _sample_half_sizes(rng, digit, np.exp(rng.uniform(-0.3, 0.3)))
    radius = rng.choice([0, rng.uniform(0, 0.3)]) * min(half_sizes)
    outline = outlines.rounded_rectangle(*half_sizes, radius)
    outline = outlines.rotate(outline, rng.uniform(-20, 20))
    share = np.exp(rng.uniform(np.log(_MIN_CARD_SHARE), np.log(_MAX_CARD_SHARE)))
    surroundings = np.sqrt(1 / share) - 1
    return _draw_filled(rng, digit, outline, half_sizes, surroundings)


def _draw_in_line(
    rng: np.random.Generator, digit: np.ndarray, aspect_ratio: float
) -> np.ndarray:
    """Draws a digit in a ring or an ellipse of the given width divided by height."""
    half_sizes = _sample_half_sizes(rng, digit, aspect_ratio)
    kind = rng.choice(["printed", "by hand", "double"], p=[0.45, 0.4, 0.15])
    if kind == "by hand":
        curves = [outlines.hand_drawn_ellipse(rng, *half_sizes)]
    else:
        curves = [outlines.ellipse(*half_sizes)]
    if kind == "double":
        curves.append(rng.uniform(1.1, 1.3) * curves[0])
    degrees = rng.uniform(-30, 30)
    rotated = [outlines.rotate(curve, degrees) for curve in curves]
    return _draw_outlined(rng, digit, rotated, half_sizes)


def _sample_half_sizes(
    rng: np.random.Generator, digit: np.ndarray, aspect_ratio: float
) -> tuple[float, float]:
    """Samples half of a curve's width and height around a digit."""
    rows, columns = np.nonzero(digit > 0.3)
    relative_width = (int(np.ptp(columns)) + 1) / (int(np.ptp(rows)) + 1)
    diagonal = DIGIT_HEIGHT * np.hypot(1, min(relative_width, 2))
    radius = diagonal * rng.uniform(_MIN_CLEARANCE, _MAX_CLEARANCE)
    # The shorter side leaves room for the digit.
    ratio = np.sqrt(aspect_ratio)
    radius = radius / np.sqrt(min(ratio, 1 / ratio))
    return float(radius * ratio), float(radius / ratio)


def _sample_straight_outline(
    rng: np.random.Generator, half_sizes: tuple[float, float]
) -> np.ndarray:
    """Samples a rounded rectangle, a diamond, a triangle or another polygon."""
    if rng.uniform() < 0.7:
        radius = rng.uniform(0.1, 0.5) * 2 * min(half_sizes)
        outline = outlines.rounded_rectangle(*half_sizes, radius)
        return outlines.rotate(outline, rng.uniform(-8, 8))
    num_sides = int(rng.choice([3, 4, 6, 8]))
    # A corner of a triangle or diamond is far away, where the sides are near.
    scale = {3: 1.7, 4: 1.4}.get(num_sides, 1.1)
    outline = outlines.polygon(num_sides, scale * half_sizes[0], scale * half_sizes[1])
    return outlines.rotate(outline, rng.uniform(-8, 8))


def _sample_surroundings(rng: np.random.Generator) -> float:
    """Samples the free space around a curve, as a fraction of its size."""
    return float(rng.uniform(_MIN_SURROUNDINGS, _MAX_SURROUNDINGS))


def _place_digit(
    rng: np.random.Generator,
    digit: np.ndarray,
    extent: np.ndarray,
    surroundings: float,
) -> _Placed:
    """Writes a digit on a page that leaves room for a curve.

    Args:
      rng: a random generator.
      digit: `float32 (28, 28)` in [0, 1].
      extent: half of the curve's width and height.
      surroundings: free space around the curve, as a fraction of its size.
    """
    tool = str(rng.choice(["pen", "pen", "pencil", "marker", "brush"]))
    alpha, color = render_ink(rng, digit, tool)
    size = 2 * extent * (1 + surroundings) + 16
    free_space = size - 2 * extent - 16
    position = 0.5 + rng.uniform(-0.4, 0.4, 2)
    center = extent + 8 + free_space * position
    width, height = size.astype(int).tolist()
    left, top = (center - np.array(alpha.shape[::-1]) / 2).astype(int).tolist()
    coverage = composite_layers((height, width), [Layer(alpha, top, left)])
    return _Placed(coverage, color, center)


def _half_extent(curves: list[np.ndarray]) -> np.ndarray:
    """Returns half of the width and height that curves around one center need."""
    return np.abs(np.concatenate(curves)).max(axis=0)


def _draw_outlined(
    rng: np.random.Generator,
    digit: np.ndarray,
    curves: list[np.ndarray],
    half_sizes: tuple[float, float],
) -> np.ndarray:
    """Draws a digit in curves, by its own pen or in another color."""
    line_width = int(max(2, np.exp(rng.uniform(np.log(3), np.log(30)))))
    extent = _half_extent(curves) + line_width
    placed = _place_digit(rng, digit, extent, _sample_surroundings(rng))
    shape = placed.coverage.shape
    offset = rng.uniform(-0.06, 0.06, 2) * min(half_sizes)
    page = render_paper(rng, shape, "plain", DIGIT_HEIGHT)
    has_own_color = rng.uniform() < 0.5
    color = rng.uniform(0, 0.45, 3) if has_own_color else placed.color
    for curve in curves:
        line = outlines.draw_outline(curve, placed.center + offset, shape, line_width)
        page = alpha_blend(page, color, rng.uniform(0.7, 1) * line)
    page = alpha_blend(page, placed.color, placed.coverage)
    return _make_image(rng, page.astype(np.float32))


def _draw_filled(
    rng: np.random.Generator,
    digit: np.ndarray,
    outline: np.ndarray,
    half_sizes: tuple[float, float],
    surroundings: float,
) -> np.ndarray:
    """Draws a digit on a filled outline, dark on light or light on dark."""
    placed = _place_digit(rng, digit, _half_extent([outline]), surroundings)
    shape = placed.coverage.shape
    card = outlines.draw_outline(outline, placed.center, shape, line_width=None)
    around, filled, ink = _sample_colors(rng)
    page = np.full((*shape, 3), around)
    grain = rng.uniform(0, 0.08) * value_noise(rng, shape, cells=8)
    page = np.clip(page * (1 + grain)[..., None], 0, 1)
    page = alpha_blend(page, filled, card)
    if rng.uniform() < 0.2:
        rim_width = int(rng.uniform(0.02, 0.08) * min(half_sizes)) + 2
        rim = outlines.draw_outline(0.94 * outline, placed.center, shape, rim_width)
        page = alpha_blend(page, ink, rim)
    page = alpha_blend(page, ink, placed.coverage)
    return _make_image(rng, page.astype(np.float32))


def _sample_colors(
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples the colors of the surroundings, a card and its ink, `float64 (3,)`."""
    while True:
        around, filled, ink = rng.uniform(0, 1, 3)
        contrast_around = abs(around - filled)
        contrast_inside = abs(ink - filled)
        if min(contrast_around, contrast_inside) > _MIN_CONTRAST:
            break
    around_color, filled_color, ink_color = (
        np.clip(level + rng.uniform(-0.1, 0.1, 3), 0, 1)
        for level in (around, filled, ink)
    )
    return around_color, filled_color, ink_color


def _make_image(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Photographs a page, or takes it as a drawing or as a scan in two levels."""
    min_side = _MIN_DIGIT_HEIGHT / DIGIT_HEIGHT * max(page.shape[:2])
    log_side = rng.uniform(np.log(min_side), np.log(_MAX_SIDE))
    long_side_px = int(np.exp(log_side))
    way = rng.uniform()
    if rng.uniform() < _NEGATIVE_PROB:
        page = 1 - page
    if way < _DRAWING_PROB:
        return _reduce(page, long_side_px)
    if way < _DRAWING_PROB + _SCAN_PROB:
        return _threshold(_reduce(page, long_side_px))
    page = random_perspective(rng, page, max_degrees=10)
    lit = apply_lighting(rng, page, rng.uniform(0, 0.7))
    noise_sigma = rng.uniform(0, 0.02)
    return simulate_camera(rng, lit, long_side_px, noise_sigma, rng.uniform(0, 0.8))


def _reduce(page: np.ndarray, long_side_px: int) -> np.ndarray:
    """Resizes a page without noise, `uint8 (height, width, 3)`."""
    scale = long_side_px / max(page.shape[:2])
    resized = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    levels = np.rint(255 * np.clip(resized, 0, 1))
    return levels.astype(np.uint8)


def _threshold(image: np.ndarray) -> np.ndarray:
    """Reduces an image to black and white by Otsu's threshold, in three channels."""
    gray = image.mean(axis=-1).astype(np.uint8)
    method = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    _, mask = cv2.threshold(gray, thresh=0, maxval=255, type=method)
    return np.repeat(mask[..., None], 3, axis=-1)
