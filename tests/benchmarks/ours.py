"""Measures training steps of `cnn` and of plain Flax, and the rate of XLA's matrix product."""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.training import train_step
from tests.benchmarks.answering import answer

BATCH, STEPS, SIZE = 128, 40, 2048
STILL = TrainConfig(
    rotation_degrees=0,
    scale_range=0,
    shear_factor=0,
    translate_pixels=0,
    corruption_prob=0,
)


def random_set() -> tuple[np.ndarray, np.ndarray]:
    """As many random images and labels as the steps take."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (STEPS * BATCH, 28, 28, 1), np.uint8)
    return images, draw.integers(0, 10, STEPS * BATCH).astype(np.int32)


def ours(config: TrainConfig):
    """The steps of `cnn.step`, as `bin/train` takes them; without distortion, `warp` is left out."""
    images, labels = random_set()
    images, targets = train_step.replicate(
        (images, np.eye(10, dtype=np.float32)[labels])
    )
    order = train_step.epoch_permutation(0, 1, len(images))
    state = train_step.replicate(train_step.create_state(config, 10, STEPS))
    take_steps = train_step.compile_steps(state, images, targets, config)

    def measure() -> float:
        nonlocal state
        start = time.perf_counter()
        state, _ = take_steps(
            state,
            train_step.replicate(train_step.EpochMetrics()),
            np.int32(STEPS),
            images,
            targets,
            *order,
        )
        jax.block_until_ready(state)
        return STEPS * BATCH / (time.perf_counter() - start)

    return measure


def plain_flax():
    """What a Flax user writes: the module, Adam, one jitted and donated step."""
    model, tx = CNN(), optax.adam(1e-3)
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
    """GFLOP a second of a product of two square matrices."""
    matrix = jax.random.normal(jax.random.key(0), (SIZE, SIZE))
    product = jax.jit(jnp.matmul)

    def measure() -> float:
        start = time.perf_counter()
        jax.block_until_ready([product(matrix, matrix) for _ in range(5)])
        return 5 * 2 * SIZE**3 / (time.perf_counter() - start) / 1e9

    return measure


if __name__ == "__main__":
    answer(
        {
            "cnn": ours(STILL),
            "cnn, distorted images": ours(TrainConfig()),
            "plain Flax": plain_flax(),
            "sgemm": sgemm(),
        }
    )
