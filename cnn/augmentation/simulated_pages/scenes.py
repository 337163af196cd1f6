"""Photographs of a sheet on a table, of a row of digits and of a printed box.

Every scene is a function of a random generator and of a digit, `float32 (28, 28)` in
[0, 1]. It returns a photograph, `uint8 (height, width, 3)`. Sizes are in pixels of the
page before the camera reduces it, where a digit is `DIGIT_HEIGHT` pixels high.
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
from cnn.augmentation.simulated_pages.paper import render_paper, value_noise
from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT

# Least gap between the digit and the edge of a sheet on a table.
_SHEET_MARGIN = 20

# Side of the table, as a multiple of the sheet's longer side.
_TABLE_SCALE = 1.5

# Largest rotation of a sheet on a table and of a printed box, in degrees.
_MAX_DEGREES_SHEET = 15
_MAX_DEGREES_BOX = 5

# Gap between a row of digits and the edge of the page.
_ROW_MARGIN = 40

# Height of the digit's neighbors in a row, as a fraction of the digit's.
_NEIGHBOR_SCALE = 0.75

# Gap between a printed box and the edge of the page, and between it and the digit.
_BOX_MARGIN = 70
_BOX_PADDING = 8

# Baseline of the small print, first letter, and distance between letters.
_PRINT_BASELINE = 36
_PRINT_LEFT = 40
_PRINT_ADVANCE = 14

# Fraction of the light that printed ink absorbs.
_PRINT_OPACITY = 0.8

# Unevenness of the light in [0, 1].
_UNEVENNESS = 0.5

# Standard deviations of the noise, as a fraction of white, and of the blur, in pixels
# of the photograph.
_NOISE_SIGMA = 0.01
_BLUR_SIGMA = 0.7


def photograph_sheet_on_table(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a small sheet on a dark table, rotated by up to 15 degrees."""
    sheet = _write_on_small_sheet(rng, digit)
    height, width = sheet.shape[:2]
    side = int(_TABLE_SCALE * max(height, width))
    table = _render_table(rng, side)
    degrees = rng.uniform(-_MAX_DEGREES_SHEET, _MAX_DEGREES_SHEET)
    sheet_center = (width / 2, height / 2)
    matrix = cv2.getRotationMatrix2D(sheet_center, degrees, scale=1)
    # The sheet's center moves to the table's center.
    translation = np.array([side - width, side - height]) / 2
    matrix[:, 2] = matrix[:, 2] + translation
    table_size = (side, side)
    everywhere = np.ones((height, width), np.float32)
    mask = cv2.warpAffine(everywhere, matrix, table_size)
    rotated = cv2.warpAffine(sheet, matrix, table_size)
    scene = alpha_blend(table, rotated, mask)
    return _photograph_scene(rng, scene.astype(np.float32))


def _write_on_small_sheet(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Writes a digit on a plain sheet that is 100 to 259 pixels higher and wider."""
    tool = str(rng.choice(["pen", "marker"]))
    alpha, color = render_ink(rng, digit, tool)
    free_space = rng.integers(100, 260, 2)
    height, width = (free_space + alpha.shape).tolist()
    corner = rng.integers(_SHEET_MARGIN, free_space - _SHEET_MARGIN)
    top, left = corner.tolist()
    layer = Layer(alpha, top, left)
    coverage = composite_layers((height, width), [layer])
    return _write_on_plain_paper(rng, coverage, color)


def _render_table(rng: np.random.Generator, side: int) -> np.ndarray:
    """Renders a square of grained wood: `float64 (side, side, 3)`."""
    color = rng.uniform(0.1, 0.5, 3)
    grain = 0.12 * value_noise(rng, (side, side), cells=6)
    return color * (1 + grain)[..., None]


def photograph_row_of_digits(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit between two smaller ones, which do not touch it."""
    alpha, color = render_ink(rng, digit, "pen")
    coverage = _arrange_row(rng, alpha)
    page = _write_on_plain_paper(rng, coverage, color)
    return _photograph_scene(rng, page)


def _arrange_row(rng: np.random.Generator, alpha: np.ndarray) -> np.ndarray:
    """Places a character between two smaller copies that are upside down."""
    upside_down = np.rot90(alpha, 2)
    neighbor = cv2.resize(
        upside_down,
        None,
        fx=_NEIGHBOR_SCALE,
        fy=_NEIGHBOR_SCALE,
        interpolation=cv2.INTER_AREA,
    )
    height, width = alpha.shape
    neighbor_height, neighbor_width = neighbor.shape
    gap = int(rng.uniform(0, 0.3) * DIGIT_HEIGHT)
    page_height = 2 * DIGIT_HEIGHT
    side_width = _ROW_MARGIN + neighbor_width + gap
    page_width = width + 2 * side_width

    top = (page_height - height) // 2
    left = side_width
    layers = [Layer(alpha, top, left)]
    left_of_digit = _ROW_MARGIN
    right_of_digit = left + width + gap
    for neighbor_left in (left_of_digit, right_of_digit):
        descent = int(rng.integers(0, height - neighbor_height))
        neighbor_top = top + descent
        layer = Layer(neighbor, neighbor_top, neighbor_left)
        layers.append(layer)
    return composite_layers((page_height, page_width), layers)


def photograph_printed_box(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a digit in a printed box, below a line of small print."""
    tool = str(rng.choice(["pen", "pencil"]))
    alpha, color = render_ink(rng, digit, tool)
    free_space = rng.integers(20, 120, 2)
    box_height, box_width = (free_space + alpha.shape).tolist()
    printed = _render_printed_box(rng, box_height, box_width)
    max_padding = free_space - _BOX_PADDING
    padding = rng.integers(_BOX_PADDING, max_padding, endpoint=True)
    top, left = (_BOX_MARGIN + padding).tolist()
    coverage = composite_layers(printed.shape, [Layer(alpha, top, left)])
    paper = render_paper(rng, printed.shape, "plain", DIGIT_HEIGHT)
    darkness = _PRINT_OPACITY * printed[..., None]
    form = paper * (1 - darkness)
    page = alpha_blend(form, color, coverage)
    page = random_perspective(rng, page, _MAX_DEGREES_BOX)
    return _photograph_scene(rng, page)


def _render_printed_box(
    rng: np.random.Generator, box_height: int, box_width: int
) -> np.ndarray:
    """Draws a box, and rectangles in place of letters above it.

    Args:
      rng: a random generator.
      box_height: in pixels.
      box_width: in pixels.

    Returns:
      `uint8 (height, width)`, 1 where the page is printed.
    """
    bottom = _BOX_MARGIN + box_height
    right = _BOX_MARGIN + box_width
    page_shape = (bottom + _BOX_MARGIN, right + _BOX_MARGIN)
    printed = np.zeros(page_shape, np.uint8)
    line_width = int(rng.integers(2, 6))
    cv2.rectangle(
        printed,
        (_BOX_MARGIN, _BOX_MARGIN),
        (right, bottom),
        color=1,
        thickness=line_width,
    )
    for left in range(_PRINT_LEFT, right, _PRINT_ADVANCE):
        height = int(rng.integers(8, 14))
        width = int(rng.integers(3, 10))
        cv2.rectangle(
            printed,
            (left, _PRINT_BASELINE - height),
            (left + width, _PRINT_BASELINE),
            color=1,
            thickness=2,
        )
    return printed


def _write_on_plain_paper(
    rng: np.random.Generator, coverage: np.ndarray, color: np.ndarray
) -> np.ndarray:
    paper = render_paper(rng, coverage.shape, "plain", DIGIT_HEIGHT)
    return alpha_blend(paper, color, coverage)


def _photograph_scene(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Photographs a page at 150 to 499 pixels in moderately uneven light."""
    lit = apply_lighting(rng, page, _UNEVENNESS)
    long_side_px = int(rng.integers(150, 500))
    return simulate_camera(rng, lit, long_side_px, _NOISE_SIGMA, _BLUR_SIGMA)
