import json
import os
import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from cnn.augmentation import affine
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.model import CNN
from cnn.training import loop, train_step
from tests.conftest import ROOT

CONFIG = TrainConfig(
    epochs=4,
    batch_size=32,
    learning_rate=2e-3,
    warmup_fraction=0.25,
    ema_decay=0.9,
    corruption_prob=0,
    outlier_fraction=0,
    elastic_sigma=0.25,
)


@pytest.fixture
def small(small_dir):
    return datasets.load("kmnist", "train", small_dir)


def arrays(dataset):
    """Gives images and targets on the device."""
    return train_step.replicate(loop.make_training_examples(dataset, CONFIG))


def start(config, dataset):
    """Gives the initial state, and the compiled steps."""
    state = train_step.replicate(
        train_step.create_state(config, 10, len(dataset.labels) // config.batch_size)
    )
    return state, train_step.compile_steps(state, *arrays(dataset), config)


def one_step(take_steps, state, dataset, key, order):
    """Takes one step, and gives the state, its loss and its accuracy."""
    data = *arrays(dataset), key, order
    state, totals = take_steps(
        state, train_step.replicate(train_step.EpochMetrics()), np.int32(1), *data
    )
    return state, float(totals.loss), float(totals.right)


def first_steps(config, dataset, count):
    """Gives the states after each of the first steps of the first epoch."""
    state, take_steps = start(config, dataset)
    key, order = train_step.epoch_permutation(config.seed, 1, len(dataset.labels))
    states, results = [jax.device_get((state.params, state.ema_params))], []
    for _ in range(count):
        state, *result = one_step(take_steps, state, dataset, key, order)
        states.append(jax.device_get((state.params, state.ema_params)))
        results.append(result)
    return states, results, key, order


def test_learning_rate_rises_linearly_then_falls_to_0_by_a_cosine():
    rate = train_step.learning_rate(
        CONFIG, steps_per_epoch=10
    )  # 40 steps, 10 of warm-up.
    values = [float(rate(step)) for step in (0, 5, 10, 25, 40)]
    np.testing.assert_allclose(values, [0, 1e-3, 2e-3, 1e-3, 0], atol=1e-9)


@pytest.mark.parametrize("seed", [0, 5])
def test_steps_follow_plain_flax_and_adam(small, seed):
    """The loss curve and parameters of the plainest formulation, from the same start."""
    config = replace(CONFIG, seed=seed)
    states, results, key, order = first_steps(config, small, 5)
    params = states[0][0]
    tx = optax.adam(train_step.learning_rate(config, len(small.labels) // 32))
    opt_state = tx.init(params)

    @jax.jit
    def plain_step(params, opt_state, images, labels):
        def loss(params):
            logits = CNN(10).apply({"params": params}, images)
            return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(32), labels])

        value, grads = jax.value_and_grad(loss)(params)
        updates, opt_state = tx.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, value

    for i, (loss, _) in enumerate(results):
        batch = order[32 * i : 32 * (i + 1)]
        maps = affine.sample_affine(
            jax.random.fold_in(key, i), 32, affine.AffineRanges(10, 0.1, 0.1, 2)
        )
        bends = affine.sample_elastic(
            jax.random.fold_in(jax.random.fold_in(key, i), 2), 32, 0.25
        )
        images = affine.warp(
            jnp.asarray(small.images[batch, ..., 0]) / 255.0, maps, bends
        )[..., None]
        params, opt_state, plain_loss = plain_step(
            params, opt_state, images, small.labels[batch]
        )
        assert abs(loss - float(plain_loss)) < 1e-4
    # Adam divides by the size of a gradient, so that rounding shows where one is nearly 0.
    difference = jax.tree.map(lambda a, b: np.abs(a - b).mean(), params, states[-1][0])
    assert max(jax.tree.leaves(difference)) < 1e-5


def test_corruption_changes_evenly_from_the_first_step_to_the_last():
    config = replace(CONFIG, corruption_prob=0.5, corruption_prob_final=0.1)
    shares = [
        train_step.sample_augmentation(jax.random.key(0), config, progress).shares
        for progress in (0, 0.5, 1)
    ]
    np.testing.assert_allclose(shares, [[0.5] * 32, [0.3] * 32, [0.1] * 32], atol=1e-6)
    steady = train_step.sample_augmentation(
        jax.random.key(0), replace(CONFIG, corruption_prob=0.1), 0.7
    ).shares
    np.testing.assert_array_equal(steady, np.full(32, np.float32(0.1)))


def test_the_average_of_parameters_by_hand(small):
    states, *_ = first_steps(CONFIG, small, 3)
    average = states[0][1]["dense"]["bias"]
    for number, (params, ema_params) in enumerate(states[1:], 1):
        decay = min(0.9, (1 + number) / (10 + number))
        average = decay * average + (1 - decay) * params["dense"]["bias"]
        np.testing.assert_allclose(ema_params["dense"]["bias"], average, atol=1e-7)


def test_many_steps_in_a_call_are_bit_for_bit_the_same_as_one_by_one(small):
    states, results, key, order = first_steps(CONFIG, small, 5)
    state, take_steps = start(CONFIG, small)
    data = *arrays(small), key, order
    state, totals = take_steps(
        state, train_step.replicate(train_step.EpochMetrics()), np.int32(5), *data
    )
    same = jax.tree.map(np.array_equal, (state.params, state.ema_params), states[-1])
    assert all(jax.tree.leaves(same))
    np.testing.assert_allclose(totals.loss, sum(loss for loss, _ in results), rtol=1e-6)
    np.testing.assert_allclose(
        totals.right, sum(right for _, right in results), rtol=1e-6
    )


@pytest.mark.parametrize(("lanes", "batch_size"), [(1, 31), (3, 100), (2, 1)])
def test_every_number_of_lanes_sums_the_gradient_of_the_whole_batch(
    small, lanes, batch_size
):
    """Of the last batch of an epoch, too, whose shares may reach beyond the last image."""
    config = replace(CONFIG, batch_size=batch_size)
    state = train_step.create_state(config, 10, 1)
    state = state.replace(step=len(small.labels) // batch_size - 1)
    data = *arrays(small), *train_step.epoch_permutation(0, 1, len(small.labels))
    whole = state.replace(lowering=state.lowering._replace(lanes=1, piece=0))
    shares = state.replace(lowering=state.lowering._replace(lanes=lanes))
    gradient = jax.jit(train_step.loss_and_grads, static_argnames="config")
    expected = gradient(whole, 0, *data, config=config)
    found = [gradient(shares, lane, *data, config=config) for lane in range(lanes)]
    found = jax.tree.map(lambda *parts: sum(parts), *found)
    assert found[0][1] == expected[0][1]
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5 * batch_size)


def test_an_accelerators_path_takes_an_epoch_in_one_call_and_learns_in_bfloat16(small):
    config = replace(CONFIG, compute_dtype="bfloat16")
    state, take_steps = start(config, small)
    assert state.lowering.piece == 0
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(state.params))
    calls = []

    def counted(state, totals, count, *data):
        calls.append(int(count))
        return take_steps(state, totals, count, *data)

    losses = []
    for epoch in (1, 2, 3):
        order = train_step.epoch_permutation(config.seed, epoch, len(small.labels))
        state, trained = loop.train_epoch(
            counted, state, *arrays(small), order, epoch, config
        )
        losses.append(trained["loss"])
    assert calls == [20, 20, 20]
    assert losses[2] < 0.8 * losses[0]


def test_bfloat16_and_float32_start_with_nearly_the_same_loss(small):
    losses = [
        first_steps(replace(CONFIG, compute_dtype=d), small, 1)[1][0][0]
        for d in ("float32", "bfloat16")
    ]
    assert 0 < abs(losses[0] - losses[1]) < 0.02


def test_an_epoch_takes_each_image_at_most_once_and_another_order_each_time():
    _, one = train_step.epoch_permutation(0, 1, 1000)
    _, two = train_step.epoch_permutation(0, 2, 1000)
    assert sorted(one.tolist()) == sorted(two.tolist()) == list(range(1000))
    assert one.tolist() != two.tolist()


def test_the_split_is_by_seed_and_disjoint():
    images = np.arange(60_000, dtype=np.int32)
    dataset = datasets.Dataset(images, images % 10, tuple("0123456789"))
    for seed in (0, 1):
        rest, held_out = loop.train_validation_split(dataset, TrainConfig(seed=seed))
        assert (len(rest.labels), len(held_out.labels)) == (55_000, 5_000)
        assert sorted([*rest.images, *held_out.images]) == images.tolist()
    assert not np.array_equal(
        held_out.images,
        loop.train_validation_split(dataset, TrainConfig(seed=0))[1].images,
    )


def test_a_small_set_gives_at_most_a_tenth_to_validation(small):
    rest, held_out = loop.train_validation_split(small, CONFIG)
    assert (len(rest.labels), len(held_out.labels)) == (576, 64)


def test_examples_are_the_images_with_their_labels_and_a_share_of_no_class(small):
    images, targets = loop.make_training_examples(
        small, replace(CONFIG, outlier_fraction=0.1)
    )
    assert (images.shape, images.dtype) == ((640 + 64, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(images[:640], small.images)
    np.testing.assert_array_equal(targets[:640].argmax(1), small.labels)
    assert (targets[:640].max(1) == 1).all()
    alike = (targets[640:] == np.float32(0.1)).all(1)
    assert alike.sum() >= 38
    assert (np.unique(targets[640:][~alike]) == [0, 0.5, 1]).all()


def test_accuracy_counts_what_has_one_class_only(small):
    """Of an epoch over halves and noise, too."""
    config = replace(
        CONFIG,
        outlier_fraction=1.0,
        rotation_degrees=0.0,
        scale_range=0.0,
        shear_factor=0.0,
        translate_pixels=0.0,
    )
    images, targets = loop.make_training_examples(small, config)
    state = train_step.create_state(config, 10, len(images) // 32)
    order = train_step.epoch_permutation(0, 1, len(images))
    (_, (right, counted)), _ = jax.jit(
        train_step.loss_and_grads, static_argnames="config"
    )(
        state.replace(lowering=state.lowering._replace(lanes=1, piece=0)),
        0,
        images,
        targets,
        *order,
        config=config,
    )
    batch = np.asarray(order[1][:32])
    guesses = (
        CNN(10)
        .apply({"params": state.params}, images[batch] / np.float32(255))
        .argmax(-1)
    )
    single = targets[batch].max(1) > 0.5
    assert counted == single.sum() < 32
    assert right == (guesses == targets[batch].argmax(1))[single].sum()


def test_each_image_is_corrupted_in_the_same_way_whatever_the_number_of_lanes(small):
    config = replace(CONFIG, corruption_prob=0.5, outlier_fraction=0.1)
    state = train_step.create_state(config, 10, 1)
    data = (
        *loop.make_training_examples(small, config),
        *train_step.epoch_permutation(0, 1, 704),
    )
    soon = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    gradient = jax.jit(
        train_step.loss_and_grads, static_argnames="config", compiler_options=soon
    )
    sums = []
    for lanes in (1, 3):
        shares = state.replace(lowering=state.lowering._replace(lanes=lanes, piece=8))
        parts = [gradient(shares, lane, *data, config=config) for lane in range(lanes)]
        sums.append(jax.tree.leaves(jax.tree.map(lambda *parts: sum(parts), *parts)))
    for a, b in zip(*sums, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def test_evaluation_counts_every_example(small):
    """By an independent formula, over a number that is no multiple of any batch."""
    params = train_step.create_state(CONFIG, 10, 1).params
    dataset = small._replace(images=small.images[:601], labels=small.labels[:601])
    logits = CNN(10).apply({"params": params}, dataset.images / np.float32(255))
    probabilities = np.asarray(jax.nn.softmax(logits), np.float64)
    expected = {
        "loss": -np.log(probabilities[np.arange(601), dataset.labels]).mean(),
        "accuracy": (probabilities.argmax(1) == dataset.labels).sum() / 601,
    }
    result = loop.compute_metrics(loop.predict_logits(params, dataset), dataset.labels)
    assert result["accuracy"] == expected["accuracy"]
    assert abs(result["loss"] - expected["loss"]) < 1e-5


def test_two_devices_learn_what_one_learns(small_dir, tmp_path):
    """The same steps with the batch split over two devices, in a process that has two."""
    script = (
        "import jax, sys, json; jax.config.update('jax_cpu_enable_async_dispatch', False)\n"
        "from cnn import data; from cnn.training import train_step\n"
        "from tests.training.test_train_step import CONFIG, one_step, start\n"
        "small = data.load('kmnist', 'train', sys.argv[1])\n"
        "state, take_steps = start(CONFIG, small)\n"
        "key, order = train_step.epoch_permutation(0, 1, len(small.labels))\n"
        "losses = []\n"
        "for _ in range(3):\n"
        "    state, loss, _ = one_step(take_steps, state, small, key, order)\n"
        "    losses.append(loss)\n"
        "print(json.dumps([jax.device_count(), losses]))"
    )

    def losses(devices):
        flags = f"--xla_force_host_platform_device_count={devices}"
        done = subprocess.run(
            [sys.executable, "-c", script, small_dir],
            cwd=ROOT,
            env={**os.environ, "XLA_FLAGS": flags},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        count, values = json.loads(done.stdout)
        assert count == devices
        return values

    np.testing.assert_allclose(losses(2), losses(1), rtol=1e-4)


def test_a_loss_that_is_no_number_stops_and_names_the_first_such_step(small):
    config = replace(CONFIG, learning_rate=1e30, warmup_fraction=0)
    _, results, *_ = first_steps(config, small, 6)
    first = next(i for i, (loss, _) in enumerate(results, 1) if not np.isfinite(loss))
    assert 1 < first <= 6
    state, take_steps = start(config, small)
    words = f"at step {first} of epoch 1; the run is stopped"
    order = train_step.epoch_permutation(config.seed, 1, len(small.labels))
    with pytest.raises(loop.TrainingError, match=words):
        loop.train_epoch(take_steps, state, *arrays(small), order, 1, config)
