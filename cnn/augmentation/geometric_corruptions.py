"""Corruptions that move the ink or change the shape of the strokes.

Every corruption is a function of a random key and of `float32 (batch, side, side)`
images in [0, 1], ink 1 on background 0. It returns images of the same shape and range.
"""

import jax
import jax.numpy as jnp

from cnn.augmentation.affine import (
    AffineRanges,
    apply_separable,
    centered_coordinates,
    interpolation_matrix,
    resample_at,
    sample_affine,
    warp,
)
from cnn.augmentation.corruption_sampling import sample_noise_field, sample_uniform

# Much wider than the ranges of the warp that every training image undergoes.
_WIDE_AFFINE_RANGES = AffineRanges(
    rotation_degrees=35, scale_range=0.3, shear_factor=0.4, translate_pixels=4
)

# Standard deviation of the control points of an elastic displacement field, in pixels.
_ELASTIC_SIGMA = 1.2


def random_affine(key: jax.Array, images: jax.Array) -> jax.Array:
    """Rotates, scales, shears and translates within wide ranges."""
    num_images = len(images)
    maps = sample_affine(key, num_images, _WIDE_AFFINE_RANGES)
    return warp(images, maps)


def scale(key: jax.Array, images: jax.Array) -> jax.Array:
    """Scales both axes by the same factor in [0.5, 1.3]."""
    (factor,) = sample_uniform(key, images, (0.5, 1.3))
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    positions = coordinates / factor
    weights = interpolation_matrix(positions, side)
    return apply_separable(weights, images, weights)


def elastic_transform(key: jax.Array, images: jax.Array) -> jax.Array:
    """Displaces pixels by a smooth Gaussian field (Simard 2003)."""
    down_key = jax.random.fold_in(key, 1)
    right = sample_noise_field(key, images, size=7)
    right = _ELASTIC_SIGMA * right
    down = sample_noise_field(down_key, images, size=7)
    down = _ELASTIC_SIGMA * down
    side = images.shape[-1]
    coordinates = centered_coordinates(side)
    x = coordinates + right
    y = coordinates[:, None] + down
    return resample_at(images, x, y)


def dilate(key: jax.Array, images: jax.Array) -> jax.Array:
    """Thickens strokes: blends in 30 to 100 % of the morphological dilation."""
    (amount,) = sample_uniform(key, images, (0.3, 1))
    added = dilate_cross(images) - images
    return images + amount * added


def erode(key: jax.Array, images: jax.Array) -> jax.Array:
    """Thins strokes: blends in 30 to 90 % of the morphological erosion."""
    (amount,) = sample_uniform(key, images, (0.3, 0.9))
    removed = images - erode_cross(images)
    return images - amount * removed


def morphological_gradient(key: jax.Array, images: jax.Array) -> jax.Array:
    """Keeps only the outer or the inner edges of the ink, one pixel wide."""
    level, side, ink = sample_uniform(
        key,
        images,
        (0.2, 0.6),  # threshold of the ink
        (-1, 1),  # inner edges if negative, outer edges if positive
        (0.6, 1),  # brightness of the edges
    )
    is_ink = images > level
    mask = is_ink.astype(images.dtype)
    outer_edges = dilate_cross(mask) - mask
    inner_edges = mask - erode_cross(mask)
    is_outer = side > 0
    edges = jnp.where(is_outer, outer_edges, inner_edges)
    return ink * edges


def dilate_cross(images: jax.Array) -> jax.Array:
    """Returns the maximum of each pixel and its four neighbors (gray dilation)."""
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    below = padded[:, 2:, 1:-1]
    above = padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:]
    left = padded[:, 1:-1, :-2]
    neighborhood = jnp.stack(
        [
            images,
            below,
            above,
            right,
            left,
        ]
    )
    return neighborhood.max(axis=0)


def erode_cross(images: jax.Array) -> jax.Array:
    """Returns the minimum of each pixel and its four neighbors (gray erosion)."""
    inverted = -images
    dilated = dilate_cross(inverted)
    return -dilated
