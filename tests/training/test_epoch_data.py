from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn.training.epoch_data import count_steps, shuffle_epoch, take_batch
from tests.training.steps import CONFIG, start


def shuffle(epoch):
    return shuffle_epoch(0, epoch, jnp.zeros((1000, 2)), jnp.zeros((1000, 3)))


def test_an_epoch_has_each_example_once_in_an_order_of_its_own():
    one = shuffle(1)
    two = shuffle(2)
    assert sorted(one.order.tolist()) == sorted(two.order.tolist())
    assert sorted(one.order.tolist()) == list(range(1000))
    assert one.order.tolist() != two.order.tolist()
    assert (jax.random.key_data(one.key) != jax.random.key_data(two.key)).any()


def test_the_same_seed_and_epoch_have_the_same_order():
    np.testing.assert_array_equal(shuffle(3).order, shuffle(3).order)


def test_batches_follow_the_order_and_begin_anew_with_the_next_epoch(small):
    _, state, data = start(CONFIG, small)
    positions = jnp.arange(32)
    for step, first in ((0, 0), (3, 96), (20, 0), (23, 96)):
        batch = take_batch(data, state.replace(step=step), positions, 32)
        indices = data.order[first : first + 32]
        np.testing.assert_array_equal(batch.images, data.images[indices])
        np.testing.assert_array_equal(batch.targets, data.targets[indices])


@pytest.mark.parametrize(("fraction", "num_steps"), [(1.0, 31), (0.5, 15), (0.001, 1)])
def test_an_epoch_of_a_fraction_has_whole_batches_and_at_least_one(fraction, num_steps):
    config = replace(CONFIG, epoch_fraction=fraction)
    assert count_steps(1000, config) == num_steps
