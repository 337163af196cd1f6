"""Compilation of training steps: one call on accelerators, threads on a CPU.

`cnn.training.train_step` defines the step. A back end decides how it is computed:

- `FusedBackend` compiles many steps into one call, and shards each batch over all
  devices. It is the back end for GPU, TPU and several devices.
- `ThreadedBackend` computes each batch in threads and microbatches, with the layers of
  `cnn.training.cpu_kernels`. It is the back end for one CPU.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.parallel import cpu_count
from cnn.training.augment_batch import AugmentationParams, augment_batch
from cnn.training.cpu_kernels import apply_im2col
from cnn.training.epoch_data import EpochData, replicate, shard, take_batch
from cnn.training.metrics import EpochMetrics, add_step
from cnn.training.microbatch import microbatch, run_in_threads, sequential_map
from cnn.training.train_step import (
    TrainState,
    apply_gradients,
    create_state,
    loss_fn,
    sample_step_augmentation,
    train_step,
)

# Examples per microbatch. The activations of 8 examples fit the cache of a core.
_MICROBATCH_SIZE = 8

# The progress bar and Ctrl-C wait for a call. A call of 32 steps takes under a second.
_CPU_STEPS_PER_CALL = 32

# For code that runs once: faster to compile, slower to run.
_RUN_ONCE_OPTIONS = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}

# Matrix products take the time, and LLVM does not compile those. Level 1 is as fast as
# level 3, and compiles sooner.
_STEP_OPTIONS = {"xla_backend_optimization_level": 1}


# Takes a state, the epoch's totals, a number of steps and the epoch's data. Returns the
# new state and totals. It reuses the memory of the old ones.
RunSteps = Callable[
    [TrainState, EpochMetrics, np.int32, EpochData], tuple[TrainState, EpochMetrics]
]


@dataclass(frozen=True)
class FusedBackend:
    """Runs any number of steps in one compiled call.

    Attributes:
      apply_fn: computes logits, with the arguments of `CNN.apply`.
      steps_per_call: None for all steps of an epoch.
    """

    apply_fn: Callable
    steps_per_call: int | None = None

    def compile_steps(
        self, state: TrainState, data: EpochData, config: TrainConfig
    ) -> RunSteps:
        """Compiles `train_step` for arguments of these shapes."""

        @partial(jax.jit, donate_argnums=(0, 1))
        def run_fused(
            state: TrainState, totals: EpochMetrics, count: int, data: EpochData
        ) -> tuple[TrainState, EpochMetrics]:
            def run_step(
                _: int, carry: tuple[TrainState, EpochMetrics]
            ) -> tuple[TrainState, EpochMetrics]:
                return _run_step(*carry, data, config)

            return lax.fori_loop(0, count, run_step, (state, totals))

        totals = replicate(EpochMetrics())
        lowered = run_fused.lower(state, totals, np.int32(0), data)
        return lowered.compile()


@dataclass(frozen=True)
class ThreadedBackend:
    """Computes the gradients of a batch in threads, and in microbatches in each thread.

    Attributes:
      apply_fn: computes logits, with the arguments of `CNN.apply`.
      num_threads: number of equal shares of a batch.
      microbatch_size: number of examples that are computed at once.
      steps_per_call: number of steps between updates of the progress bar.
    """

    apply_fn: Callable
    num_threads: int
    microbatch_size: int = _MICROBATCH_SIZE
    steps_per_call: int = _CPU_STEPS_PER_CALL

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
        totals = replicate(EpochMetrics())
        lowered_update = update.lower(state, totals, share_shapes)
        compiled_update = lowered_update.compile()

        def run_threaded(
            state: TrainState, totals: EpochMetrics, count: np.int32, data: EpochData
        ) -> tuple[TrainState, EpochMetrics]:
            for _ in range(count):
                call = partial(_call_share, compiled_grads, state, data)
                shares = run_in_threads(call, self.num_threads)
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
          share: `int32 ()`, index of the share.
          data: data of the epoch.
          config: settings.

        Returns:
          The results of `loss_fn`, and the gradients of the loss.
        """
        share_size = math.ceil(config.batch_size / self.num_threads)
        start = share * share_size
        positions = start + jnp.arange(share_size)
        # The last share may reach beyond the batch. There its targets are 0.
        is_in_batch = positions < config.batch_size
        batch = take_batch(data, state, positions, config.batch_size)
        targets = jnp.where(is_in_batch[:, None], batch.targets, 0)
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


Backend = FusedBackend | ThreadedBackend


def select_backend(model: CNN) -> Backend:
    """Selects the fastest back end for training on this machine.

    Args:
      model: the network. `cpu_kernels` computes it in float32 only.
    """
    is_cpu = jax.default_backend() == "cpu"
    is_float32 = jnp.dtype(model.dtype) == jnp.float32
    if not (is_cpu and is_float32):
        return FusedBackend(model.apply)
    if jax.device_count() > 1:
        return FusedBackend(apply_im2col)
    return ThreadedBackend(apply_im2col, num_threads=cpu_count())


def initialize_state(
    backend: Backend, model: CNN, config: TrainConfig, steps_per_epoch: int
) -> TrainState:
    """Runs `create_state`, and copies the state to all devices."""
    is_cpu = jax.default_backend() == "cpu"
    options = _RUN_ONCE_OPTIONS if is_cpu else None

    @partial(jax.jit, compiler_options=options)
    def create(key: jax.Array) -> TrainState:
        state = create_state(key, model, config, steps_per_epoch)
        return state.replace(apply_fn=backend.apply_fn)

    key = jax.random.key(config.seed)
    state = create(key)
    return replicate(state)


def _run_step(
    state: TrainState, totals: EpochMetrics, data: EpochData, config: TrainConfig
) -> tuple[TrainState, EpochMetrics]:
    # Each device computes a part of the batch. XLA adds their gradients.
    positions = shard(jnp.arange(config.batch_size))
    batch = take_batch(data, state, positions, config.batch_size)
    new_state, metrics = train_step(state, batch, data.key, config)
    step = _step_in_epoch(state)
    return new_state, add_step(totals, metrics, step)


def _step_in_epoch(state: TrainState) -> jax.Array | int:
    """Returns the number of the next step in its epoch, from 1."""
    return state.step % state.steps_per_epoch + 1


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
    sums, grads = jax.tree.map(_sum_shares, *shares)
    new_state, metrics = apply_gradients(state, sums, grads, config)
    step = _step_in_epoch(state)
    return new_state, add_step(totals, metrics, step)


def _sum_shares(*shares: jax.Array) -> jax.Array | int:
    return sum(shares)
