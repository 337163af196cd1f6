"""How convolution, pooling and whole batches are computed on this machine.

The network in `cnn.model` says what is computed. On GPU and TPU, XLA's own convolution is the best
way to compute it. On CPU, XLA's gradients of convolution and pooling are slow, and a batch of 128
does not fit the cache, so there the same numbers come from matrix products over small pieces of the
batch, one queue of pieces per core. Measured on 2 cores: see tests/benchmarks/README.md.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from cnn.cores import available


class Lowering(NamedTuple):
    """One way to compute the network.

    Attributes:
      convolve: with the arguments of `lax.conv_general_dilated`.
      max_pool: `(batch, height, width, channels)` to half the height and width, odd ends dropped.
      lanes: how many queues of pieces are computed side by side.
      piece: the most examples that are computed at once; 0 means the whole batch.
    """

    convolve: Callable
    max_pool: Callable
    lanes: int
    piece: int


def choose(backend: str | None = None, cores: int | None = None) -> Lowering:
    """Picks the fastest lowering for a backend, by default the one that JAX runs on."""
    if (backend or jax.default_backend()) != "cpu":
        pool = partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))
        return Lowering(lax.conv_general_dilated, pool, lanes=1, piece=0)
    if jax.device_count() > 1:  # Each device takes its share of the batch, so nothing is cut here.
        return Lowering(convolve_as_matmul, max_pool_as_maximum, lanes=1, piece=0)
    return Lowering(convolve_as_matmul, max_pool_as_maximum, cores or available(), piece=16)


def seen(images: jax.Array) -> jax.Array:
    """Cuts off the last two rows and columns, which cannot reach the logits.

    Both poolings drop an odd last row: 11→5 uses 10, which come from 12, 24 and 26 rows before.

    Args:
      images: `(batch, 28, 28, 1)`.

    Returns:
      `(batch, 26, 26, 1)`, of which the network makes the same logits with 15 % less work.
    """
    return images[:, :26, :26]


def convolve_as_matmul(
    images: jax.Array, kernel: jax.Array, strides: Any, padding: Any, **_: Any
) -> jax.Array:
    """Computes a convolution without padding, of stride 1, as matrix products.

    Args:
      images: `(batch, height, width, channels)`.
      kernel: `(kernel_height, kernel_width, channels, features)`.
      strides: all 1.
      padding: `"VALID"`.

    Returns:
      `(batch, height - kernel_height + 1, width - kernel_width + 1, features)`.
    """
    assert (tuple(strides), padding) == ((1, 1), "VALID"), (strides, padding)
    kernel_height, kernel_width, channels, features = kernel.shape
    height, width = images.shape[1] - kernel_height + 1, images.shape[2] - kernel_width + 1
    columns = [images[:, :, j : j + width] for j in range(kernel_width)]
    rows = jnp.concatenate(columns, axis=-1)
    if channels == 1:  # Nine thin columns at once make one product of a better shape than three.
        rows = jnp.concatenate([rows[:, i : i + height] for i in range(kernel_height)], axis=-1)
        return rows @ kernel.reshape(-1, features)
    weights = kernel.reshape(kernel_height, kernel_width * channels, features)
    products = [rows[:, i : i + height] @ weights[i] for i in range(kernel_height)]
    return sum(products[1:], products[0])


def max_pool_as_maximum(images: jax.Array) -> jax.Array:
    """Computes 2×2 max pooling as the maximum of strided slices.

    A gradient is shared between equal maxima, half and half in each direction.

    Args:
      images: `(batch, height, width, channels)`.

    Returns:
      `(batch, height // 2, width // 2, channels)`.
    """
    height, width = images.shape[1] // 2 * 2, images.shape[2] // 2 * 2
    images = jnp.maximum(images[:, 0:height:2], images[:, 1:height:2])
    return jnp.maximum(images[:, :, 0:width:2], images[:, :, 1:width:2])


def accumulate(function: Callable, lowering: Lowering) -> Callable:
    """Makes a sum over examples run in pieces, whose sums are added.

    Args:
      function: of a tree of parameters and arrays `(batch, ...)`, the last of which is the weight
        of each example, 0 for those that fill up a piece; returns a tree of sums over the batch.
      lowering: its `lanes` and `piece` say how to cut.

    Returns:
      A function that takes and returns the same, for any batch size.
    """
    if lowering.lanes == 1 and not lowering.piece:
        return function

    def accumulated(params: Any, *batch: jax.Array) -> Any:
        cut = partial(_cut, lanes=lowering.lanes, piece=lowering.piece)
        lanes = zip(*[cut(array) for array in batch], strict=True)
        return jax.tree.map(lambda *sums: sum(sums), *[_scan_sum(function, params, lane) for lane in lanes])

    return accumulated


def map_batch(function: Callable, lowering: Lowering) -> Callable:
    """Makes a function of parameters and a batch run in pieces, whose results are joined.

    Args:
      function: of a tree of parameters and an array `(batch, ...)`; returns an array `(batch, ...)`.
      lowering: its `lanes` and `piece` say how to cut.

    Returns:
      A function that takes and returns the same.
    """
    if not lowering.piece:
        return function

    def mapped(params: Any, batch: jax.Array) -> jax.Array:
        lanes = _cut(batch, lowering.lanes, lowering.piece)
        results = jnp.stack([lax.map(partial(function, params), lane) for lane in lanes])
        return results.reshape(-1, *results.shape[3:])[: len(batch)]

    return mapped


def _cut(array: jax.Array, lanes: int, piece: int) -> jax.Array:
    """Reshapes `(batch, ...)` to `(lanes, pieces, piece, ...)`, filled up with zeros."""
    piece = min(piece, math.ceil(len(array) / lanes))
    pieces = math.ceil(len(array) / (lanes * piece))
    fill = [(0, lanes * pieces * piece - len(array))] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, fill).reshape(lanes, pieces, piece, *array.shape[1:])


def _scan_sum(function: Callable, params: Any, pieces: tuple[jax.Array, ...]) -> Any:
    def add(total: Any, piece: tuple[jax.Array, ...]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, function(params, *piece)), None

    shapes = jax.eval_shape(function, params, *[array[0] for array in pieces])
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    return lax.scan(add, zeros, pieces)[0]
