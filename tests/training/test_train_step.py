from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from cnn.augmentation import affine
from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.training.train_step import (
    Batch,
    create_state,
    eval_step,
    learning_rate,
    loss_fn,
    train_step,
    update_ema,
)
from tests.training.steps import CONFIG


def test_learning_rate_rises_linearly_then_falls_to_0_by_a_cosine():
    rate = learning_rate(CONFIG, steps_per_epoch=10)  # 40 steps, 10 of warm-up.
    values = [float(rate(step)) for step in (0, 5, 10, 25, 40)]
    np.testing.assert_allclose(values, [0, 1e-3, 2e-3, 1e-3, 0], atol=1e-9)


def run_definition(config, dataset, count):
    """Runs `train_step` on consecutive batches. Returns states, losses and batches."""
    state = create_state(jax.random.key(config.seed), CNN(10), config, 20)
    step = jax.jit(train_step, static_argnames="config")
    targets = np.eye(10, dtype=np.float32)[dataset.labels]
    states = [state]
    losses = []
    for i in range(count):
        at = slice(32 * i, 32 * (i + 1))
        batch = Batch(jnp.asarray(dataset.images[at]), jnp.asarray(targets[at]))
        state, metrics = step(state, batch, jax.random.key(7), config)
        states.append(state)
        losses.append(float(metrics.loss))
    return states, losses


@pytest.mark.parametrize("seed", [0, 5])
def test_steps_follow_plain_flax_and_adam(small, seed):
    """Loss and parameters of the plainest formulation, from the same start."""
    config = replace(CONFIG, seed=seed)
    states, losses = run_definition(config, small, 5)
    params = states[0].params
    tx = optax.adam(learning_rate(config, 20))
    opt_state = tx.init(params)

    @jax.jit
    def plain_step(params, opt_state, images, labels):
        def loss(params):
            logits = CNN(10).apply({"params": params}, images)
            return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(32), labels])

        value, grads = jax.value_and_grad(loss)(params)
        updates, opt_state = tx.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, value

    ranges = affine.AffineRanges(10, 0.1, 0.1, 2)
    for i, loss in enumerate(losses):
        at = slice(32 * i, 32 * (i + 1))
        key = jax.random.fold_in(jax.random.key(7), i)
        maps = affine.sample_affine(key, 32, ranges)
        elastic = affine.sample_elastic(jax.random.fold_in(key, 2), 32, 0.25)
        gray = jnp.asarray(small.images[at, ..., 0]) / 255.0
        images = affine.warp(gray, maps, elastic)[..., None]
        params, opt_state, plain_loss = plain_step(
            params, opt_state, images, small.labels[at]
        )
        assert abs(loss - float(plain_loss)) < 1e-4
    # Adam divides by the size of a gradient, and rounding shows where one is nearly 0.
    difference = jax.tree.map(
        lambda a, b: np.abs(a - b).mean(), params, states[-1].params
    )
    assert max(jax.tree.leaves(difference)) < 1e-5


def test_the_average_of_parameters_by_hand(small):
    states, _ = run_definition(CONFIG, small, 3)
    average = states[0].ema_params["dense"]["bias"]
    for number, state in enumerate(states[1:], 1):
        decay = min(0.9, (1 + number) / (10 + number))
        average = decay * average + (1 - decay) * state.params["dense"]["bias"]
        np.testing.assert_allclose(
            state.ema_params["dense"]["bias"], average, atol=1e-7
        )


def test_the_average_keeps_a_part_of_a_models_initial_parameters():
    state = create_state(jax.random.key(0), CNN(10), CONFIG, 20)
    state = state.replace(params=jax.tree.map(jnp.ones_like, state.params))
    fine_tuned = state.replace(forgets_initial_params=False)
    for name, decay in (("random", 1 / 10), ("model", 0.9)):
        initial = state if name == "random" else fine_tuned
        expected = decay * initial.ema_params["dense"]["kernel"] + (1 - decay)
        average = update_ema(initial, 0.9)["dense"]["kernel"]
        np.testing.assert_allclose(average, expected, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_weight_decay_shrinks_kernels_and_no_biases(optimizer):
    """Without a gradient, a step multiplies kernels by 1 - rate * decay."""
    config = replace(CONFIG, optimizer=optimizer, weight_decay=0.5, warmup_fraction=0.0)
    state = create_state(jax.random.key(0), CNN(10), config, 20)
    ones = jax.tree.map(jnp.ones_like, state.params)
    state = state.replace(params=ones)
    new = state.apply_gradients(grads=jax.tree.map(jnp.zeros_like, ones)).params
    np.testing.assert_allclose(new["dense"]["kernel"], 1 - 2e-3 * 0.5, rtol=1e-6)
    np.testing.assert_array_equal(new["dense"]["bias"], 1)


def test_targets_of_all_0_add_nothing_to_loss_counts_and_gradients():
    state = create_state(jax.random.key(0), CNN(10), CONFIG, 1)
    images = jnp.asarray(np.random.default_rng(0).random((6, 28, 28, 1)), jnp.float32)
    targets = jnp.eye(10)[:6]
    grad_fn = jax.value_and_grad(
        partial(loss_fn, apply_fn=state.apply_fn), has_aux=True
    )
    four = grad_fn(state.params, images=images[:4], targets=targets[:4])
    padded = grad_fn(state.params, images=images, targets=targets.at[4:].set(0))
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-5), four, padded)


def test_accuracy_counts_only_examples_with_one_class():
    state = create_state(jax.random.key(0), CNN(10), CONFIG, 1)
    images = jnp.asarray(np.random.default_rng(0).random((4, 28, 28, 1)), jnp.float32)
    predicted = state.apply_fn({"params": state.params}, images).argmax(-1)
    targets = jax.nn.one_hot(predicted, 10)
    targets = targets.at[1].set(0.1)  # An outlier of no class.
    targets = targets.at[2].set(jnp.zeros(10).at[:2].set(0.5))  # Half 0 and half 1.
    targets = targets.at[3].set(jnp.roll(targets[3], 1))  # A wrong prediction.
    _, (num_correct, num_examples) = loss_fn(
        state.params, state.apply_fn, images, targets
    )
    assert (num_correct, num_examples) == (1, 2)


def test_evaluation_counts_every_example(small):
    """By an independent formula, over a number that is no multiple of any batch."""
    params = create_state(jax.random.key(0), CNN(10), TrainConfig(), 1).params
    dataset = small._replace(images=small.images[:601], labels=small.labels[:601])
    expected_logits = CNN(10).apply(
        {"params": params}, dataset.images / np.float32(255)
    )
    probabilities = np.asarray(jax.nn.softmax(expected_logits), np.float64)
    loss = -np.log(probabilities[np.arange(601), dataset.labels]).mean()
    logits, metrics = eval_step(params, dataset)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    assert (
        metrics["accuracy"] == (probabilities.argmax(1) == dataset.labels).sum() / 601
    )
    assert abs(metrics["loss"] - loss) < 1e-5
