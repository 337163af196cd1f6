"""The back end for GPU and TPU: all steps of an epoch in one compiled call."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import NamedSharding

from cnn.config import TrainConfig
from cnn.training.epoch_data import (
    EpochData,
    RunSteps,
    replicate,
    replicated_sharding,
    shard,
    steps_done,
    take_batch,
)
from cnn.training.metrics import EpochMetrics, add_step
from cnn.training.train_step import TrainState, train_step


@dataclass(frozen=True)
class FusedBackend:
    """Runs any number of steps in one compiled call.

    Attributes:
      apply_fn: computes logits, with the arguments of `CNN.apply`.
      steps_per_call: None for all steps of an epoch.
    """

    apply_fn: Callable
    steps_per_call: int | None = None

    @property
    def sharding(self) -> NamedSharding:
        """Every device of every process holds a copy of the state and the data."""
        return replicated_sharding(jax.devices())

    def compile_steps(
        self, state: TrainState, data: EpochData, config: TrainConfig
    ) -> RunSteps:
        """Compiles `train_step` for arguments of these shapes."""
        totals = replicate(EpochMetrics(), self.sharding)
        run_fused = self.jit_steps(config)
        return run_fused.lower(state, totals, np.int32(0), data).compile()

    def jit_steps(self, config: TrainConfig) -> Any:
        """Returns the jitted loop over the steps of a call."""

        @partial(jax.jit, donate_argnums=(0, 1))
        def run_fused(
            state: TrainState, totals: EpochMetrics, count: int, data: EpochData
        ) -> tuple[TrainState, EpochMetrics]:
            def run_step(
                _: int, carry: tuple[TrainState, EpochMetrics]
            ) -> tuple[TrainState, EpochMetrics]:
                return self._run_step(*carry, data, config)

            return lax.fori_loop(0, count, run_step, (state, totals))

        return run_fused

    def _run_step(
        self,
        state: TrainState,
        totals: EpochMetrics,
        data: EpochData,
        config: TrainConfig,
    ) -> tuple[TrainState, EpochMetrics]:
        # Each device computes a part of the batch. XLA adds their gradients.
        positions = shard(jnp.arange(config.batch_size), self.sharding)
        batch = take_batch(data, state, positions, config.batch_size)
        new_state, metrics = train_step(state, batch, data.key, config)
        step = steps_done(state) + 1
        return new_state, add_step(totals, metrics, step)
