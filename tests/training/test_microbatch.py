import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from cnn.model import CNN
from cnn.training.cpu_kernels import apply_im2col
from cnn.training.microbatch import microbatch, run_in_threads, sequential_map
from tests.reference import random_params


def cross_entropy_sum(params, images, targets):
    logits = apply_im2col({"params": params}, images)
    return optax.softmax_cross_entropy(logits, targets).sum()


@pytest.mark.parametrize("batch", [1, 2, 15, 16, 17, 33, 64])
def test_microbatches_add_up_to_the_plain_loss_and_gradient(batch):
    draw = np.random.default_rng(batch)
    images = jnp.asarray(draw.random((batch, 28, 28, 1)), jnp.float32)
    targets = jnp.eye(10)[draw.integers(0, 10, batch)]
    params = random_params()
    accumulate = microbatch(jax.value_and_grad(cross_entropy_sum), 8)
    ours = jax.jit(accumulate)(params, images, targets)

    def plain_loss(params):
        logits = CNN(10).apply({"params": params}, images)
        return optax.softmax_cross_entropy(logits, targets).sum()

    plain = jax.jit(jax.value_and_grad(plain_loss))(params)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4 * batch)


def test_padding_repeats_the_last_example_and_ends_the_last_tree_with_zeros():
    def collect(_, images, targets):
        return {"images": images[None], "targets": targets}

    examples = jnp.array([1.0, 2.0, 3.0, 4.0, 5.0])
    total = microbatch(collect, 3)(None, examples, 10 * examples)
    np.testing.assert_array_equal(total["images"], [[1 + 4, 2 + 5, 3 + 5]])
    np.testing.assert_array_equal(total["targets"], [10 + 40, 20 + 50, 30 + 0])


def test_sequential_map_equals_vmap():
    def scale(x, y):
        return x * y.sum()

    x = jnp.arange(6.0)
    y = jnp.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(sequential_map(scale)(x, y), jax.vmap(scale)(x, y))


def test_calls_run_in_threads_of_their_own_and_return_in_order():
    threads = [set(), set(), set()]

    def call(index):
        threads[index].add(threading.get_ident())
        return 10 * index

    for _ in range(5):
        assert run_in_threads(call, 3) == [0, 10, 20]
    assert len(set.union(*threads)) == 3
    with pytest.raises(ZeroDivisionError):
        run_in_threads(lambda index: 1 // index, 2)
