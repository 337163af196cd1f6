"""Random distortion of a batch of pictures, on the device, from a key."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Affine(NamedTuple):
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


def draw(key: jax.Array, count: int, affine: Affine) -> jax.Array:
    """Draws one affine map a picture, from an output pixel to where its input lies.

    Args:
      key: a JAX random key.
      count: how many maps.
      affine: their ranges; each number is drawn uniformly.

    Returns:
      `float32 (count, 2, 3)`: rows for x and y, relative to the centre, in pixels.
    """
    reach = jnp.array([math.radians(affine.rotation), *2 * [affine.scale], affine.shear, *2 * [affine.shift]])
    # All from one call, since each would compile the generator again.
    drawn = jax.random.uniform(key, (count, 6), minval=-1, maxval=1) * reach
    turn, shear, shift = drawn[:, 0], drawn[:, 3], drawn[:, 4:]
    stretch = 1 / (1 + drawn[:, 1:3])
    cos, sin = jnp.cos(turn), jnp.sin(turn)
    x = jnp.stack([cos * stretch[:, 0], (shear * cos - sin) * stretch[:, 1], shift[:, 0]], axis=-1)
    y = jnp.stack([sin * stretch[:, 0], (shear * sin + cos) * stretch[:, 1], shift[:, 1]], axis=-1)
    return jnp.stack([x, y], axis=1)


def warp(images: jax.Array, maps: jax.Array) -> jax.Array:
    """Applies affine maps, in two passes of linear interpolation: along x, then along y.

    Rows and columns are resampled apart (Catmull & Smith, "3-D transformations of images in
    scanline order", 1980), since a product with interpolation weights is quicker than gathering.

    Args:
      images: `float32 (batch, height, width, 1)`; beyond the edge is 0.
      maps: `float32 (batch, 2, 3)` as `draw` makes them.

    Returns:
      `float32 (batch, height, width, 1)`.
    """
    # Output (u, v) shows input (a u + b v + c, d u + e v + f). The first pass makes, of each row y,
    # the values along u; there v = (y - d u - f) / e, so x = (a - b d / e) u + (b / e)(y - f) + c.
    (a, b, c), (d, e, f) = (row.T[:, :, None, None] for row in (maps[:, 0], maps[:, 1]))
    v, u = _centred(images.shape[1])[:, None], _centred(images.shape[2])[None, :]
    x = (a - b * d / e) * u + b / e * (v - f) + c
    y = (d * u + e * v + f).swapaxes(1, 2)
    rows = _resample(images[..., 0], x)
    return _resample(rows.swapaxes(1, 2), y).swapaxes(1, 2)[..., None]


def _centred(size: int) -> jax.Array:
    return jnp.arange(size, dtype=jnp.float32) - (size - 1) / 2


def _resample(lines: jax.Array, positions: jax.Array) -> jax.Array:
    """Interpolates `(batch, lines, size)` linearly along its last axis, at centred positions."""
    distance = jnp.abs(positions[..., None] - _centred(lines.shape[-1]))
    return jnp.einsum("blps,bls->blp", jnp.maximum(0, 1 - distance), lines)
