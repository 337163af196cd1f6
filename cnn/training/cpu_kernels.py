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

from cnn.parallel import cpu_count

# The steps of a 2×2 pooling window, in reading order.
_POOL_OFFSETS = ((0, 0), (0, 1), (1, 0), (1, 1))


class Backend(NamedTuple):
    """One way to compute the network and its gradients.

    Attributes:
      logits: a function of parameters and `float32 (batch, 28, 28, 1)` images.
      lanes: how many shares of a batch are computed side by side.
      piece: the most examples that are computed at once; 0 means the whole batch.
    """

    logits: Callable
    lanes: int
    piece: int


def select_backend(
    model: Any, backend: str | None = None, cores: int | None = None
) -> Backend:
    """Picks the fastest way to train a `cnn.model.CNN`; reading is fastest as plain Flax.

    Args:
      model: the network; as matrix products it is computed in float32 only.
      backend: by default the one that JAX runs on.
      cores: by default those that this process may use.
    """
    if (backend or jax.default_backend()) != "cpu" or jnp.dtype(
        model.dtype
    ) != jnp.float32:
        return Backend(
            lambda params, images: model.apply({"params": params}, images),
            lanes=1,
            piece=0,
        )
    if (
        jax.device_count() > 1
    ):  # Each device takes its share of the batch, so nothing is cut here.
        return Backend(apply_im2col, lanes=1, piece=0)
    return Backend(apply_im2col, lanes=cores or cpu_count(), piece=8)


def apply_im2col(params: Any, images: jax.Array) -> jax.Array:
    """Computes the logits of `cnn.model.CNN`, layer by layer, as matrix products.

    Args:
      params: of the network.
      images: `float32 (batch, 28, 28, 1)`.

    Returns:
      `float32 (batch, num_classes)`.
    """

    def layer(name: str) -> tuple[jax.Array, jax.Array]:
        return params[name]["kernel"], params[name]["bias"]

    x = conv_relu_pool_1ch(images, *layer("conv2d"))
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


def _dense_forward(
    x: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    return x @ kernel + bias, (x, kernel)


def _dense_backward(saved: tuple, gradient: jax.Array) -> tuple:
    x, kernel = saved
    return gradient @ kernel.T, _weight_grad(x, gradient), gradient.sum(0)


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


def _conv_relu_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    columns = _im2col(images, images.shape[1] - 2, images.shape[2] - 2)
    result = jax.nn.relu(columns @ _as_matrix(kernel) + bias)
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


def _conv_relu_pool_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    height, width = _pooled_size(images)
    columns = _im2col(images, 2 * height, 2 * width)
    products = (columns @ _as_matrix(kernel)).reshape(
        len(images), height, 2, width, 2, -1
    )
    largest = products.max((2, 4))
    result = jax.nn.relu(largest + bias)
    return result, (images, columns, kernel, products, largest, result)


def _conv_relu_pool_backward(saved: tuple, gradient: jax.Array) -> tuple:
    images, columns, kernel, products, largest, result = saved
    gradient = jnp.where(result > 0, gradient, 0)
    quarters = [products[:, :, i, :, j] for i, j in _POOL_OFFSETS]
    a, b, c, d = _max_pool_vjp(quarters, largest, gradient)
    routed = jnp.stack([jnp.stack([a, b], 3), jnp.stack([c, d], 3)], 2)
    routed = routed.reshape(*columns.shape[:3], -1)
    return *_conv_backward(images, columns, kernel, routed), gradient.sum((0, 1, 2))


@jax.custom_vjp
def conv_relu_pool_1ch(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> jax.Array:
    """Computes `conv_relu_pool` for images of one channel.

    Nine inputs make a thin product. The 4×4 pixels that reach a pooling window, times the kernel at
    its four places in them, make one of a better shape, whose results are pooled where they lie.
    """
    return _conv_relu_pool_1ch_forward(images, kernel, bias)[0]


def _conv_relu_pool_1ch_forward(
    images: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    windows = _im2col_4x4(images, axis=-1)
    # The bias is the weight of a constant 1, and relu is where the maximum starts, so that it is a
    # reduction that ends the layer: XLA computes one once, but elementwise work for each reader anew.
    ones = jnp.ones((*windows.shape[:3], 1), windows.dtype)
    weights = jnp.concatenate([_shifted_kernels(kernel), jnp.tile(bias, 4)[None]])
    products = jnp.concatenate([windows, ones], -1) @ weights
    products = products.reshape(*windows.shape[:3], 4, len(bias))
    result = lax.reduce(products, jnp.zeros((), products.dtype), lax.max, (3,))
    return result, (images, kernel, products, result)


def _conv_relu_pool_1ch_backward(saved: tuple, gradient: jax.Array) -> tuple:
    images, kernel, products, result = saved
    gradient = jnp.where(result > 0, gradient, 0)
    quarters = [products[:, :, :, i] for i in range(4)]
    routed = jnp.stack(_max_pool_vjp(quarters, result, gradient), 3)
    routed = routed.reshape(*result.shape[:3], -1)
    to_windows = jax.linear_transpose(partial(_im2col_4x4, axis=-1), images)
    (of_images,) = to_windows(routed @ _shifted_kernels(kernel).T)
    of_weights = _prevent_fusion(
        _im2col_4x4(images, axis=0).reshape(16, -1)
    ) @ _as_matrix(routed)
    (of_kernel,) = jax.linear_transpose(_shifted_kernels, kernel)(of_weights)
    return of_images, of_kernel, gradient.sum((0, 1, 2))


dense.defvjp(_dense_forward, _dense_backward)
conv_relu.defvjp(_conv_relu_forward, _conv_relu_backward)
conv_relu_pool.defvjp(_conv_relu_pool_forward, _conv_relu_pool_backward)
conv_relu_pool_1ch.defvjp(_conv_relu_pool_1ch_forward, _conv_relu_pool_1ch_backward)


def _as_matrix(kernel: jax.Array) -> jax.Array:
    return kernel.reshape(-1, kernel.shape[-1])


def _pooled_size(images: jax.Array) -> tuple[int, int]:
    """Returns height and width after a 3×3 convolution and 2×2 pooling.

    Both drop what is left over: of 28 rows, the network's three convolutions see 26.
    """
    return (images.shape[1] - 2) // 2, (images.shape[2] - 2) // 2


def _im2col(images: jax.Array, height: int, width: int) -> jax.Array:
    """Lays the 3×3 pixels under a kernel side by side: `(batch, height, width, 9 * channels)`."""
    return jnp.concatenate(
        [images[:, i : i + height, j : j + width] for i in range(3) for j in range(3)],
        -1,
    )


def _im2col_4x4(images: jax.Array, axis: int) -> jax.Array:
    """Stacks the 4×4 pixels that reach each pooling window: `(batch, height, width)` and 16 at `axis`."""
    height, width = _pooled_size(images)
    starts = [(i, j) for i in range(4) for j in range(4)]
    return jnp.stack(
        [
            images[:, i : i + 2 * height : 2, j : j + 2 * width : 2, 0]
            for i, j in starts
        ],
        axis,
    )


def _shifted_kernels(kernel: jax.Array) -> jax.Array:
    """Puts a kernel `(3, 3, 1, features)` into the corners of 4×4 pixels: `(16, 4 * features)`."""
    places = [
        jnp.pad(kernel[:, :, 0], ((i, 1 - i), (j, 1 - j), (0, 0)))
        for i, j in _POOL_OFFSETS
    ]
    return jnp.concatenate(places, -1).reshape(16, -1)


def _max_pool_vjp(
    quarters: list[jax.Array], largest: jax.Array, gradient: jax.Array
) -> list[jax.Array]:
    """Hands the gradient of a maximum to the first quarter that has it, as `nn.max_pool` does."""
    routed, taken = [], jnp.zeros(largest.shape, bool)
    for quarter in quarters:
        here = (quarter == largest) & ~taken
        routed.append(jnp.where(here, gradient, 0))
        taken |= here
    return routed


def _conv_backward(
    images: jax.Array, columns: jax.Array, kernel: jax.Array, gradient: jax.Array
) -> tuple:
    """Computes the gradients of a convolution's images and kernel."""
    height, width = columns.shape[1:3]
    fold = jax.linear_transpose(partial(_im2col, height=height, width=width), images)
    of_kernel = _weight_grad(columns, gradient).reshape(kernel.shape)
    return *fold(gradient @ _as_matrix(kernel).T), of_kernel


def _weight_grad(inputs: jax.Array, gradient: jax.Array) -> jax.Array:
    """Computes inputs.T @ gradient of `(..., inputs)` and `(..., features)`."""
    return _prevent_fusion(_as_matrix(inputs).T) @ _as_matrix(gradient)


def _prevent_fusion(transposed: jax.Array) -> jax.Array:
    """Keeps XLA from folding a transposition into a product, which then misses the fast path."""
    return lax.optimization_barrier(transposed)


def microbatch(function: Callable, piece: int) -> Callable:
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
        examples = jax.tree.map(
            lambda array: _split_and_pad(array, piece, "edge"), list(batch[:-1])
        )
        pieces = [*examples, _split_and_pad(batch[-1], piece, "constant")]
        shapes = jax.eval_shape(
            function, params, *jax.tree.map(lambda array: array[0], pieces)
        )
        zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
        return lax.scan(add, zeros, pieces)[0]

    return accumulated


def _split_and_pad(array: jax.Array, piece: int, mode: str) -> jax.Array:
    """Reshapes `(batch, ...)` to `(pieces, piece, ...)`, filled up as `jnp.pad` does in that mode."""
    piece = min(piece, len(array))
    pieces = math.ceil(len(array) / piece)
    fill = [(0, pieces * piece - len(array))] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, fill, mode=mode).reshape(pieces, piece, *array.shape[1:])


def batch_map(piece: int) -> Callable[[Callable], Callable]:
    """Returns what makes a function of one example one of many.

    On CPU, one example follows the other, so that of the ways to go on, only that is computed which
    the example takes; elsewhere all are computed at once, and each takes its own.

    Args:
      piece: of the `Lowering`.
    """
    return (
        (lambda function: lambda *batch: lax.map(lambda one: function(*one), batch))
        if piece
        else jax.vmap
    )


def run_in_threads(call: Callable[[int], Any], lanes: int) -> list[Any]:
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
    futures = [_executor(lane).submit(call, lane) for lane in range(lanes)]
    return [future.result() for future in futures]


@cache
def _executor(_lane: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)
