"""Random affine and elastic warps of training images, on the device, from a key."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp


class AffineRanges(NamedTuple):
    """How far pictures may be distorted, each way.

    Attributes:
      rotation: degrees.
      scale: fraction of the size, width and height apart.
      shear: pixels sideways per pixel of height.
      shift: pixels.
    """

    rotation: float
    scale: float
    shear: float
    shift: float


def sample_affine(key: jax.Array, count: int, affine: AffineRanges) -> jax.Array:
    """Draws one affine map a picture, from an output pixel to where its input lies.

    Args:
      key: a JAX random key.
      count: how many maps.
      affine: their ranges; each number is drawn uniformly.

    Returns:
      `float32 (count, 2, 3)`: rows for x and y, relative to the centre, in pixels.
    """
    reach = jnp.array(
        [
            math.radians(affine.rotation),
            *2 * [affine.scale],
            affine.shear,
            *2 * [affine.shift],
        ]
    )
    # All from one call, since each would compile the generator again.
    drawn = jax.random.uniform(key, (count, 6), minval=-1, maxval=1) * reach
    turn, shear, shift = drawn[:, 0], drawn[:, 3], drawn[:, 4:]
    stretch = 1 / (1 + drawn[:, 1:3])
    cos, sin = jnp.cos(turn), jnp.sin(turn)
    x = jnp.stack(
        [cos * stretch[:, 0], (shear * cos - sin) * stretch[:, 1], shift[:, 0]], axis=-1
    )
    y = jnp.stack(
        [sin * stretch[:, 0], (shear * sin + cos) * stretch[:, 1], shift[:, 1]], axis=-1
    )
    return jnp.stack([x, y], axis=1)


def sample_elastic(key: jax.Array, count: int, pixels: float) -> jax.Array:
    """Draws how far parts of each picture are moved, besides its map.

    Args:
      key: a JAX random key.
      count: how many pictures.
      pixels: the standard deviation.

    Returns:
      `float32 (count, 2, 6, 6)`: to the right and down, in pixels, at points that lie evenly.
    """
    return pixels * jax.random.normal(key, (count, 2, 6, 6))


def warp(
    images: jax.Array, maps: jax.Array, bends: jax.Array | None = None
) -> jax.Array:
    """Applies affine maps, and bends, in two passes of linear interpolation: along x, then along y.

    Rows and columns are resampled apart (Catmull & Smith, "3-D transformations of images in
    scanline order", 1980), since a product with interpolation weights is quicker than gathering.

    Args:
      images: `float32 (batch, height, width)`; beyond the edge is 0.
      maps: `float32 (batch, 2, 3)` as `draw` makes them.
      bends: `float32 (batch, 2, 6, 6)` as `draw_bends` makes them (Simard et al., "Best practices for
        convolutional neural networks", 2003, bend so, with smoother fields).

    Returns:
      `float32 (batch, height, width)`.
    """
    # Output (u, v) shows input (a u + b v + c, d u + e v + f). The first pass makes, of each row y,
    # the values along u; there v = (y - d u - f) / e, so x = (a - b d / e) u + (b / e)(y - f) + c.
    (a, b, c), (d, e, f) = (row.T[:, :, None, None] for row in (maps[:, 0], maps[:, 1]))
    v, u = (
        centered_coordinates(images.shape[1])[:, None],
        centered_coordinates(images.shape[2])[None, :],
    )
    x, y = (a - b * d / e) * u + b / e * (v - f) + c, d * u + e * v + f
    if bends is not None:
        x, y = (
            x + upsample_bilinear(bends[:, 0], images.shape[1]),
            y + upsample_bilinear(bends[:, 1], images.shape[1]),
        )
    return resample_at(images, x, y)


def centered_coordinates(size: int) -> jax.Array:
    return jnp.arange(size, dtype=jnp.float32) - (size - 1) / 2


def resample_at(images: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Takes each pixel from column `x` of its row, then from row `y` of its column, both centred."""
    return _resample_rows(
        _resample_rows(images, x).swapaxes(1, 2), y.swapaxes(1, 2)
    ).swapaxes(1, 2)


def _resample_rows(lines: jax.Array, positions: jax.Array) -> jax.Array:
    """Interpolates `(batch, lines, size)` linearly along its last axis, at centred positions."""
    positions = jnp.broadcast_to(positions, lines.shape)
    distance = jnp.abs(positions[..., None] - centered_coordinates(lines.shape[-1]))
    return jnp.einsum("blps,bls->blp", jnp.maximum(0, 1 - distance), lines)


def upsample_bilinear(points: jax.Array, side: int) -> jax.Array:
    """Interpolates `(batch, size, size)` linearly to `(batch, side, side)`."""
    size = points.shape[-1]
    weights = interpolation_matrix(
        jnp.linspace(-(size - 1) / 2, (size - 1) / 2, side)[None], size
    )
    return apply_separable(weights, points, weights)


def interpolation_matrix(positions: jax.Array, size: int) -> jax.Array:
    """Weighs `size` pixels for linear interpolation at centred positions, `(..., 1, n)`: `(..., n, size)`."""
    return jnp.maximum(0, 1 - jnp.abs(positions.mT - centered_coordinates(size)))


def apply_separable(
    rows: jax.Array, images: jax.Array, columns: jax.Array
) -> jax.Array:
    """Makes each pixel a weighted sum of rows and columns, whose weights may differ by picture."""
    return rows @ images @ columns.mT
