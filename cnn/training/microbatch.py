"""Gradient accumulation over microbatches, and calls from several threads.

A microbatch fits the CPU cache. XLA runs the calls of different threads in parallel.
tests/benchmarks/README.md has the measurements.

`optax.microbatch` accumulates, too. Its microbatches are strided (examples 0, n, 2n),
so it adds in another order, and its batch size must be a multiple of their size.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def microbatch(function: Callable, microbatch_size: int) -> Callable:
    """Transforms a sum over a batch into a loop that adds the sums of microbatches.

    Args:
      function: takes parameters, then trees of arrays `(batch, ...)`. It returns a tree
        of sums over the batch. Zeros in the last tree must contribute nothing, since
        they pad the last microbatch. The other trees are padded with the last example.
      microbatch_size: number of examples that are computed at once.

    Returns:
      A function with the same arguments and results, for any batch size.
    """
    function = jax.jit(function)  # The shape inference and the loop share one trace.

    def accumulate(params: Any, *batch: Any) -> Any:
        def add_microbatch(total: Any, examples: list[Any]) -> tuple[Any, None]:
            sums = function(params, *examples)
            return jax.tree.map(jnp.add, total, sums), None

        microbatches = _split_trees(batch, microbatch_size)
        first = jax.tree.map(_first_element, microbatches)
        result_shapes = jax.eval_shape(function, params, *first)
        zeros = jax.tree.map(_make_zeros, result_shapes)
        total, _ = lax.scan(add_microbatch, zeros, microbatches)
        return total

    return accumulate


def _first_element(array: jax.Array) -> jax.Array:
    return array[0]


def _make_zeros(array: jax.ShapeDtypeStruct) -> jax.Array:
    return jnp.zeros(array.shape, array.dtype)


def _split_trees(batch: tuple[Any, ...], microbatch_size: int) -> list[Any]:
    def repeat_last(array: jax.Array) -> jax.Array:
        return _split_and_pad(array, microbatch_size, "edge")

    def append_zeros(array: jax.Array) -> jax.Array:
        return _split_and_pad(array, microbatch_size, "constant")

    *examples, last = batch
    padded_examples = jax.tree.map(repeat_last, examples)
    padded_last = jax.tree.map(append_zeros, last)
    return [*padded_examples, padded_last]


def _split_and_pad(array: jax.Array, size: int, mode: str) -> jax.Array:
    """Pads with a mode of `jnp.pad`, and reshapes to `(count, size, ...)`."""
    batch_size, *example_shape = array.shape
    size = min(size, batch_size)
    count = math.ceil(batch_size / size)
    num_added = count * size - batch_size
    padding = [(0, 0)] * array.ndim
    padding[0] = (0, num_added)
    padded = jnp.pad(array, padding, mode=mode)
    return padded.reshape(count, size, *example_shape)


def sum_trees(trees: list[Any]) -> Any:
    """Adds trees of arrays with the same structure."""

    def add(*arrays: jax.Array) -> jax.Array | int:
        return sum(arrays)

    return jax.tree.map(add, *trees)


def sequential_map(function: Callable) -> Callable:
    """Maps a function of one example over a batch, one example after the other.

    `lax.switch` then computes only the branch that the example takes. Under `jax.vmap`
    it computes all branches.
    """

    def map_one(example: tuple[jax.Array, ...]) -> jax.Array:
        return function(*example)

    def map_batch(*batch: jax.Array) -> jax.Array:
        return lax.map(map_one, batch)

    return map_batch


def run_in_threads(call: Callable[[int], Any], num_threads: int) -> list[Any]:
    """Calls a compiled function from several threads.

    XLA runs the calls of one thread one after the other. A call returns before its
    result is computed, so no thread waits for another.

    Args:
      call: takes the index of the thread, from 0.
      num_threads: number of calls.

    Returns:
      The results of the calls, in the order of the indices.
    """
    if num_threads == 1:
        return [call(0)]
    futures = []
    for index in range(num_threads):
        executor = _executor(index)
        future = executor.submit(call, index)
        futures.append(future)
    return [future.result() for future in futures]


@cache
def _executor(_index: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)
