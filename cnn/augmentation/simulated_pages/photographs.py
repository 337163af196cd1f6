"""Photographs of one digit on a sheet of paper.

Every scene is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns a photograph, `uint8 (height, width, 3)`. Sizes are in pixels of the
page before the camera reduces it, where a digit is `DIGIT_HEIGHT` pixels high.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import (
    alpha_blend,
    composite_layers,
)
from cnn.augmentation.simulated_pages.rendering import (
    apply_lighting,
    random_perspective,
    render_paper,
    simulate_camera,
    value_noise,
)
from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT, render_ink

# Largest rotation of a photograph, in degrees. People align ruled paper.
_MAX_DEGREES_PLAIN = 12
_MAX_DEGREES_RULED = 4
_MAX_DEGREES_BOX = 5

# Side of the image of a full stop.
_FULL_STOP_SIZE = 31

# Gap between a printed box and the edge of the page.
_BOX_MARGIN = 70

# Gap between a row of digits and the edge of the page.
_ROW_MARGIN = 40

# A large sheet in front of a camera: standard deviations of noise and blur.
_SCENE_NOISE = 0.01
_SCENE_BLUR = 0.7


def photograph(
    rng: np.random.Generator,
    digit: np.ndarray,
    tool: str,
    paper: str,
    fill_fraction: float,
    long_side_px: int,
    light_unevenness: float = 0.6,
    clutter_prob: float = 0.0,
    sensor_noise: float | None = None,
) -> np.ndarray:
    """Photographs a digit on a sheet that fills the image.

    Args:
      rng: a random generator.
      digit: `float32 (28, 28)` in [0, 1].
      tool: a tool of `render_ink`.
      paper: `plain`, `ruled` or `squared`.
      fill_fraction: height of the digit, as a fraction of the photograph's height.
      long_side_px: longer side of the photograph, in pixels.
      light_unevenness: in [0, 1].
      clutter_prob: probability of each of a neighbor's stroke, a full stop and the edge
        of the table.
      sensor_noise: standard deviation, as a fraction of white, or None for a random one
        of at most 0.03.

    Returns:
      `uint8 (height, width, 3)`.
    """
    alpha, color = render_ink(rng, digit, tool)
    height = int(max(DIGIT_HEIGHT / fill_fraction, alpha.shape[0] * 0.9))
    width = int(height * rng.uniform(0.75, 1.33))
    width = max(width, int(alpha.shape[1] * 0.9))
    pitch = DIGIT_HEIGHT * rng.uniform(0.5, 1.6)
    page = render_paper(rng, (height, width), paper, pitch)
    coverage = _arrange(rng, alpha, (height, width), clutter_prob)
    page = alpha_blend(page, color, coverage)
    max_degrees = _MAX_DEGREES_PLAIN if paper == "plain" else _MAX_DEGREES_RULED
    page = random_perspective(rng, page, max_degrees)
    if rng.uniform() < clutter_prob:
        page = _add_table_edge(rng, page)
    if sensor_noise is None:
        sensor_noise = rng.uniform(0, 0.03)
    lit = apply_lighting(rng, page, light_unevenness)
    blur = rng.uniform(0, 0.006) * long_side_px * fill_fraction
    return simulate_camera(rng, lit, long_side_px, sensor_noise, blur)


def _arrange(
    rng: np.random.Generator,
    alpha: np.ndarray,
    shape: tuple[int, int],
    clutter_prob: float,
) -> np.ndarray:
    """Places a character near the middle of the page, and clutter around it."""
    slack = np.array(shape) - alpha.shape
    offset = rng.uniform(-0.35, 0.35, 2)
    # A character that is larger than the page is centered.
    position = np.where(slack > 0, 0.5 + offset, 0.5)
    corner = (slack * position).astype(int)
    layers = [(alpha, corner)]
    if rng.uniform() < clutter_prob:
        layers.append(_place_neighbor(rng, alpha, shape))
    if rng.uniform() < clutter_prob:
        stop_corner = corner + [alpha.shape[0] - 45, alpha.shape[1] + 4]
        layers.append((_render_full_stop(rng), stop_corner))
    return composite_layers(shape, layers)


def _place_neighbor(
    rng: np.random.Generator, alpha: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Places a rotated copy, 1 to 5 % of the page visible at its left or right edge."""
    neighbor = np.rot90(alpha, int(rng.integers(4)))
    is_right = rng.choice([-1, 1]) > 0
    visible = int(rng.uniform(0.01, 0.05) * shape[1])
    height, width = neighbor.shape
    if is_right:
        left = shape[1] - visible
    else:
        left = visible - width
    max_top = max(1, shape[0] - height)
    top = int(rng.uniform(0, max_top))
    return neighbor, np.array([top, left])


def _render_full_stop(rng: np.random.Generator) -> np.ndarray:
    size = (_FULL_STOP_SIZE, _FULL_STOP_SIZE)
    canvas = np.zeros(size, np.float32)
    center = (_FULL_STOP_SIZE // 2, _FULL_STOP_SIZE // 2)
    radius = int(rng.uniform(4, 8))
    return cv2.circle(canvas, center, radius, 1.0, thickness=-1)


def _add_table_edge(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Replaces the left or right 2 to 8 % of the page by a dark table."""
    width = page.shape[1]
    strip = int(rng.uniform(0.02, 0.08) * width)
    is_left = rng.uniform() < 0.5
    columns = slice(0, strip) if is_left else slice(width - strip, None)
    result = page.copy()
    result[:, columns] = rng.uniform(0.05, 0.4)
    return result


def photograph_sheet_on_table(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a small sheet on a dark table, rotated by up to 15 degrees."""
    tool = str(rng.choice(["pen", "marker"]))
    alpha, color = render_ink(rng, digit, tool)
    shape = np.array(alpha.shape) + rng.integers(100, 260, 2)
    height, width = shape.tolist()
    slack = shape - alpha.shape
    corner = rng.integers(20, slack - 20)
    coverage = composite_layers((height, width), [(alpha, corner)])
    paper = render_paper(rng, coverage.shape, "plain", DIGIT_HEIGHT)
    sheet = alpha_blend(paper, color, coverage)
    side = int(1.5 * max(height, width))
    wood_color = rng.uniform(0.1, 0.5, 3)
    grain = 0.12 * value_noise(rng, (side, side), 6)
    table = wood_color * (1 + grain)[..., None]
    degrees = rng.uniform(-15, 15)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    # The sheet's center moves to the scene's center.
    translation = np.array([side - width, side - height]) / 2
    matrix[:, 2] = matrix[:, 2] + translation
    scene_size = (side, side)
    mask = cv2.warpAffine(np.ones_like(coverage), matrix, scene_size)
    mask = mask[..., None]
    rotated = cv2.warpAffine(sheet.astype(np.float32), matrix, scene_size)
    scene = table * (1 - mask) + rotated * mask
    return _photograph_scene(rng, scene.astype(np.float32))


def photograph_row_of_digits(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit between two smaller ones, which do not touch it."""
    alpha, color = render_ink(rng, digit, "pen")
    upside_down = np.rot90(alpha, 2)
    neighbor = cv2.resize(
        upside_down, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA
    )
    height, width = neighbor.shape
    gap = int(rng.uniform(0, 0.3) * DIGIT_HEIGHT)
    page_height = 2 * DIGIT_HEIGHT
    page_width = alpha.shape[1] + 2 * (width + gap + _ROW_MARGIN)
    top = (page_height - len(alpha)) // 2
    left = _ROW_MARGIN + width + gap
    layers = [(alpha, np.array([top, left]))]
    before = left - gap - width
    after = left + alpha.shape[1] + gap
    for neighbor_left in (before, after):
        neighbor_top = top + rng.integers(0, len(alpha) - height)
        corner = np.array([neighbor_top, neighbor_left])
        layers.append((neighbor, corner))
    coverage = composite_layers((page_height, page_width), layers)
    paper = render_paper(rng, coverage.shape, "plain", DIGIT_HEIGHT)
    page = alpha_blend(paper, color, coverage)
    return _photograph_scene(rng, page)


def photograph_printed_box(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit in a printed box, below a line of small print."""
    tool = str(rng.choice(["pen", "pencil"]))
    alpha, color = render_ink(rng, digit, tool)
    box = np.array(alpha.shape) + rng.integers(20, 120, 2)
    printed = _render_printed_box(rng, box)
    corner = _BOX_MARGIN + rng.integers(8, box - alpha.shape - 7)
    coverage = composite_layers(printed.shape, [(alpha, corner)])
    paper = render_paper(rng, coverage.shape, "plain", DIGIT_HEIGHT)
    form = paper * (1 - 0.8 * printed[..., None])
    page = alpha_blend(form, color, coverage)
    page = random_perspective(rng, page, _MAX_DEGREES_BOX)
    return _photograph_scene(rng, page)


def _render_printed_box(rng: np.random.Generator, box: np.ndarray) -> np.ndarray:
    """Draws a box of (height, width) and rectangles in place of letters above it."""
    bottom, right = (box + _BOX_MARGIN).tolist()
    printed = np.zeros((bottom + _BOX_MARGIN, right + _BOX_MARGIN), np.uint8)
    line_width = int(rng.integers(2, 6))
    corner = (_BOX_MARGIN, _BOX_MARGIN)
    cv2.rectangle(printed, corner, (right, bottom), 1, line_width)
    baseline = 36
    for left in range(40, right, 14):
        height = int(rng.integers(8, 14))
        width = int(rng.integers(3, 10))
        upper_left = (left, baseline - height)
        cv2.rectangle(printed, upper_left, (left + width, baseline), 1, 2)
    return printed


def _photograph_scene(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Photographs a page at 150 to 499 pixels in moderately uneven light."""
    lit = apply_lighting(rng, page, 0.5)
    long_side_px = int(rng.integers(150, 500))
    return simulate_camera(rng, lit, long_side_px, _SCENE_NOISE, _SCENE_BLUR)
