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
    uniform = jax.random.uniform(key, (count, 6), minval=-1, maxval=1)
    params = uniform * limits
    angle = params[:, 0]
    scale = 1 + params[:, 1:3]
    shear = params[:, 3]
    x_shift = params[:, 4]
    y_shift = params[:, 5]
    inverse_scale = 1 / scale
    inverse_x_scale = inverse_scale[:, 0]
    inverse_y_scale = inverse_scale[:, 1]
    cos = jnp.cos(angle)
    sin = jnp.sin(angle)
    x_from_u = cos * inverse_x_scale
    x_from_v = (shear * cos - sin) * inverse_y_scale
    y_from_u = sin * inverse_x_scale
    y_from_v = (shear * sin + cos) * inverse_y_scale
    x_row = jnp.stack([x_from_u, x_from_v, x_shift], axis=-1)
    y_row = jnp.stack([y_from_u, y_from_v, y_shift], axis=-1)
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
    x_row = maps[:, 0].T
    a, b, c = x_row[:, :, None, None]
    y_row = maps[:, 1].T
    d, e, f = y_row[:, :, None, None]
    _, height, width = images.shape
    u = centered_coordinates(width)
    u = u[None, :]
    v = centered_coordinates(height)
    v = v[:, None]
    x_from_u = a - b * d / e
    x_along_row = x_from_u * u
    x_along_column = b / e * (v - f)
    x = x_along_row + x_along_column + c
    y = d * u + e * v + f
    if displacements is not None:
        right = displacements[:, 0]
        x = x + upsample_bilinear(right, height)
        down = displacements[:, 1]
        y = y + upsample_bilinear(down, height)
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
    resampled = _resample_rows(images, x)
    columns = resampled.swapaxes(1, 2)
    column_positions = y.swapaxes(1, 2)
    columns = _resample_rows(columns, column_positions)
    return columns.swapaxes(1, 2)


def _resample_rows(rows: jax.Array, positions: jax.Array) -> jax.Array:
    """Interpolates `(batch, rows, size)` linearly along its last axis."""
    positions = jnp.broadcast_to(positions, rows.shape)
    size = rows.shape[-1]
    coordinates = centered_coordinates(size)
    offsets = positions[..., None] - coordinates
    distance = jnp.abs(offsets)
    weights = jnp.maximum(0, 1 - distance)
    return jnp.einsum("blps,bls->blp", weights, rows)


def upsample_bilinear(grid: jax.Array, side: int) -> jax.Array:
    """Interpolates `(batch, size, size)` linearly to `(batch, side, side)`."""
    size = grid.shape[-1]
    last = (size - 1) / 2
    positions = jnp.linspace(-last, last, side)
    positions = positions[None]
    weights = interpolation_matrix(positions, size)
    return apply_separable(weights, grid, weights)


def interpolation_matrix(positions: jax.Array, size: int) -> jax.Array:
    """Returns the weights of linear interpolation between `size` pixels.

    Args:
      positions: `(..., 1, n)`, centered coordinates.
      size: number of pixels along the axis.

    Returns:
      `(..., n, size)`.
    """
    column = positions.mT
    coordinates = centered_coordinates(size)
    offsets = column - coordinates
    distance = jnp.abs(offsets)
    return jnp.maximum(0, 1 - distance)


def apply_separable(
    row_weights: jax.Array, images: jax.Array, column_weights: jax.Array
) -> jax.Array:
    """Applies a separable linear filter, whose weights may differ between images."""
    return row_weights @ images @ column_weights.mT
