"""The sum of arrays over processes, as one all-reduce."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from cnn.training.microbatch import sum_trees


def compile_process_sum(
    shares: list[Any], sharding: NamedSharding
) -> Callable[[list[Any]], Any]:
    """Compiles the sum of the trees of all threads of all processes.

    Args:
      shares: the shapes of equal trees of `float32` arrays, one tree per thread.
      sharding: the device of this process that holds the trees.

    Returns:
      A function that takes such trees and returns their sum, on the same device. All
      processes call it in turn, and get the same bits.
    """
    mesh = Mesh(np.array(_first_devices()), axis_names=("process",))
    split = NamedSharding(mesh, PartitionSpec("process"))
    zeros = jax.tree.map(_make_zeros, shares[0])
    vector, unravel = ravel_pytree(zeros)
    rows_shape = (mesh.size, vector.size)
    flatten = jax.jit(_flatten_sum, out_shardings=sharding)
    all_reduce = jax.jit(_sum_rows, out_shardings=NamedSharding(mesh, PartitionSpec()))
    unflatten = jax.jit(unravel, out_shardings=sharding)

    def sum_processes(trees: list[Any]) -> Any:
        row = flatten(trees)
        # Each process holds one row.
        rows = jax.make_array_from_single_device_arrays(rows_shape, split, [row])
        total = all_reduce(rows)
        return unflatten(total.addressable_data(0))

    return sum_processes


def _first_devices() -> list[jax.Device]:
    """Returns the first device of each process, in the order of processes."""
    return [jax.local_devices(index)[0] for index in range(jax.process_count())]


def _make_zeros(array: jax.ShapeDtypeStruct) -> np.ndarray:
    return np.zeros(array.shape, array.dtype)


def _flatten_sum(trees: list[Any]) -> jax.Array:
    vector, _ = ravel_pytree(sum_trees(trees))
    return vector[None]


def _sum_rows(rows: jax.Array) -> jax.Array:
    return rows.sum(0)
