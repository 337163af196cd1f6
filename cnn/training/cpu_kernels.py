"""Layers of the network as matrix products, with their gradients, for CPU.

`cnn.model.CNN` defines the network. These layers compute the same float32 numbers, up
to rounding, in a form that is fast on CPU. tests/benchmarks/README.md has the speeds.

Each layer has a custom VJP (vector-Jacobian product), since the gradients that XLA
derives are slow on CPU. XLA folds a transpose into a matrix product, which then misses
the fast path (see `_prevent_fusion`). For max pooling it pads and adds where a
selection is enough (see `_max_pool_vjp`).
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

# Row and column offsets in a 2×2 pooling window, in reading order.
_POOL_OFFSETS = ((0, 0), (0, 1), (1, 0), (1, 1))


def apply_im2col(variables: Any, images: jax.Array) -> jax.Array:
    """Computes the logits of `cnn.model.CNN`, like its method `apply`.

    Args:
      variables: a dict with the parameters of the network under `params`.
      images: `float32 (batch, 28, 28, 1)` in [0, 1].

    Returns:
      `float32 (batch, num_classes)`.
    """
    params = variables["params"]

    def weights(name: str) -> tuple[jax.Array, jax.Array]:
        return params[name]["kernel"], params[name]["bias"]

    x = conv_relu_pool_1ch(images, *weights("conv2d"))
    x = conv_relu_pool(x, *weights("conv2d_1"))
    x = conv_relu(x, *weights("conv2d_2"))
    x = x.reshape(len(x), -1)
    x = jax.nn.relu(dense(x, *weights("dense")))
    return dense(x, *weights("dense_1"))


@jax.custom_vjp
def dense(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a dense layer, from `(batch, inputs)` to `(batch, features)`."""
    return x @ kernel + bias


def _dense_forward(
    x: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    return x @ kernel + bias, (x, kernel)


def _dense_backward(residuals: tuple, grad: jax.Array) -> tuple:
    x, kernel = residuals
    return grad @ kernel.T, _weight_grad(x, grad), grad.sum(0)


@jax.custom_vjp
def conv_relu(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a 3×3 convolution without padding, then ReLU.

    Args:
      images: `(batch, height, width, channels)`.
      kernel: `(3, 3, channels, features)`.
      bias: `(features,)`.

    Returns:
      `(batch, height - 2, width - 2, features)`.
    """
    return _conv_relu_forward(images, kernel, bias)[0]


def _conv_relu_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    _, height, width, _ = images.shape
    columns = _im2col(images, height - 2, width - 2)
    products = columns @ _as_matrix(kernel)
    result = jax.nn.relu(products + bias)
    return result, (images, columns, kernel, result)


def _conv_relu_backward(residuals: tuple, grad: jax.Array) -> tuple:
    images, columns, kernel, result = residuals
    grad = jnp.where(result > 0, grad, 0)
    image_grad, kernel_grad = _conv_backward(images, columns, kernel, grad)
    return image_grad, kernel_grad, grad.sum((0, 1, 2))


@jax.custom_vjp
def conv_relu_pool(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a 3×3 convolution without padding, ReLU, then 2×2 max pooling.

    Pooling comes before bias and ReLU, since neither changes which value is largest.
    Args are those of `conv_relu`.

    Returns:
      `(batch, (height - 2) // 2, (width - 2) // 2, features)`.
    """
    return _conv_relu_pool_forward(images, kernel, bias)[0]


def _conv_relu_pool_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    height, width = _pool_size(images)
    columns = _im2col(images, 2 * height, 2 * width)
    products = columns @ _as_matrix(kernel)
    products = products.reshape(len(images), height, 2, width, 2, -1)
    largest = products.max((2, 4))
    result = jax.nn.relu(largest + bias)
    return result, (images, columns, kernel, products, largest, result)


def _conv_relu_pool_backward(residuals: tuple, grad: jax.Array) -> tuple:
    images, columns, kernel, products, largest, result = residuals
    grad = jnp.where(result > 0, grad, 0)
    quarters = [products[:, :, i, :, j] for i, j in _POOL_OFFSETS]
    a, b, c, d = _max_pool_vjp(quarters, largest, grad)
    top = jnp.stack([a, b], 3)
    bottom = jnp.stack([c, d], 3)
    product_grad = jnp.stack([top, bottom], 2)
    product_grad = product_grad.reshape(*columns.shape[:3], -1)
    image_grad, kernel_grad = _conv_backward(images, columns, kernel, product_grad)
    return image_grad, kernel_grad, grad.sum((0, 1, 2))


@jax.custom_vjp
def conv_relu_pool_1ch(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> jax.Array:
    """Computes `conv_relu_pool` for images of one channel.

    im2col of one channel makes a matrix of 9 columns, and a slow product. Here a row is
    the 4×4 pixels of a pooling window. It is multiplied by four shifted copies of the
    kernel, and the four results are pooled.
    """
    return _conv_relu_pool_1ch_forward(images, kernel, bias)[0]


def _conv_relu_pool_1ch_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    windows = _im2col_4x4(images, axis=-1)
    # XLA computes a reduction once, and repeats elementwise code in each consumer. So
    # the layer ends in a reduction: the bias is the weight of a constant input of 1,
    # and the maximum starts at 0, which is ReLU.
    grid = windows.shape[:3]
    ones = jnp.ones((*grid, 1), windows.dtype)
    inputs = jnp.concatenate([windows, ones], -1)
    bias_row = jnp.tile(bias, 4)[None]
    weights = jnp.concatenate([_shift_kernel(kernel), bias_row])
    products = inputs @ weights
    products = products.reshape(*grid, 4, len(bias))
    zero = jnp.zeros((), products.dtype)
    result = lax.reduce(products, zero, lax.max, (3,))
    return result, (images, kernel, products, result)


def _conv_relu_pool_1ch_backward(residuals: tuple, grad: jax.Array) -> tuple:
    images, kernel, products, result = residuals
    grad = jnp.where(result > 0, grad, 0)
    quarters = [products[:, :, :, i] for i in range(4)]
    product_grad = jnp.stack(_max_pool_vjp(quarters, result, grad), 3)
    product_grad = product_grad.reshape(*result.shape[:3], -1)

    window_grad = product_grad @ _shift_kernel(kernel).T
    im2col_vjp = jax.linear_transpose(partial(_im2col_4x4, axis=-1), images)
    (image_grad,) = im2col_vjp(window_grad)

    windows = _im2col_4x4(images, axis=0).reshape(16, -1)
    shifted_grad = _prevent_fusion(windows) @ _as_matrix(product_grad)
    (kernel_grad,) = jax.linear_transpose(_shift_kernel, kernel)(shifted_grad)
    return image_grad, kernel_grad, grad.sum((0, 1, 2))


dense.defvjp(_dense_forward, _dense_backward)
conv_relu.defvjp(_conv_relu_forward, _conv_relu_backward)
conv_relu_pool.defvjp(_conv_relu_pool_forward, _conv_relu_pool_backward)
conv_relu_pool_1ch.defvjp(_conv_relu_pool_1ch_forward, _conv_relu_pool_1ch_backward)


def _as_matrix(array: jax.Array) -> jax.Array:
    """Flattens all axes but the last."""
    return array.reshape(-1, array.shape[-1])


def _pool_size(images: jax.Array) -> tuple[int, int]:
    """Returns height and width after a 3×3 convolution and 2×2 pooling.

    Pooling drops an odd last row and column.
    """
    _, height, width, _ = images.shape
    return (height - 2) // 2, (width - 2) // 2


def _im2col(images: jax.Array, height: int, width: int) -> jax.Array:
    """Concatenates the 3×3 pixels under a kernel, `(batch, height, width, 9 * ch)`."""
    shifted = [
        images[:, i : i + height, j : j + width] for i in range(3) for j in range(3)
    ]
    return jnp.concatenate(shifted, -1)


def _im2col_4x4(images: jax.Array, axis: int) -> jax.Array:
    """Stacks the 4×4 pixels that reach each pooling window.

    Returns:
      `(batch, pooled height, pooled width)` with a new axis of size 16 at `axis`.
    """
    height, width = _pool_size(images)
    shifted = [
        images[:, i : i + 2 * height : 2, j : j + 2 * width : 2, 0]
        for i in range(4)
        for j in range(4)
    ]
    return jnp.stack(shifted, axis)


def _shift_kernel(kernel: jax.Array) -> jax.Array:
    """Pads a kernel to each corner of 4×4 pixels.

    Args:
      kernel: `(3, 3, 1, features)`.

    Returns:
      `(16, 4 * features)`.
    """
    shifted = [
        jnp.pad(kernel[:, :, 0], ((i, 1 - i), (j, 1 - j), (0, 0)))
        for i, j in _POOL_OFFSETS
    ]
    return jnp.concatenate(shifted, -1).reshape(16, -1)


def _max_pool_vjp(
    quarters: list[jax.Array], largest: jax.Array, grad: jax.Array
) -> list[jax.Array]:
    """Passes the gradient to the first of the four values that equals the maximum.

    `flax.linen.max_pool` resolves ties in the same way.
    """
    grads = []
    is_assigned = jnp.zeros(largest.shape, bool)
    for quarter in quarters:
        is_first = (quarter == largest) & ~is_assigned
        grads.append(jnp.where(is_first, grad, 0))
        is_assigned |= is_first
    return grads


def _conv_backward(
    images: jax.Array, columns: jax.Array, kernel: jax.Array, grad: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Computes the gradients of a convolution with respect to images and kernel."""
    height, width = columns.shape[1:3]
    im2col = partial(_im2col, height=height, width=width)
    im2col_vjp = jax.linear_transpose(im2col, images)
    (image_grad,) = im2col_vjp(grad @ _as_matrix(kernel).T)
    kernel_grad = _weight_grad(columns, grad)
    return image_grad, kernel_grad.reshape(kernel.shape)


def _weight_grad(inputs: jax.Array, grad: jax.Array) -> jax.Array:
    """Computes inputs.T @ grad of `(..., inputs)` and `(..., features)`."""
    return _prevent_fusion(_as_matrix(inputs).T) @ _as_matrix(grad)


def _prevent_fusion(transposed: jax.Array) -> jax.Array:
    """Keeps XLA from folding a transpose into a matrix product, which makes it slow."""
    return lax.optimization_barrier(transposed)
