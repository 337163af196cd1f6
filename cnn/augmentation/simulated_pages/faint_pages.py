"""Simulated pages whose character is large, thin and faint.

They are drawn at the resolution of the photograph, so that rules of a few pixels and
strokes of one pixel keep their shape.
"""

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
from cnn.augmentation.simulated_pages.paper import value_noise
from cnn.augmentation.simulated_pages.thin_strokes import render_thin_strokes

# Colors of rules and of pencils and pens, in RGB order, in [0, 1].
_RULE_COLORS = (
    (0.35, 0.5, 0.85),  # blue
    (0.5, 0.5, 0.52),  # gray
    (0.8, 0.45, 0.4),  # red
    (0.4, 0.65, 0.5),  # green
)
_PEN_COLORS = (
    (0.1, 0.1, 0.12),  # black
    (0.1, 0.15, 0.55),  # blue
    (0.6, 0.1, 0.12),  # red
)
# Weights of red, green and blue in the luminance (ITU-R BT.601).
_LUMINANCE = np.array([0.299, 0.587, 0.114])

# Largest rotation, in degrees.
_MAX_DEGREES = 5
# Smallest margin beside the character, as a fraction of the image's sides.
_MARGIN = 0.03


def photograph_pencil_on_squares(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a large pencil digit on squared paper that is as strong as it."""
    return _photograph_pencil(rng, digit, is_squared=True)


def photograph_pencil_on_rules(
    rng: np.random.Generator, digit: np.ndarray
) -> np.ndarray:
    """Photographs a large pencil digit on ruled paper that is as strong as it."""
    return _photograph_pencil(rng, digit, is_squared=False)


def _photograph_pencil(
    rng: np.random.Generator, digit: np.ndarray, is_squared: bool
) -> np.ndarray:
    shape = _sample_shape(rng, 160, 700)
    shade = rng.uniform(0.7, 0.95)
    page = np.full((*shape, 3), shade, np.float32)
    spacing = np.exp(rng.uniform(np.log(4), np.log(40)))
    rules = _render_rules(rng, shape, spacing, is_squared)
    rule_color = np.array(_RULE_COLORS[rng.integers(len(_RULE_COLORS))], np.float32)
    rule_contrast = rng.uniform(0.05, 0.2)
    rule_opacity = rule_contrast / (shade - rule_color @ _LUMINANCE)
    page = alpha_blend(page, rule_color, np.clip(rule_opacity * rules, 0, 1))
    pencil = np.full(3, rng.uniform(0.2, 0.4), np.float32)
    contrast = max(0.06, rule_contrast * rng.uniform(0.6, 1.6))
    opacity = min(1.0, contrast / (shade - pencil[0]))
    width = max(1.2, rng.uniform(0.006, 0.022) * max(shape))
    coverage = _write(rng, digit, shape, width, grain=0.2)
    page = alpha_blend(page, pencil, opacity * coverage)
    page = random_perspective(rng, page, _MAX_DEGREES)
    lit = apply_lighting(rng, page, 0.6)
    noise_sigma = rng.uniform(0, 0.012)
    blur_sigma = rng.uniform(0, 0.9)
    return simulate_camera(rng, lit, max(shape), noise_sigma, blur_sigma)


def photograph_thin_strokes(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Photographs a large digit of strokes one or two pixels wide."""
    shape = _sample_shape(rng, 300, 1600)
    shade = rng.uniform(0.75, 0.97)
    paper = 1 + rng.uniform(0, 0.012) * value_noise(rng, shape, cells=60)
    page = np.repeat((shade * paper)[..., None], 3, axis=2)
    is_pencil = rng.uniform() < 0.5
    if is_pencil:
        color = np.full(3, rng.uniform(0.25, 0.45), np.float32)
        opacity = rng.uniform(0.3, 0.8)
    else:
        color = np.array(_PEN_COLORS[rng.integers(len(_PEN_COLORS))], np.float32)
        opacity = rng.uniform(0.6, 1)
    width = rng.uniform(1, 2.5)
    coverage = _write(rng, digit, shape, width, grain=0.25 if is_pencil else 0.08)
    page = alpha_blend(page, color, opacity * coverage)
    lit = apply_lighting(rng, page.astype(np.float32), 0.6)
    noise_sigma = rng.uniform(0, 0.015)
    blur_sigma = rng.uniform(0, 0.6)
    return simulate_camera(rng, lit, max(shape), noise_sigma, blur_sigma)


def _sample_shape(
    rng: np.random.Generator, min_side: int, max_side: int
) -> tuple[int, int]:
    """Samples the height and width of an image, whose longer side is log-uniform."""
    long_side = np.exp(rng.uniform(np.log(min_side), np.log(max_side)))
    short_side = long_side * rng.uniform(0.7, 1)
    is_upright = rng.uniform() < 0.7
    sides = (long_side, short_side) if is_upright else (short_side, long_side)
    height, width = np.rint(sides).astype(int).tolist()
    return height, width


def _render_rules(
    rng: np.random.Generator, shape: tuple[int, int], spacing: float, is_squared: bool
) -> np.ndarray:
    """Returns the strength of rules, `float32 (height, width)`, 1 on average."""
    thickness = max(1.0, spacing * rng.uniform(0.03, 0.12))
    # Cheap paper is printed unevenly, and a camera resolves some rules better.
    unevenness = rng.uniform(0, 0.6)
    height, width = shape
    rules = _render_profile(rng, height, spacing, thickness, unevenness)[:, None]
    if is_squared:
        columns = _render_profile(rng, width, spacing, thickness, unevenness)
        rules = np.maximum(rules, columns)
    return np.broadcast_to(rules, shape)


def _render_profile(
    rng: np.random.Generator,
    size: int,
    spacing: float,
    thickness: float,
    unevenness: float,
) -> np.ndarray:
    """Returns the strength of parallel rules across their direction, `(size,)`."""
    first = rng.uniform(0, spacing)
    middles = np.arange(first, size, spacing)
    strengths = rng.uniform(1 - unevenness, 1 + unevenness, len(middles))
    distances = np.abs(np.arange(size)[:, None] - middles)
    coverage = np.clip(thickness / 2 - distances + 0.5, 0, 1)
    return (coverage * strengths).sum(1).astype(np.float32)


def _write(
    rng: np.random.Generator,
    digit: np.ndarray,
    shape: tuple[int, int],
    width: float,
    grain: float,
) -> np.ndarray:
    """Returns the coverage of a character that fills most of the image.

    Args:
      rng: a random generator.
      digit: `float32 (28, 28)` in [0, 1].
      shape: height and width of the image, in pixels.
      width: width of the strokes, in pixels.
      grain: standard deviation of the coverage along the strokes.

    Returns:
      `float32 (height, width)` in [0, 1].
    """
    fill = rng.uniform(0.55, 0.92)
    free = np.array(shape) * (1 - 2 * _MARGIN)
    size = int(fill * shape[0])
    strokes = render_thin_strokes(digit, size, width)
    excess = (np.array(strokes.shape) / free).max()
    if excess > 1:
        strokes = render_thin_strokes(digit, int(size / excess), width)
    noise = value_noise(rng, strokes.shape, cells=50)
    strokes = np.clip(strokes * (1 + grain * noise), 0, 1)
    space = np.maximum(np.array(shape) - strokes.shape, 0)
    top, left = (space * rng.uniform(0.15, 0.85, 2)).astype(int).tolist()
    return composite_layers(shape, [Layer(strokes.astype(np.float32), top, left)])
