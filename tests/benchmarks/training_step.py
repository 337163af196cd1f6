"""Times the training step of each lowering, interleaved: python -m tests.benchmarks.training_step."""

import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from cnn import augment, lowering
from cnn.config import TrainConfig
from cnn.model import CNN

BATCH, STEPS, ROUNDS = 128, 15, 7


def make_step(how: lowering.Lowering, affine: augment.Affine | None):
    """One Adam step on a batch, with or without distortion."""
    model, tx = CNN(10, how.convolve, how.max_pool), optax.adam(1e-3)

    def loss(params, images, maps, labels, weights):
        images = images if affine is None else augment.warp(images, maps)
        images = lowering.seen(images) if how.piece else images  # Plain Flax sees all of it.
        logits = model.apply({"params": params}, images)
        return weights @ optax.softmax_cross_entropy_with_integer_labels(logits, labels)

    @partial(jax.jit, donate_argnums=0)
    def step(state, images, labels, key):
        params, opt_state = state
        maps = augment.draw(key, BATCH, affine or augment.Affine(0, 0, 0, 0))
        gradient = lowering.accumulate(jax.value_and_grad(loss), how)
        _, grads = gradient(params, images, maps, labels, jnp.ones(BATCH))
        updates, opt_state = tx.update(jax.tree.map(lambda g: g / BATCH, grads), opt_state)
        return optax.apply_updates(params, updates), opt_state

    params = CNN(10).init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))["params"]
    return step, (params, tx.init(params))


def main() -> None:
    """Prints images a second, and the time against plain Flax, as medians over rounds."""
    config, ours = TrainConfig(), lowering.choose()
    affine = augment.Affine(config.rotation, config.scale, config.shear, config.shift)
    runs = {
        "plain Flax": make_step(lowering.choose("gpu"), None),
        "lowering": make_step(ours, None),
        "lowering, distorted images": make_step(ours, affine),
    }
    draw = np.random.default_rng(0)
    images = jnp.asarray(draw.random((BATCH, 28, 28, 1)), jnp.float32)
    labels = jnp.asarray(draw.integers(0, 10, BATCH))
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(ROUNDS + 1):  # The first compiles.
        for name, (step, state) in runs.items():
            start = time.perf_counter()
            for i in range(STEPS):
                state = step(state, images, labels, jax.random.key(i))
            jax.block_until_ready(state)
            runs[name] = step, state
            times[name] += [(time.perf_counter() - start) / STEPS] * (round_ > 0)
    for name, seconds in times.items():
        ratios = [a / b for a, b in zip(times["plain Flax"], seconds, strict=True)]
        speed = BATCH / statistics.median(seconds)
        print(f"{name:<28}{speed:8,.0f} images/s {statistics.median(ratios):6.2f} × plain Flax")


if __name__ == "__main__":
    main()
