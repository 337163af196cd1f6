"""Corruptions that draw over the ink or cover it.

Every corruption is a function of a random key and of `float32 (batch, side, side)`
images in [0, 1], ink 1 on background 0. It returns images of the same shape and range.
"""

import jax
import jax.numpy as jnp

from cnn.augmentation.affine import centered_coordinates
from cnn.augmentation.corruption_sampling import (
    random_transpose,
    sample_noise_field,
    sample_uniform,
)


def dotted_line(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws a straight line from edge to edge, solid or dotted."""
    start, end, duty, dash, half_width, ink = sample_uniform(
        key,
        images,
        (0, 27),  # row of the line's left end
        (0, 27),  # row of the line's right end
        (0.3, 1.6),  # share of a dash that is drawn, solid from 1 on
        (2, 6),  # length of a dash and its gap, in pixels
        (0.5, 1.6),  # half of the line's width, in pixels
        (0.4, 1.6),  # brightness, clipped at 1
    )
    side = images.shape[-1]
    x = jnp.arange(side, dtype=images.dtype)
    slope = (end - start) / side
    distance = _distance_to_path(x, start + slope * x, slope)
    coverage = jnp.clip(half_width - distance, 0, 1)
    is_drawn = (x / dash) % 1 < duty
    line = coverage * is_drawn * jnp.minimum(ink, 1)
    return jnp.maximum(images, random_transpose(key, line))


def zigzag(key: jax.Array, images: jax.Array) -> jax.Array:
    """Draws a zigzag line from edge to edge."""
    start, end, amplitude, period, phase, half_width, ink = sample_uniform(
        key,
        images,
        (0, 27),  # row of the line's left end
        (0, 27),  # row of the line's right end
        (1, 5),  # amplitude, in pixels
        (3, 14),  # period, in pixels
        (0, 1),  # phase, in periods
        (0.5, 1.4),  # half of the line's width, in pixels
        (0.4, 1.6),  # brightness, clipped at 1
    )
    side = images.shape[-1]
    x = jnp.arange(side, dtype=images.dtype)
    position = (x / period + phase) % 1
    triangle_wave = 2 * jnp.abs(2 * position - 1) - 1
    rise = (end - start) / side
    y = start + rise * x + amplitude * triangle_wave
    # The slope of a side of the zigzag: positive where the wave falls.
    wave_slope = jnp.where(position < 0.5, -1, 1) * 4 * amplitude / period
    distance = _distance_to_path(x, y, rise + wave_slope)
    coverage = jnp.clip(half_width - distance, 0, 1)
    line = coverage * jnp.minimum(ink, 1)
    return jnp.maximum(images, random_transpose(key, line))


def _distance_to_path(x: jax.Array, y: jax.Array, slope: jax.Array) -> jax.Array:
    """Computes the distance of every pixel to a line, in pixels.

    Args:
      x: `float32 (side,)`, columns.
      y: `float32 (batch, 1, side)`, the line's row in each column.
      slope: `float32`, broadcast to `y`: rows per column.

    Returns:
      `float32 (batch, side, side)`, by row and column.
    """
    row_distance = jnp.abs(x[:, None] - y)
    return row_distance / jnp.sqrt(1 + slope**2)


def spatter(key: jax.Array, images: jax.Array) -> jax.Array:
    """Adds blots of ink, or erases ink as drops of water do."""
    level, ink, kind = sample_uniform(
        key,
        images,
        (0.2, 1.3),  # noise level from which a pixel belongs to a blot
        (0.3, 1.3),  # brightness of the ink, clipped at 1
        (-2, 1),  # ink if negative, water if positive
    )
    noise_key = jax.random.fold_in(key, 1)
    noise = sample_noise_field(noise_key, images, 10)
    excess = 4 * (noise - level)
    blots = jnp.clip(excess, 0, 1)
    washed = images * (1 - blots)
    ink = jnp.minimum(ink, 1)
    inked = jnp.maximum(images, ink * blots)
    return jnp.where(kind > 0, washed, inked)


def random_erasing(key: jax.Array, images: jax.Array) -> jax.Array:
    """Covers a rectangle with sides of 3 to 10 pixels by a uniform gray."""
    x, y, half_width, half_height, gray = sample_uniform(
        key,
        images,
        (-12, 12),  # center of the rectangle
        (-12, 12),
        (1.5, 5),  # half of its sides
        (1.5, 5),
        (-0.5, 1),  # brightness, clipped at 0
    )
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    is_column_covered = jnp.abs(coordinates - x) < half_width
    is_row_covered = jnp.abs(coordinates[:, None] - y) < half_height
    is_covered = is_column_covered & is_row_covered
    return jnp.where(is_covered, jnp.maximum(gray, 0), images)
