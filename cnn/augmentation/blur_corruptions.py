"""Corruptions that blur or lower the resolution.

Every corruption is a function of a random key and of `float32 (batch, side, side)`
images in [0, 1], ink 1 on background 0. It returns images of the same shape and range.
"""

import math

import jax
import jax.numpy as jnp

from cnn.augmentation.affine import (
    apply_separable,
    centered_coordinates,
    interpolation_matrix,
    resample_at,
)
from cnn.augmentation.corruption_sampling import sample_uniform


def gaussian_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Blurs by a Gaussian with a standard deviation of 0.4 to 1.5 pixels."""
    (sigma,) = sample_uniform(key, images, (0.4, 1.5))
    return filter_gaussian(images, sigma)


def motion_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Blurs along a random direction, with a standard deviation of 1 to 4 pixels."""
    sigma, angle = sample_uniform(
        key,
        images,
        (1, 4),  # standard deviation, in pixels
        (0, math.pi),  # direction
    )
    # Positions along the path, in standard deviations.
    steps = jnp.linspace(-2, 2, 9)
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    distance = steps[:, None, None, None] * sigma
    x = coordinates + distance * jnp.cos(angle)
    column_weights = interpolation_matrix(x, side)
    y = coordinates + distance * jnp.sin(angle)
    row_weights = interpolation_matrix(y, side)
    moved = apply_separable(row_weights, images, column_weights)
    exponent = -(steps**2) / 2
    weights = jax.nn.softmax(exponent)
    return jnp.tensordot(weights, moved, 1)


def glass_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Replaces each pixel by a nearby one, between two slight Gaussian blurs."""
    sigma, radius = sample_uniform(
        key,
        images,
        (0.3, 1),  # standard deviation of the first blur, in pixels
        (0.7, 1.6),  # largest displacement per axis, in pixels
    )
    offset_key = jax.random.fold_in(key, 1)
    shape = (2, *images.shape)
    offsets = jax.random.uniform(offset_key, shape, minval=-1, maxval=1)
    displacements = offsets * radius
    right, down = jnp.round(displacements)
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    blurred = filter_gaussian(images, sigma)
    x = coordinates + right
    y = coordinates[:, None] + down
    moved = resample_at(blurred, x, y)
    return filter_gaussian(moved, sigma / 2)


def pixelate(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lowers the resolution to pixels of 1.5 to 4 times the size."""
    size, phase = sample_uniform(
        key,
        images,
        (1.5, 4),  # side of a large pixel, in pixels
        (0, 1),  # offset of the grid, in large pixels
    )
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    grid_coordinates = coordinates / size + phase
    cells = jnp.round(grid_coordinates)
    positions = (cells - phase) * size
    weights = interpolation_matrix(positions, side)
    blurred = filter_gaussian(images, size / 3)
    return apply_separable(weights, blurred, weights)


def filter_gaussian(images: jax.Array, sigma: jax.Array) -> jax.Array:
    """Filters images by a Gaussian, renormalized at the borders.

    Args:
      images: `float32 (batch, side, side)`.
      sigma: `float32 (batch, 1, 1)`, standard deviations in pixels.

    Returns:
      `float32 (batch, side, side)`.
    """
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    offsets = coordinates[:, None] - coordinates
    distance = offsets / sigma
    exponent = -(distance**2) / 2
    weights = jax.nn.softmax(exponent, axis=-1)
    return apply_separable(weights, images, weights)
