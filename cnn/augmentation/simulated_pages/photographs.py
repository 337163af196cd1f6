"""Photographs of one digit on a sheet of paper that fills the image.

Sizes are in pixels of the page before the camera reduces it, where a digit is
`DIGIT_HEIGHT` pixels high.
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
from cnn.augmentation.simulated_pages.strokes import DIGIT_HEIGHT

# Largest rotation of a photograph, in degrees. People align ruled paper.
_MAX_DEGREES_PLAIN = 12
_MAX_DEGREES_RULED = 4

# Least side of the page, as a fraction of the digit's image with its margins.
_MIN_PAGE_SIDE = 0.9

# Largest distance of the digit from the middle, as a fraction of the free space.
_MAX_OFFSET = 0.35

# Side of the image of a full stop, and its place in relation to the digit's image: its
# upper edge is above the digit's lower edge, its left edge is beside the right edge.
_FULL_STOP_SIDE = 31
_FULL_STOP_RISE = 45
_FULL_STOP_GAP = 4

# Largest standard deviation of the sensor noise, as a fraction of white.
_MAX_SENSOR_NOISE = 0.03

# Largest standard deviation of the blur, as a fraction of the digit's height.
_MAX_BLUR = 0.006


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
    shape = _sample_page_shape(rng, alpha, fill_fraction)
    rule_spacing = DIGIT_HEIGHT * rng.uniform(0.5, 1.6)
    sheet = render_paper(rng, shape, paper, rule_spacing)
    coverage = _arrange_marks(rng, alpha, shape, clutter_prob)
    page = alpha_blend(sheet, color, coverage)
    max_degrees = _MAX_DEGREES_PLAIN if paper == "plain" else _MAX_DEGREES_RULED
    page = random_perspective(rng, page, max_degrees)
    if rng.uniform() < clutter_prob:
        page = _add_table_edge(rng, page)
    if sensor_noise is None:
        sensor_noise = rng.uniform(0, _MAX_SENSOR_NOISE)
    lit = apply_lighting(rng, page, light_unevenness)
    relative_blur = rng.uniform(0, _MAX_BLUR)
    return simulate_camera(
        rng,
        lit,
        long_side_px,
        noise_sigma=sensor_noise,
        blur_sigma=relative_blur * long_side_px * fill_fraction,
    )


def _sample_page_shape(
    rng: np.random.Generator, alpha: np.ndarray, fill_fraction: float
) -> tuple[int, int]:
    """Samples the height and width of a page with a digit of the given coverage."""
    ink_height, ink_width = alpha.shape
    filled_height = DIGIT_HEIGHT / fill_fraction
    min_height = _MIN_PAGE_SIDE * ink_height
    height = int(max(filled_height, min_height))
    aspect_ratio = rng.uniform(0.75, 1.33)
    width = int(height * aspect_ratio)
    min_width = int(_MIN_PAGE_SIDE * ink_width)
    return height, max(width, min_width)


def _arrange_marks(
    rng: np.random.Generator,
    alpha: np.ndarray,
    shape: tuple[int, int],
    clutter_prob: float,
) -> np.ndarray:
    """Places a character near the middle of the page, and clutter around it."""
    character = _place_near_center(rng, alpha, shape)
    layers = [character]
    if rng.uniform() < clutter_prob:
        neighbor = _place_neighbor(rng, alpha, shape)
        layers.append(neighbor)
    if rng.uniform() < clutter_prob:
        full_stop = _place_full_stop(rng, character)
        layers.append(full_stop)
    return composite_layers(shape, layers)


def _place_near_center(
    rng: np.random.Generator, alpha: np.ndarray, shape: tuple[int, int]
) -> Layer:
    """Places a character at a random offset from the center of the page.

    A character that is larger than the page is centered.
    """
    free_space = np.array(shape) - alpha.shape
    offset = rng.uniform(-_MAX_OFFSET, _MAX_OFFSET, 2)
    fits = free_space > 0
    position = np.where(fits, 0.5 + offset, 0.5)
    corner = (free_space * position).astype(int)
    top, left = corner.tolist()
    return Layer(alpha, top, left)


def _place_neighbor(
    rng: np.random.Generator, alpha: np.ndarray, shape: tuple[int, int]
) -> Layer:
    """Places a rotated copy, 1 to 5 % of the page visible at its left or right edge."""
    quarter_turns = int(rng.integers(4))
    neighbor = np.rot90(alpha, quarter_turns)
    is_right = rng.choice([-1, 1]) > 0
    visible_fraction = rng.uniform(0.01, 0.05)
    page_height, page_width = shape
    visible = int(visible_fraction * page_width)
    height, width = neighbor.shape
    if is_right:
        left = page_width - visible
    else:
        left = visible - width
    max_top = max(1, page_height - height)
    top = int(rng.uniform(0, max_top))
    return Layer(neighbor, top, left)


def _place_full_stop(rng: np.random.Generator, character: Layer) -> Layer:
    """Places a full stop to the right of a character, near its lower edge."""
    radius = int(rng.uniform(4, 8))
    center = _FULL_STOP_SIDE // 2
    full_stop = cv2.circle(
        np.zeros((_FULL_STOP_SIDE, _FULL_STOP_SIDE), np.float32),
        (center, center),
        radius,
        color=1.0,
        thickness=cv2.FILLED,
    )
    height, width = character.coverage.shape
    bottom = character.top + height
    right = character.left + width
    return Layer(
        full_stop,
        top=bottom - _FULL_STOP_RISE,
        left=right + _FULL_STOP_GAP,
    )


def _add_table_edge(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """Replaces the left or right 2 to 8 % of the page by a dark table."""
    width = page.shape[1]
    strip = int(rng.uniform(0.02, 0.08) * width)
    is_left = rng.uniform() < 0.5
    brightness = rng.uniform(0.05, 0.4)
    result = page.copy()
    if is_left:
        result[:, :strip] = brightness
    else:
        result[:, width - strip :] = brightness
    return result
