"""The pixels under a convolution kernel as matrices (im2col).

A convolution is then a matrix product, which is fast on CPU.
"""

import jax
import jax.numpy as jnp

# Row and column offsets in a 2×2 pooling window, in reading order.
POOL_OFFSETS = ((0, 0), (0, 1), (1, 0), (1, 1))


def im2col(images: jax.Array, height: int, width: int) -> jax.Array:
    """Concatenates the 3×3 pixels under a kernel, `(batch, height, width, 9 * ch)`."""
    shifted = []
    for i in range(3):
        for j in range(3):
            rows = slice(i, i + height)
            columns = slice(j, j + width)
            shifted.append(images[:, rows, columns])
    return jnp.concatenate(shifted, axis=-1)


def im2col_4x4(images: jax.Array, axis: int) -> jax.Array:
    """Stacks the 4×4 pixels that reach each pooling window.

    Returns:
      `(batch, pooled height, pooled width)` with a new axis of size 16 at `axis`.
    """
    height, width = pool_size(images)
    num_rows = 2 * height
    num_columns = 2 * width
    shifted = []
    for i in range(4):
        for j in range(4):
            rows = slice(i, i + num_rows, 2)
            columns = slice(j, j + num_columns, 2)
            shifted.append(images[:, rows, columns, 0])
    return jnp.stack(shifted, axis)


def shift_kernel(kernel: jax.Array) -> jax.Array:
    """Pads a kernel to each corner of 4×4 pixels.

    Args:
      kernel: `(3, 3, 1, features)`.

    Returns:
      `(16, 4 * features)`.
    """
    shifted = []
    for i, j in POOL_OFFSETS:
        row_padding = (i, 1 - i)
        column_padding = (j, 1 - j)
        padding = (row_padding, column_padding, (0, 0))
        single_channel = kernel[:, :, 0]
        padded = jnp.pad(single_channel, padding)
        shifted.append(padded)
    kernels = jnp.concatenate(shifted, axis=-1)
    return kernels.reshape(16, -1)


def pool_size(images: jax.Array) -> tuple[int, int]:
    """Returns height and width after a 3×3 convolution and 2×2 pooling.

    Pooling drops an odd last row and column.
    """
    _, height, width, _ = images.shape
    convolved_height = height - 2
    convolved_width = width - 2
    pooled_height = convolved_height // 2
    pooled_width = convolved_width // 2
    return pooled_height, pooled_width


def as_matrix(array: jax.Array) -> jax.Array:
    """Flattens all axes but the last."""
    num_columns = array.shape[-1]
    return array.reshape(-1, num_columns)
