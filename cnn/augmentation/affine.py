"""Random affine and elastic warps of image batches, computed on the device.

An image is sampled in two passes of linear interpolation, first along its rows, then
along its columns (Catmull & Smith, "3-D transformations of images in scanline order",
1980). Each pass is a product with interpolation weights. On CPU, such a product is
faster than a gather. Coordinates are relative to the image's center, in pixels.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

# Number of control points per axis of an elastic displacement field.
_ELASTIC_POINTS = 6


class AffineRanges(NamedTuple):
    """Limits of a random affine map. Each parameter is uniform in ± its limit.

    Attributes:
      rotation_degrees: angle, in degrees.
      scale_range: relative change of size, per axis.
      shear_factor: horizontal displacement in pixels per pixel of height.
      translate_pixels: translation per axis, in pixels.
    """

    rotation_degrees: float
    scale_range: float
    shear_factor: float
    translate_pixels: float


def sample_affine(key: jax.Array, count: int, ranges: AffineRanges) -> jax.Array:
    """Samples random affine maps from output pixels to input pixels.

    Args:
      key: a JAX random key.
      count: number of maps.
      ranges: limits of the parameters.

    Returns:
      `float32 (count, 2, 3)`, one row for x and one for y.
    """
    limits = jnp.array(
        [
            math.radians(ranges.rotation_degrees),
            ranges.scale_range,
            ranges.scale_range,
            ranges.shear_factor,
            ranges.translate_pixels,
            ranges.translate_pixels,
        ]
    )
    # One call samples all parameters, since each call compiles the generator again.
    params = jax.random.uniform(key, (count, 6), minval=-1, maxval=1) * limits
    inverse_scale = 1 / (1 + params[:, 1:3])
    shear = params[:, 3]
    cos = jnp.cos(params[:, 0])
    sin = jnp.sin(params[:, 0])
    x_from_u = cos * inverse_scale[:, 0]
    x_from_v = (shear * cos - sin) * inverse_scale[:, 1]
    y_from_u = sin * inverse_scale[:, 0]
    y_from_v = (shear * sin + cos) * inverse_scale[:, 1]
    x_row = jnp.stack([x_from_u, x_from_v, params[:, 4]], axis=-1)
    y_row = jnp.stack([y_from_u, y_from_v, params[:, 5]], axis=-1)
    return jnp.stack([x_row, y_row], axis=1)


def sample_elastic(key: jax.Array, count: int, sigma: float) -> jax.Array:
    """Samples coarse random displacement fields for an elastic deformation.

    Args:
      key: a JAX random key.
      count: number of fields.
      sigma: standard deviation of a displacement, in pixels.

    Returns:
      `float32 (count, 2, 6, 6)`: displacements to the right and down at a regular grid
      of control points, in pixels.
    """
    shape = (count, 2, _ELASTIC_POINTS, _ELASTIC_POINTS)
    return sigma * jax.random.normal(key, shape)


def warp(
    images: jax.Array, maps: jax.Array, displacements: jax.Array | None = None
) -> jax.Array:
    """Warps images by affine maps and, optionally, elastic displacement fields.

    The elastic deformation follows Simard et al., "Best practices for convolutional
    neural networks", 2003, with a coarser field.

    Args:
      images: `float32 (batch, height, width)`. Pixels outside the image are 0.
      maps: `float32 (batch, 2, 3)` from `sample_affine`.
      displacements: `float32 (batch, 2, 6, 6)` from `sample_elastic`.

    Returns:
      `float32 (batch, height, width)`.
    """
    # Output (u, v) samples input (x, y) = (a u + b v + c, d u + e v + f). The first
    # pass computes each input row y at all u. There, v = (y - d u - f) / e, so
    # x = (a - b d / e) u + (b / e) (y - f) + c.
    a, b, c = maps[:, 0].T[:, :, None, None]
    d, e, f = maps[:, 1].T[:, :, None, None]
    height, width = images.shape[1:]
    u = centered_coordinates(width)[None, :]
    v = centered_coordinates(height)[:, None]
    x = (a - b * d / e) * u + b / e * (v - f) + c
    y = d * u + e * v + f
    if displacements is not None:
        x = x + upsample_bilinear(displacements[:, 0], height)
        y = y + upsample_bilinear(displacements[:, 1], height)
    return resample_at(images, x, y)


def centered_coordinates(size: int) -> jax.Array:
    """Returns the coordinates of `size` pixels relative to their center.

    Example:
      >>> centered_coordinates(4).tolist()
      [-1.5, -0.5, 0.5, 1.5]
    """
    indices = jnp.arange(size, dtype=jnp.float32)
    center = (size - 1) / 2
    return indices - center


def resample_at(images: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Samples images at column `x` of each row, then at row `y` of each column.

    Args:
      images: `float32 (batch, height, width)`.
      x: centered column coordinates, broadcast to the shape of `images`.
      y: centered row coordinates, broadcast to the shape of `images`.

    Returns:
      `float32 (batch, height, width)`.
    """
    rows = _resample_rows(images, x)
    columns = _resample_rows(rows.swapaxes(1, 2), y.swapaxes(1, 2))
    return columns.swapaxes(1, 2)


def _resample_rows(rows: jax.Array, positions: jax.Array) -> jax.Array:
    """Interpolates `(batch, rows, size)` linearly along its last axis."""
    positions = jnp.broadcast_to(positions, rows.shape)
    coordinates = centered_coordinates(rows.shape[-1])
    distance = jnp.abs(positions[..., None] - coordinates)
    weights = jnp.maximum(0, 1 - distance)
    return jnp.einsum("blps,bls->blp", weights, rows)


def upsample_bilinear(grid: jax.Array, side: int) -> jax.Array:
    """Interpolates `(batch, size, size)` linearly to `(batch, side, side)`."""
    size = grid.shape[-1]
    last = (size - 1) / 2
    positions = jnp.linspace(-last, last, side)
    weights = interpolation_matrix(positions[None], size)
    return apply_separable(weights, grid, weights)


def interpolation_matrix(positions: jax.Array, size: int) -> jax.Array:
    """Returns the weights of linear interpolation between `size` pixels.

    Args:
      positions: `(..., 1, n)`, centered coordinates.
      size: number of pixels along the axis.

    Returns:
      `(..., n, size)`.
    """
    distance = jnp.abs(positions.mT - centered_coordinates(size))
    return jnp.maximum(0, 1 - distance)


def apply_separable(
    row_weights: jax.Array, images: jax.Array, column_weights: jax.Array
) -> jax.Array:
    """Applies a separable linear filter, whose weights may differ between images."""
    return row_weights @ images @ column_weights.mT
