"""The back end for CPU: threads, microbatches, and a part of each batch per process."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding

from cnn.config import TrainConfig
from cnn.training.augment_batch import AugmentationParams, augment_batch
from cnn.training.epoch_data import (
    EpochData,
    RunSteps,
    replicate,
    replicated_sharding,
    steps_done,
    take_batch,
)
from cnn.training.metrics import EpochMetrics, add_step
from cnn.training.microbatch import (
    microbatch,
    run_in_threads,
    sequential_map,
    sum_trees,
)
from cnn.training.process_sum import compile_process_sum
from cnn.training.train_step import (
    TrainState,
    apply_gradients,
    loss_fn,
    sample_step_augmentation,
)

# Examples per microbatch. The activations of 8 examples fit the cache of a core.
_MICROBATCH_SIZE = 8

# The progress bar and Ctrl-C wait for a call. A call of 32 steps takes under a second.
_CPU_STEPS_PER_CALL = 32

# Matrix products take the time, and LLVM does not compile those. Level 1 is as fast as
# level 3, and compiles sooner.
_STEP_OPTIONS = {"xla_backend_optimization_level": 1}


@dataclass(frozen=True)
class ThreadedBackend:
    """Computes the gradients of a batch in threads, and in microbatches in each thread.

    Each process computes a part of the batch and has a state of its own. The states
    stay equal, since all are updated by the same sum of gradients.

    Attributes:
      apply_fn: computes logits, with the arguments of `CNN.apply`.
      num_threads: number of equal shares of the part of this process.
      microbatch_size: number of examples that are computed at once.
      steps_per_call: number of steps between updates of the progress bar.
      num_processes: number of equal parts of a batch.
      process_index: index of the part of this process.
    """

    apply_fn: Callable
    num_threads: int
    microbatch_size: int = _MICROBATCH_SIZE
    steps_per_call: int = _CPU_STEPS_PER_CALL
    num_processes: int = 1
    process_index: int = 0

    @property
    def sharding(self) -> NamedSharding:
        """One device of this process holds the state and the data."""
        return replicated_sharding(jax.local_devices()[:1])

    def compile_steps(
        self, state: TrainState, data: EpochData, config: TrainConfig
    ) -> RunSteps:
        """Compiles the gradient of a share and the update, for these shapes."""
        share_grads = jax.jit(
            partial(self.share_gradients, config=config),
            compiler_options=_STEP_OPTIONS,
        )
        update = jax.jit(
            partial(_update, config=config),
            compiler_options=_STEP_OPTIONS,
            donate_argnums=(0, 1),
        )
        lowered_grads = share_grads.lower(state, np.int32(0), data)
        compiled_grads = lowered_grads.compile()
        share_shapes = [lowered_grads.out_info] * self.num_threads
        sum_processes = None
        if self.num_processes > 1:
            sum_processes = compile_process_sum(share_shapes, self.sharding)
            share_shapes = share_shapes[:1]
        totals = replicate(EpochMetrics(), self.sharding)
        lowered_update = update.lower(state, totals, share_shapes)
        compiled_update = lowered_update.compile()

        def run_threaded(
            state: TrainState, totals: EpochMetrics, count: np.int32, data: EpochData
        ) -> tuple[TrainState, EpochMetrics]:
            for _ in range(count):
                call = partial(_call_share, compiled_grads, state, data)
                shares = run_in_threads(call, self.num_threads)
                if sum_processes is not None:
                    shares = [sum_processes(shares)]
                state, totals = compiled_update(state, totals, shares)
            return state, totals

        return run_threaded

    def share_gradients(
        self,
        state: TrainState,
        share: jax.Array | int,
        data: EpochData,
        config: TrainConfig,
    ) -> tuple[tuple, Any]:
        """Computes the loss and gradient sums of one share of the next batch.

        Args:
          state: state before the step.
          share: `int32 ()`, index of the share in the part of this process.
          data: data of the epoch.
          config: settings.

        Returns:
          The results of `loss_fn`, and the gradients of the loss.
        """
        part_size = math.ceil(config.batch_size / self.num_processes)
        part_start = self.process_index * part_size
        part_end = min(part_start + part_size, config.batch_size)
        share_size = math.ceil(part_size / self.num_threads)
        start = part_start + share * share_size
        positions = start + jnp.arange(share_size)
        # The last shares may reach beyond the part. There their targets are 0.
        is_in_part = positions < part_end
        batch = take_batch(data, state, positions, config.batch_size)
        targets = jnp.where(is_in_part[:, None], batch.targets, 0)
        params = sample_step_augmentation(state, data.key, config)
        take_share = partial(
            jnp.take,
            indices=positions,
            axis=0,
            mode="clip",
        )
        share_params = jax.tree.map(take_share, params)
        loss = partial(_compute_loss, apply_fn=state.apply_fn)
        grad_fn = jax.value_and_grad(loss, has_aux=True)
        accumulate = microbatch(grad_fn, self.microbatch_size)
        return accumulate(state.params, batch.images, share_params, targets)


def _compute_loss(
    params: Any,
    images: jax.Array,
    augmentation: AugmentationParams,
    targets: jax.Array,
    apply_fn: Callable,
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    augmented = augment_batch(images, augmentation, sequential_map)
    return loss_fn(params, apply_fn, augmented, targets)


def _call_share(
    compiled_grads: Callable, state: TrainState, data: EpochData, share: int
) -> Any:
    return compiled_grads(state, np.int32(share), data)


def _update(
    state: TrainState, totals: EpochMetrics, shares: list, config: TrainConfig
) -> tuple[TrainState, EpochMetrics]:
    sums, grads = sum_trees(shares)
    new_state, metrics = apply_gradients(state, sums, grads, config)
    step = steps_done(state) + 1
    return new_state, add_step(totals, metrics, step)
