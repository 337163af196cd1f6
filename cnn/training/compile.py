"""Selection of how the steps run: one call on accelerators, threads on a CPU.

`cnn.training.train_step` defines the step. A back end decides how it is computed:

- `FusedBackend` compiles many steps into one call, and shards each batch over the
  devices of all processes. It is the back end for GPU and TPU.
- `ThreadedBackend` computes a batch in threads and microbatches, with the layers of
  `cnn.training.cpu_kernels`. Each process computes a part of the batch. It is the back
  end for CPU.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.parallel import cpu_count
from cnn.training.cpu_kernels import apply_im2col
from cnn.training.fused_backend import FusedBackend
from cnn.training.threaded_backend import ThreadedBackend
from cnn.training.train_step import TrainState, create_state

# For code that runs once: faster to compile, slower to run.
_RUN_ONCE_OPTIONS = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}

Backend = FusedBackend | ThreadedBackend


def select_backend(model: CNN) -> Backend:
    """Selects the fastest back end for training on these devices.

    Args:
      model: the network. `cpu_kernels` computes it in float32 only.
    """
    is_cpu = jax.default_backend() == "cpu"
    is_float32 = jnp.dtype(model.dtype) == jnp.float32
    if not (is_cpu and is_float32):
        return FusedBackend(model.apply)
    if jax.local_device_count() > 1:
        return FusedBackend(apply_im2col)
    return ThreadedBackend(
        apply_im2col,
        num_threads=cpu_count(),
        num_processes=jax.process_count(),
        process_index=jax.process_index(),
    )


def initialize_state(
    backend: Backend, model: CNN, config: TrainConfig, steps_per_epoch: int
) -> TrainState:
    """Runs `create_state` on the devices of a back end."""
    is_cpu = jax.default_backend() == "cpu"
    options = _RUN_ONCE_OPTIONS if is_cpu else None

    @partial(jax.jit, compiler_options=options, out_shardings=backend.sharding)
    def create(seed: jax.Array) -> TrainState:
        key = jax.random.key(seed)
        state = create_state(key, model, config, steps_per_epoch)
        return state.replace(apply_fn=backend.apply_fn)

    return create(np.uint32(config.seed))
