"""Random parameters and random fields that several corruptions share."""

import jax
import jax.numpy as jnp

from cnn.augmentation.affine import upsample_bilinear


def sample_uniform(
    key: jax.Array, images: jax.Array, *ranges: tuple[float, float]
) -> jax.Array:
    """Samples one uniform number per range and image.

    Args:
      key: a JAX random key.
      images: `float32 (batch, height, width)`.
      *ranges: lowest and highest value of each number.

    Returns:
      `float32 (len(ranges), batch, 1, 1)`, to be unpacked into one array per range.
    """
    limits = jnp.array(ranges, images.dtype)
    low, high = limits.T[:, :, None, None, None]
    num_ranges = len(ranges)
    num_images = len(images)
    return jax.random.uniform(
        key,
        shape=(num_ranges, num_images, 1, 1),
        minval=low,
        maxval=high,
    )


def sample_noise_field(key: jax.Array, images: jax.Array, size: int) -> jax.Array:
    """Samples smooth noise: Gaussian noise of `size`×`size` points, upsampled.

    Returns:
      `float32 (batch, side, side)`, where `side` is the images' width.
    """
    num_images = len(images)
    side = images.shape[-1]
    points = jax.random.normal(key, (num_images, size, size))
    return upsample_bilinear(points, side)


def random_transpose(key: jax.Array, images: jax.Array) -> jax.Array:
    """Transposes each image with probability 0.5.

    The function is its own inverse for the same key.
    """
    coin_key = jax.random.fold_in(key, 1)
    num_images = len(images)
    is_transposed = jax.random.bernoulli(coin_key, shape=(num_images, 1, 1))
    transposed = images.swapaxes(1, 2)
    return jnp.where(is_transposed, transposed, images)
