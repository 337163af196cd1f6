"""Measures training steps of `cnn` and plain Flax, and XLA's matrix product."""

import dataclasses
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.training.compile import initialize_state, select_backend
from cnn.training.epoch_data import replicate, shuffle_epoch
from cnn.training.metrics import EpochMetrics
from tests.benchmarks.answering import answer

BATCH = 128
STEPS = 40
MATRIX_SIZE = 2048
# Adam, as the peers have.
AUGMENTED = TrainConfig(batch_size=BATCH, optimizer="adam")
NOT_AUGMENTED = dataclasses.replace(
    AUGMENTED,
    rotation_degrees=0,
    scale_range=0,
    shear_factor=0,
    translate_pixels=0,
    corruption_prob=0,
)


def random_set() -> tuple[np.ndarray, np.ndarray]:
    """Returns random images and labels for all steps."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (STEPS * BATCH, 28, 28, 1), np.uint8)
    return images, draw.integers(0, 10, STEPS * BATCH).astype(np.int32)


def ours(config: TrainConfig):
    """Measures the steps of `bin/train`, in images per second."""
    images, labels = random_set()
    model = CNN(10, dtype=config.compute_dtype)
    backend = select_backend(model)
    targets = np.eye(10, dtype=np.float32)[labels]
    images, targets = replicate((images, targets), backend.sharding)
    state = initialize_state(backend, model, config, STEPS)
    data = shuffle_epoch(0, 1, images, targets)
    run_steps = backend.compile_steps(state, data, config)

    def measure() -> float:
        nonlocal state
        start = time.perf_counter()
        totals = replicate(EpochMetrics(), data.order.sharding)
        state, _ = run_steps(state, totals, np.int32(STEPS), data)
        jax.block_until_ready(state)
        return STEPS * config.batch_size / (time.perf_counter() - start)

    return measure


def plain_flax():
    """Measures the step of a Flax example: one jitted function, with Adam."""
    model = CNN()
    tx = optax.adam(1e-3)
    images, labels = random_set()
    batches = [
        (jnp.asarray(x / np.float32(255)), jnp.asarray(y))
        for x, y in zip(np.split(images, STEPS), np.split(labels, STEPS), strict=True)
    ]
    params = model.init(jax.random.key(0), batches[0][0])["params"]

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(params, opt_state, images, labels):
        def loss(params):
            logits = model.apply({"params": params}, images)
            return optax.softmax_cross_entropy_with_integer_labels(
                logits, labels
            ).mean()

        value, grads = jax.value_and_grad(loss)(params)
        updates, opt_state = tx.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, value

    state = params, tx.init(params)

    def measure() -> float:
        nonlocal state
        start = time.perf_counter()
        for batch in batches[:10]:
            *state, _ = step(*state, *batch)
        jax.block_until_ready(state)
        return 10 * BATCH / (time.perf_counter() - start)

    return measure


def sgemm():
    """Measures the product of two square matrices, in GFLOP per second."""
    matrix = jax.random.normal(jax.random.key(0), (MATRIX_SIZE, MATRIX_SIZE))
    product = jax.jit(jnp.matmul)

    def measure() -> float:
        start = time.perf_counter()
        jax.block_until_ready([product(matrix, matrix) for _ in range(5)])
        return 5 * 2 * MATRIX_SIZE**3 / (time.perf_counter() - start) / 1e9

    return measure


if __name__ == "__main__":
    answer(
        {
            "cnn": ours(NOT_AUGMENTED),
            "cnn, augmented images": ours(AUGMENTED),
            "plain Flax": plain_flax(),
            "sgemm": sgemm(),
        }
    )
