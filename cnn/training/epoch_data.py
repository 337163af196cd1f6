"""The training examples on the devices: their order in an epoch, and its batches."""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

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


def shuffle_epoch(
    seed: int, epoch: int, images: jax.Array, targets: jax.Array
) -> EpochData:
    """Samples the key and the order of an epoch, and copies them to all devices.

    Args:
      seed: seed of the run.
      epoch: number of the epoch, from 1.
      images: `uint8 (N, 28, 28, 1)`, on all devices.
      targets: `float32 (N, num_classes)`, on all devices.
    """
    run_key = jax.random.key(seed)
    num_images = len(images)
    sampled = _epoch_permutation(run_key, epoch, num_images)
    key, order = replicate(sampled)
    return EpochData(images, targets, key, order)


@partial(jax.jit, static_argnames="count")
def _epoch_permutation(
    key: jax.Array, epoch: int, count: int
) -> tuple[jax.Array, jax.Array]:
    epoch_key = jax.random.fold_in(key, epoch)
    order = jax.random.permutation(epoch_key, count)
    return epoch_key, order


def replicate(tree: Any) -> Any:
    """Copies arrays to all devices of all hosts."""
    return jax.device_put(tree, _device_sharding())


def shard(array: jax.Array) -> jax.Array:
    """Splits an array over all devices. XLA then splits the results, too."""
    sharding = _device_sharding("batch")
    return lax.with_sharding_constraint(array, sharding)


def _device_sharding(*axes: str) -> NamedSharding:
    """Returns the sharding along mesh axes, or that of one copy per device."""
    devices = np.array(jax.devices())
    mesh = Mesh(devices, axis_names=("batch",))
    spec = PartitionSpec(*axes)
    return NamedSharding(mesh, spec)


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
    step = state.step % state.steps_per_epoch
    start = step * batch_size
    indices = data.order.take(start + positions, mode="clip")
    images = data.images[indices]
    targets = data.targets[indices]
    return Batch(images, targets)
