"""Training steps for tests: settings, data and runs of a few steps."""

import jax
import numpy as np

from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.training.compile import ThreadedBackend, initialize_state, select_backend
from cnn.training.cpu_kernels import apply_im2col
from cnn.training.epoch_data import count_steps, replicate, shuffle_epoch
from cnn.training.metrics import EpochMetrics
from cnn.training.training_set import make_training_examples

CONFIG = TrainConfig(
    epochs=4,
    batch_size=32,
    optimizer="adam",
    weight_decay=0,
    learning_rate=2e-3,
    warmup_fraction=0.25,
    ema_decay=0.9,
    corruption_prob=0,
    outlier_fraction=0,
    elastic_sigma=0.25,
)


def two_threads(microbatch_size=8):
    return ThreadedBackend(apply_im2col, 2, microbatch_size)


def start(config, dataset, backend=None):
    """Returns the back end, the initial state and the data of the first epoch."""
    model = CNN(10, dtype=config.compute_dtype)
    backend = backend or select_backend(model)
    examples = make_training_examples(dataset, config)
    images, targets = replicate(examples, backend.sharding)
    steps_per_epoch = count_steps(len(images), config)
    state = initialize_state(backend, model, config, steps_per_epoch)
    return backend, state, shuffle_epoch(config.seed, 1, images, targets)


def copy(state):
    """Copies parameters and averages, since a step reuses the memory of its state."""
    return jax.tree.map(np.array, (state.params, state.ema_params))


def run_one_by_one(config, dataset, count, backend=None):
    """Runs the first steps of an epoch, each in a call of its own.

    Returns:
      The parameters and averages before and after each step, the metrics of each step,
      and the data of the epoch.
    """
    backend, state, data = start(config, dataset, backend)
    run_steps = backend.compile_steps(state, data, config)
    params = [copy(state)]
    metrics = []
    for _ in range(count):
        totals = replicate(EpochMetrics(), data.order.sharding)
        state, totals = run_steps(state, totals, np.int32(1), data)
        params.append(copy(state))
        metrics.append(jax.device_get(totals))
    return params, metrics, data
