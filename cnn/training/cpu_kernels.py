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

from cnn.training.im2col import (
    POOL_OFFSETS,
    as_matrix,
    im2col,
    im2col_4x4,
    pool_size,
    shift_kernel,
)


def apply_im2col(variables: Any, images: jax.Array) -> jax.Array:
    """Computes the logits of `cnn.model.CNN`, like its method `apply`.

    Args:
      variables: a dict with the parameters of the network under `params`.
      images: `float32 (batch, 28, 28, 1)` in [0, 1].

    Returns:
      `float32 (batch, num_classes)`.
    """
    params = variables["params"]
    x = conv_relu_pool_1ch(images, **params["conv2d"])
    x = conv_relu_pool(x, **params["conv2d_1"])
    x = conv_relu(x, **params["conv2d_2"])
    x = x.reshape(len(x), -1)
    x = dense(x, **params["dense"])
    x = jax.nn.relu(x)
    return dense(x, **params["dense_1"])


@jax.custom_vjp
def dense(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a dense layer, from `(batch, inputs)` to `(batch, features)`."""
    return x @ kernel + bias


def _dense_forward(
    x: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    result = x @ kernel + bias
    return result, (x, kernel)


def _dense_backward(residuals: tuple, grad: jax.Array) -> tuple:
    x, kernel = residuals
    x_grad = grad @ kernel.T
    kernel_grad = _weight_grad(x, grad)
    bias_grad = grad.sum(0)
    return x_grad, kernel_grad, bias_grad


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
    result, _ = _conv_relu_forward(images, kernel, bias)
    return result


def _conv_relu_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    _, height, width, _ = images.shape
    columns = im2col(images, height - 2, width - 2)
    kernel_matrix = as_matrix(kernel)
    products = columns @ kernel_matrix
    result = jax.nn.relu(products + bias)
    residuals = (images, columns, kernel, result)
    return result, residuals


def _conv_relu_backward(residuals: tuple, grad: jax.Array) -> tuple:
    images, columns, kernel, result = residuals
    is_active = result > 0
    grad = jnp.where(is_active, grad, 0)
    image_grad, kernel_grad = _conv_backward(images, columns, kernel, grad)
    bias_grad = grad.sum((0, 1, 2))
    return image_grad, kernel_grad, bias_grad


@jax.custom_vjp
def conv_relu_pool(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a 3×3 convolution without padding, ReLU, then 2×2 max pooling.

    Pooling comes before bias and ReLU, since neither changes which value is largest.
    Args are those of `conv_relu`.

    Returns:
      `(batch, (height - 2) // 2, (width - 2) // 2, features)`.
    """
    result, _ = _conv_relu_pool_forward(images, kernel, bias)
    return result


def _conv_relu_pool_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    height, width = pool_size(images)
    columns = im2col(images, 2 * height, 2 * width)
    kernel_matrix = as_matrix(kernel)
    products = columns @ kernel_matrix
    batch_size = len(images)
    products = products.reshape(batch_size, height, 2, width, 2, -1)
    largest = products.max((2, 4))
    result = jax.nn.relu(largest + bias)
    residuals = (images, columns, kernel, products, largest, result)
    return result, residuals


def _conv_relu_pool_backward(residuals: tuple, grad: jax.Array) -> tuple:
    images, columns, kernel, products, largest, result = residuals
    is_active = result > 0
    grad = jnp.where(is_active, grad, 0)
    quarters = [products[:, :, i, :, j] for i, j in POOL_OFFSETS]
    a, b, c, d = _max_pool_vjp(quarters, largest, grad)
    top = jnp.stack([a, b], axis=3)
    bottom = jnp.stack([c, d], axis=3)
    product_grad = jnp.stack([top, bottom], axis=2)
    grid = columns.shape[:3]
    product_grad = product_grad.reshape(*grid, -1)
    image_grad, kernel_grad = _conv_backward(
        images,
        columns,
        kernel,
        product_grad,
    )
    bias_grad = grad.sum((0, 1, 2))
    return image_grad, kernel_grad, bias_grad


@jax.custom_vjp
def conv_relu_pool_1ch(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> jax.Array:
    """Computes `conv_relu_pool` for images of one channel.

    im2col of one channel makes a matrix of 9 columns, and a slow product. Here a row is
    the 4×4 pixels of a pooling window. It is multiplied by four shifted copies of the
    kernel, and the four results are pooled.
    """
    result, _ = _conv_relu_pool_1ch_forward(images, kernel, bias)
    return result


def _conv_relu_pool_1ch_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    windows = im2col_4x4(images, axis=-1)
    # XLA computes a reduction once, and repeats elementwise code in each consumer. So
    # the layer ends in a reduction: the bias is the weight of a constant input of 1,
    # and the maximum starts at 0, which is ReLU.
    grid = windows.shape[:3]
    ones = jnp.ones((*grid, 1), windows.dtype)
    inputs = jnp.concatenate([windows, ones], -1)
    bias_row = jnp.tile(bias, 4)[None]
    shifted_kernels = shift_kernel(kernel)
    weights = jnp.concatenate([shifted_kernels, bias_row])
    products = inputs @ weights
    num_features = len(bias)
    products = products.reshape(*grid, 4, num_features)
    zero = jnp.zeros((), products.dtype)
    result = lax.reduce(products, zero, lax.max, (3,))
    residuals = (images, kernel, products, result)
    return result, residuals


def _conv_relu_pool_1ch_backward(residuals: tuple, grad: jax.Array) -> tuple:
    images, kernel, products, result = residuals
    is_active = result > 0
    grad = jnp.where(is_active, grad, 0)
    quarters = [products[:, :, :, i] for i in range(4)]
    quarter_grads = _max_pool_vjp(quarters, result, grad)
    product_grad = jnp.stack(quarter_grads, axis=3)
    grid = result.shape[:3]
    product_grad = product_grad.reshape(*grid, -1)

    shifted_kernels = shift_kernel(kernel)
    window_grad = product_grad @ shifted_kernels.T
    make_windows = partial(im2col_4x4, axis=-1)
    im2col_vjp = jax.linear_transpose(make_windows, images)
    (image_grad,) = im2col_vjp(window_grad)

    windows = im2col_4x4(images, axis=0)
    windows = windows.reshape(16, -1)
    windows = _prevent_fusion(windows)
    shifted_grad = windows @ as_matrix(product_grad)
    shift_vjp = jax.linear_transpose(shift_kernel, kernel)
    (kernel_grad,) = shift_vjp(shifted_grad)
    bias_grad = grad.sum((0, 1, 2))
    return image_grad, kernel_grad, bias_grad


dense.defvjp(_dense_forward, _dense_backward)
conv_relu.defvjp(_conv_relu_forward, _conv_relu_backward)
conv_relu_pool.defvjp(_conv_relu_pool_forward, _conv_relu_pool_backward)
conv_relu_pool_1ch.defvjp(_conv_relu_pool_1ch_forward, _conv_relu_pool_1ch_backward)


def _max_pool_vjp(
    quarters: list[jax.Array], largest: jax.Array, grad: jax.Array
) -> list[jax.Array]:
    """Passes the gradient to the first of the four values that equals the maximum.

    `flax.linen.max_pool` resolves ties in the same way.
    """
    grads = []
    is_assigned = jnp.zeros(largest.shape, bool)
    for quarter in quarters:
        is_largest = quarter == largest
        is_first = is_largest & ~is_assigned
        grads.append(jnp.where(is_first, grad, 0))
        is_assigned |= is_first
    return grads


def _conv_backward(
    images: jax.Array, columns: jax.Array, kernel: jax.Array, grad: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Computes the gradients of a convolution with respect to images and kernel."""
    height, width = columns.shape[1:3]
    make_columns = partial(im2col, height=height, width=width)
    im2col_vjp = jax.linear_transpose(make_columns, images)
    kernel_matrix = as_matrix(kernel)
    column_grad = grad @ kernel_matrix.T
    (image_grad,) = im2col_vjp(column_grad)
    kernel_grad = _weight_grad(columns, grad)
    kernel_grad = kernel_grad.reshape(kernel.shape)
    return image_grad, kernel_grad


def _weight_grad(inputs: jax.Array, grad: jax.Array) -> jax.Array:
    """Computes inputs.T @ grad of `(..., inputs)` and `(..., features)`."""
    input_matrix = as_matrix(inputs)
    transposed = _prevent_fusion(input_matrix.T)
    return transposed @ as_matrix(grad)


def _prevent_fusion(transposed: jax.Array) -> jax.Array:
    """Keeps XLA from folding a transpose into a matrix product, which makes it slow."""
    return lax.optimization_barrier(transposed)
