"""How the network is computed on this machine.

`cnn.model` says what is computed. On GPU and TPU, what XLA makes of that is the best way to compute
it. On CPU, XLA's gradients of convolution and pooling are slow, and a batch of 128 does not fit the
cache. So there the same numbers come from matrix products, over small pieces of the batch, with one
lane of pieces per core. What each idea is worth: see tests/benchmarks/README.md.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from cnn.cores import available

# The steps of a 2×2 pooling window, in reading order.
_QUARTERS = ((0, 0), (0, 1), (1, 0), (1, 1))


class Lowering(NamedTuple):
    """One way to compute the network and its gradients.

    Attributes:
      logits: a function of parameters and `float32 (batch, 28, 28, 1)` images.
      lanes: how many shares of a batch are computed side by side.
      piece: the most examples that are computed at once; 0 means the whole batch.
    """

    logits: Callable
    lanes: int
    piece: int


def choose(model: Any, backend: str | None = None, cores: int | None = None) -> Lowering:
    """Picks the fastest way to train a `cnn.model.CNN`; reading is fastest as plain Flax.

    Args:
      model: the network; as matrix products it is computed in float32 only.
      backend: by default the one that JAX runs on.
      cores: by default those that this process may use.
    """
    if (backend or jax.default_backend()) != "cpu" or jnp.dtype(model.dtype) != jnp.float32:
        return Lowering(lambda params, images: model.apply({"params": params}, images), lanes=1, piece=0)
    if jax.device_count() > 1:  # Each device takes its share of the batch, so nothing is cut here.
        return Lowering(logits_by_products, lanes=1, piece=0)
    return Lowering(logits_by_products, lanes=cores or available(), piece=8)


def logits_by_products(params: Any, images: jax.Array) -> jax.Array:
    """Computes the logits of `cnn.model.CNN`, layer by layer, as matrix products.

    Args:
      params: of the network.
      images: `float32 (batch, 28, 28, 1)`.

    Returns:
      `float32 (batch, num_classes)`.
    """

    def layer(name: str) -> tuple[jax.Array, jax.Array]:
        return params[name]["kernel"], params[name]["bias"]

    x = conv_relu_pool_of_grey(images, *layer("conv2d"))
    x = conv_relu_pool(x, *layer("conv2d_1"))
    x = conv_relu(x, *layer("conv2d_2"))
    x = jax.nn.relu(dense(x.reshape(len(x), -1), *layer("dense")))
    return dense(x, *layer("dense_1"))


# The layers are written out with their gradients, since those that XLA derives are slower: it folds
# a transposition into a product, which then misses its fast path (`_gradient_of_weights`), and it
# pads and adds where a pooling window only chooses (`_to_the_maximum`).


@jax.custom_vjp
def dense(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a dense layer, `(batch, inputs)` to `(batch, features)`."""
    return x @ kernel + bias


def _dense_forward(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> tuple[jax.Array, tuple]:
    return x @ kernel + bias, (x, kernel)


def _dense_backward(saved: tuple, gradient: jax.Array) -> tuple:
    x, kernel = saved
    return gradient @ kernel.T, _gradient_of_weights(x, gradient), gradient.sum(0)


@jax.custom_vjp
def conv_relu(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a 3×3 convolution without padding, and relu.

    Args:
      images: `(batch, height, width, channels)`.
      kernel: `(3, 3, channels, features)`.
      bias: `(features,)`.

    Returns:
      `(batch, height - 2, width - 2, features)`.
    """
    return _conv_relu_forward(images, kernel, bias)[0]


def _conv_relu_forward(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> tuple[jax.Array, tuple]:
    columns = _patches(images, images.shape[1] - 2, images.shape[2] - 2)
    result = jax.nn.relu(columns @ _flat(kernel) + bias)
    return result, (images, columns, kernel, result)


def _conv_relu_backward(saved: tuple, gradient: jax.Array) -> tuple:
    images, columns, kernel, result = saved
    gradient = jnp.where(result > 0, gradient, 0)
    return *_conv_backward(images, columns, kernel, gradient), gradient.sum((0, 1, 2))


@jax.custom_vjp
def conv_relu_pool(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes a 3×3 convolution without padding, relu, and 2×2 max pooling, odd ends dropped.

    The bias is added, and relu taken, of the maxima only: neither changes which is the largest.
    Args and Returns as for `conv_relu`, but of half the height and width.
    """
    return _conv_relu_pool_forward(images, kernel, bias)[0]


def _conv_relu_pool_forward(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> tuple[jax.Array, tuple]:
    height, width = _pooled(images)
    columns = _patches(images, 2 * height, 2 * width)
    products = (columns @ _flat(kernel)).reshape(len(images), height, 2, width, 2, -1)
    largest = products.max((2, 4))
    result = jax.nn.relu(largest + bias)
    return result, (images, columns, kernel, products, largest, result)


def _conv_relu_pool_backward(saved: tuple, gradient: jax.Array) -> tuple:
    images, columns, kernel, products, largest, result = saved
    gradient = jnp.where(result > 0, gradient, 0)
    quarters = [products[:, :, i, :, j] for i, j in _QUARTERS]
    a, b, c, d = _to_the_maximum(quarters, largest, gradient)
    routed = jnp.stack([jnp.stack([a, b], 3), jnp.stack([c, d], 3)], 2)
    routed = routed.reshape(*columns.shape[:3], -1)
    return *_conv_backward(images, columns, kernel, routed), gradient.sum((0, 1, 2))


@jax.custom_vjp
def conv_relu_pool_of_grey(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Computes `conv_relu_pool` for images of one channel.

    Nine inputs make a thin product. The 4×4 pixels that reach a pooling window, times the kernel at
    its four places in them, make one of a better shape, whose results are pooled where they lie.
    """
    return _conv_relu_pool_of_grey_forward(images, kernel, bias)[0]


def _conv_relu_pool_of_grey_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    windows = _windows(images, axis=-1)
    # The bias is the weight of a constant 1, and relu is where the maximum starts, so that it is a
    # reduction that ends the layer: XLA computes one once, but elementwise work for each reader anew.
    ones = jnp.ones((*windows.shape[:3], 1), windows.dtype)
    weights = jnp.concatenate([_at_four_places(kernel), jnp.tile(bias, 4)[None]])
    products = jnp.concatenate([windows, ones], -1) @ weights
    products = products.reshape(*windows.shape[:3], 4, len(bias))
    result = lax.reduce(products, jnp.zeros((), products.dtype), lax.max, (3,))
    return result, (images, kernel, products, result)


def _conv_relu_pool_of_grey_backward(saved: tuple, gradient: jax.Array) -> tuple:
    images, kernel, products, result = saved
    gradient = jnp.where(result > 0, gradient, 0)
    quarters = [products[:, :, :, i] for i in range(4)]
    routed = jnp.stack(_to_the_maximum(quarters, result, gradient), 3)
    routed = routed.reshape(*result.shape[:3], -1)
    to_windows = jax.linear_transpose(partial(_windows, axis=-1), images)
    (of_images,) = to_windows(routed @ _at_four_places(kernel).T)
    of_weights = _apart(_windows(images, axis=0).reshape(16, -1)) @ _flat(routed)
    (of_kernel,) = jax.linear_transpose(_at_four_places, kernel)(of_weights)
    return of_images, of_kernel, gradient.sum((0, 1, 2))


dense.defvjp(_dense_forward, _dense_backward)
conv_relu.defvjp(_conv_relu_forward, _conv_relu_backward)
conv_relu_pool.defvjp(_conv_relu_pool_forward, _conv_relu_pool_backward)
conv_relu_pool_of_grey.defvjp(_conv_relu_pool_of_grey_forward, _conv_relu_pool_of_grey_backward)


def _flat(kernel: jax.Array) -> jax.Array:
    return kernel.reshape(-1, kernel.shape[-1])


def _pooled(images: jax.Array) -> tuple[int, int]:
    """Returns height and width after a 3×3 convolution and 2×2 pooling.

    Both drop what is left over: of 28 rows, the network's three convolutions see 26.
    """
    return (images.shape[1] - 2) // 2, (images.shape[2] - 2) // 2


def _patches(images: jax.Array, height: int, width: int) -> jax.Array:
    """Lays the 3×3 pixels under a kernel side by side: `(batch, height, width, 9 * channels)`."""
    return jnp.concatenate([images[:, i : i + height, j : j + width] for i in range(3) for j in range(3)], -1)


def _windows(images: jax.Array, axis: int) -> jax.Array:
    """Stacks the 4×4 pixels that reach each pooling window: `(batch, height, width)` and 16 at `axis`."""
    height, width = _pooled(images)
    starts = [(i, j) for i in range(4) for j in range(4)]
    return jnp.stack([images[:, i : i + 2 * height : 2, j : j + 2 * width : 2, 0] for i, j in starts], axis)


def _at_four_places(kernel: jax.Array) -> jax.Array:
    """Puts a kernel `(3, 3, 1, features)` into the corners of 4×4 pixels: `(16, 4 * features)`."""
    places = [jnp.pad(kernel[:, :, 0], ((i, 1 - i), (j, 1 - j), (0, 0))) for i, j in _QUARTERS]
    return jnp.concatenate(places, -1).reshape(16, -1)


def _to_the_maximum(quarters: list[jax.Array], largest: jax.Array, gradient: jax.Array) -> list[jax.Array]:
    """Hands the gradient of a maximum to the first quarter that has it, as `nn.max_pool` does."""
    routed, taken = [], jnp.zeros(largest.shape, bool)
    for quarter in quarters:
        here = (quarter == largest) & ~taken
        routed.append(jnp.where(here, gradient, 0))
        taken |= here
    return routed


def _conv_backward(images: jax.Array, columns: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple:
    """Computes the gradients of a convolution's images and kernel."""
    height, width = columns.shape[1:3]
    fold = jax.linear_transpose(partial(_patches, height=height, width=width), images)
    of_kernel = _gradient_of_weights(columns, gradient).reshape(kernel.shape)
    return *fold(gradient @ _flat(kernel).T), of_kernel


def _gradient_of_weights(inputs: jax.Array, gradient: jax.Array) -> jax.Array:
    """Computes inputs.T @ gradient of `(..., inputs)` and `(..., features)`."""
    return _apart(_flat(inputs).T) @ _flat(gradient)


def _apart(transposed: jax.Array) -> jax.Array:
    """Keeps XLA from folding a transposition into a product, which then misses the fast path."""
    return lax.optimization_barrier(transposed)


def accumulate(function: Callable, piece: int) -> Callable:
    """Makes a sum over examples run in pieces, whose sums are added.

    Args:
      function: of a tree of parameters and trees of arrays `(batch, ...)`, the last of which is the
        weight of each example; returns a tree of sums over the batch.
      piece: the most examples that are computed at once; 0 means the whole batch.

    Returns:
      A function that takes and returns the same, for any batch size.
    """
    if not piece:
        return function
    function = jax.jit(function)  # Traced once, for its shapes and for the loop.

    def accumulated(params: Any, *batch: Any) -> Any:
        def add(total: Any, piece: list[Any]) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, function(params, *piece)), None

        # The last example, which the function can surely compute, fills up the last piece, for nothing.
        examples = jax.tree.map(lambda array: _cut(array, piece, "edge"), list(batch[:-1]))
        pieces = [*examples, _cut(batch[-1], piece, "constant")]
        shapes = jax.eval_shape(function, params, *jax.tree.map(lambda array: array[0], pieces))
        zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
        return lax.scan(add, zeros, pieces)[0]

    return accumulated


def _cut(array: jax.Array, piece: int, mode: str) -> jax.Array:
    """Reshapes `(batch, ...)` to `(pieces, piece, ...)`, filled up as `jnp.pad` does in that mode."""
    piece = min(piece, len(array))
    pieces = math.ceil(len(array) / piece)
    fill = [(0, pieces * piece - len(array))] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, fill, mode=mode).reshape(pieces, piece, *array.shape[1:])


def each(piece: int) -> Callable[[Callable], Callable]:
    """Returns what makes a function of one example one of many.

    On CPU, one example follows the other, so that of the ways to go on, only that is computed which
    the example takes; elsewhere all are computed at once, and each takes its own.

    Args:
      piece: of the `Lowering`.
    """
    return (lambda function: lambda *batch: lax.map(lambda one: function(*one), batch)) if piece else jax.vmap


def in_lanes(call: Callable[[int], Any], lanes: int) -> list[Any]:
    """Makes the calls 0, 1, ... of a compiled function, to be computed side by side.

    Each is made from a thread of its own, since XLA computes the calls of one thread one after the
    other. A call returns before its result is there, so that no thread waits for another.

    Args:
      call: from the number of the lane to what that returns.
      lanes: how many calls.

    Returns:
      What the calls returned.
    """
    if lanes == 1:
        return [call(0)]
    futures = [_thread(lane).submit(call, lane) for lane in range(lanes)]
    return [future.result() for future in futures]


@cache
def _thread(_lane: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)
