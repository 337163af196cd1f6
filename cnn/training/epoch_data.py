"""The training examples on the devices: their order in an epoch, and its batches."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec, Sharding

from cnn.config import TrainConfig
from cnn.training.metrics import EpochMetrics
from cnn.training.train_step import Batch, TrainState


class EpochData(NamedTuple):
    """The examples of an epoch, on the device.

    Attributes:
      images: all training images, `uint8 (N, 28, 28, 1)`.
      targets: probability of each class, `float32 (N, num_classes)`.
      key: random key of the epoch.
      order: permutation of the examples, `int32 (N,)`.
    """

    images: jax.Array
    targets: jax.Array
    key: jax.Array
    order: jax.Array


# Takes a state, the epoch's totals, a number of steps and the epoch's data. Returns the
# new state and totals. It reuses the memory of the old ones.
RunSteps = Callable[
    [TrainState, EpochMetrics, np.int32, EpochData], tuple[TrainState, EpochMetrics]
]


def count_steps(num_examples: int, config: TrainConfig) -> int:
    """Returns the number of whole batches in an epoch, at least 1."""
    num_learned = round(config.epoch_fraction * num_examples)
    return max(1, num_learned // config.batch_size)


def shuffle_epoch(
    seed: int, epoch: int, images: jax.Array, targets: jax.Array
) -> EpochData:
    """Samples the key and the order of an epoch, on the devices of the images.

    Args:
      seed: seed of the run.
      epoch: number of the epoch, from 1.
      images: `uint8 (N, 28, 28, 1)`, on each device.
      targets: `float32 (N, num_classes)`, on each device.
    """
    sample = jax.jit(
        _sample_order, static_argnames="count", out_shardings=images.sharding
    )
    key, order = sample(np.uint32(seed), np.int32(epoch), count=len(images))
    return EpochData(images, targets, key, order)


def _sample_order(
    seed: jax.Array, epoch: jax.Array, count: int
) -> tuple[jax.Array, jax.Array]:
    run_key = jax.random.key(seed)
    epoch_key = jax.random.fold_in(run_key, epoch)
    order = jax.random.permutation(epoch_key, count)
    return epoch_key, order


def replicated_sharding(devices: Sequence[jax.Device]) -> NamedSharding:
    """Returns the sharding with one copy of an array on each device.

    Args:
      devices: of this process, or of all processes.
    """
    mesh = Mesh(np.array(devices), axis_names=("batch",))
    return NamedSharding(mesh, PartitionSpec())


def replicate(tree: Any, sharding: Sharding) -> Any:
    """Copies arrays of this process to devices. All processes pass equal arrays.

    Args:
      tree: arrays of NumPy.
      sharding: from `replicated_sharding`.
    """

    def copy(array: np.ndarray) -> jax.Array:
        return jax.make_array_from_process_local_data(sharding, np.asarray(array))

    return jax.tree.map(copy, tree)


def shard(array: jax.Array, replicated: NamedSharding) -> jax.Array:
    """Splits an array over the devices of a sharding. XLA splits the results, too.

    The length of the array need not be a multiple of the number of devices.
    """
    sharding = NamedSharding(replicated.mesh, PartitionSpec("batch"))
    return lax.with_sharding_constraint(array, sharding)


def take_batch(
    data: EpochData, state: TrainState, positions: jax.Array, batch_size: int
) -> Batch:
    """Gathers examples of the next batch.

    Args:
      data: examples of the epoch.
      state: state before the step.
      positions: `int32 (count,)`, indices in the batch. An index beyond the epoch's
        last example returns that example.
      batch_size: number of examples of a batch.
    """
    start = steps_done(state) * batch_size
    indices = data.order.take(start + positions, mode="clip")
    images = data.images[indices]
    targets = data.targets[indices]
    return Batch(images, targets)


def steps_done(state: TrainState) -> jax.Array | int:
    """Returns the number of steps that are done in the current epoch."""
    return state.step % state.steps_per_epoch
