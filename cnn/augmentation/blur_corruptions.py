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
    sigma, angle = sample_uniform(key, images, (1, 4), (0, math.pi))
    steps = jnp.linspace(-2, 2, 9)
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    distance = steps[:, None, None, None] * sigma
    right = interpolation_matrix(coordinates + distance * jnp.cos(angle), side)
    down = interpolation_matrix(coordinates + distance * jnp.sin(angle), side)
    moved = apply_separable(down, images, right)
    weights = jax.nn.softmax(-(steps**2) / 2)
    return jnp.tensordot(weights, moved, 1)


def glass_blur(key: jax.Array, images: jax.Array) -> jax.Array:
    """Replaces each pixel by a nearby one, between two slight Gaussian blurs."""
    sigma, radius = sample_uniform(key, images, (0.3, 1), (0.7, 1.6))
    offset_key = jax.random.fold_in(key, 1)
    shape = (2, *images.shape)
    offsets = jax.random.uniform(offset_key, shape, minval=-1, maxval=1)
    right, down = jnp.round(offsets * radius)
    coordinates = centered_coordinates(images.shape[-1])
    blurred = filter_gaussian(images, sigma)
    x = coordinates + right
    y = coordinates[:, None] + down
    moved = resample_at(blurred, x, y)
    return filter_gaussian(moved, sigma / 2)


def pixelate(key: jax.Array, images: jax.Array) -> jax.Array:
    """Lowers the resolution to pixels of 1.5 to 4 times the size."""
    size, phase = sample_uniform(key, images, (1.5, 4), (0, 1))
    side = images.shape[-1]
    cells = jnp.round(centered_coordinates(side) / size + phase)
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
    coordinates = centered_coordinates(images.shape[-1])
    distance = (coordinates[:, None] - coordinates) / sigma
    weights = jax.nn.softmax(-(distance**2) / 2, axis=-1)
    return apply_separable(weights, images, weights)
