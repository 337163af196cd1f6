from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from cnn import lowering
from cnn.model import CNN
from tests.reference import forward, random_params

CPU = lowering.choose("cpu", cores=2)


def plain_convolution(images, kernel):
    dimensions = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=dimensions)


sizes = st.integers(3, 13)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), sizes, sizes, st.sampled_from([1, 2, 7]), st.integers(1, 5), st.integers(0, 99))
def test_convolution_and_its_gradients_equal_xlas(batch, height, width, channels, features, seed):
    draw = np.random.default_rng(seed)
    images = jnp.asarray(draw.normal(size=(batch, height, width, channels)), jnp.float32)
    kernel = jnp.asarray(draw.normal(size=(3, 3, channels, features)), jnp.float32)
    cotangent = jnp.asarray(draw.normal(size=(batch, height - 2, width - 2, features)), jnp.float32)
    ours, pull = jax.vjp(lambda x, k: lowering.convolve_as_matmul(x, k, (1, 1), "VALID"), images, kernel)
    plain, plain_pull = jax.vjp(plain_convolution, images, kernel)
    for a, b in zip((ours, *pull(cotangent)), (plain, *plain_pull(cotangent)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(2, 13), st.integers(2, 13), st.integers(1, 4), st.integers(0, 99))
def test_pooling_and_its_gradient_equal_flaxs(batch, height, width, channels, seed):
    # A permutation has no ties, which each may resolve in its own way.
    count = batch * height * width * channels
    values = np.random.default_rng(seed).permutation(count).reshape(batch, height, width, channels)
    images = jnp.asarray(values, jnp.float32)
    pool = partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))
    ours, pull = jax.vjp(lowering.max_pool_as_maximum, images)
    plain, plain_pull = jax.vjp(pool, images)
    np.testing.assert_array_equal(ours, plain)
    np.testing.assert_array_equal(pull(ours)[0], plain_pull(plain)[0])


def test_equal_maxima_share_the_gradient():
    gradient = jax.grad(lambda x: lowering.max_pool_as_maximum(x).sum())(jnp.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(gradient, jnp.full((1, 2, 2, 1), 0.25))


def loss_sum(model, params, images, labels, weights):
    logits = model.apply({"params": params}, lowering.seen(images))
    return weights @ optax.softmax_cross_entropy_with_integer_labels(logits, labels)


@pytest.mark.parametrize("batch", [1, 2, 15, 16, 17, 33, 64])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_pieces_in_lanes_add_up_to_the_plain_loss_and_gradient(batch, lanes):
    draw = np.random.default_rng(batch)
    images = jnp.asarray(draw.random((batch, 28, 28, 1)), jnp.float32)
    labels = jnp.asarray(draw.integers(0, 10, batch))
    params = random_params()
    how = CPU._replace(lanes=lanes)
    pieces = jax.value_and_grad(partial(loss_sum, CNN(10, how.convolve, how.max_pool)))
    ours = jax.jit(lowering.accumulate(pieces, how))(params, images, labels, jnp.ones(batch))

    def plain_loss(params):
        logits = CNN(10).apply({"params": params}, images)  # All 28 rows and columns.
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).sum()

    plain = jax.jit(jax.value_and_grad(plain_loss))(params)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4 * batch)


@pytest.mark.parametrize("batch", [1, 5, 64, 100])
@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_every_lowering_computes_the_network_of_the_definition(batch, backend):
    how = lowering.choose(backend, cores=3)
    images = np.random.default_rng(batch).random((batch, 28, 28, 1)).astype(np.float32)
    params = random_params(7)
    model = CNN(7, how.convolve, how.max_pool)
    function = lowering.map_batch(lambda p, x: model.apply({"params": p}, lowering.seen(x)), how)
    probabilities = jax.nn.softmax(jax.jit(function)(params, images))
    np.testing.assert_allclose(probabilities, forward(params, images), atol=1e-5)


def test_the_last_two_rows_and_columns_are_never_seen():
    images = np.random.default_rng(0).random((2, 28, 28, 1)).astype(np.float32)
    changed = images.copy()
    changed[:, 26:], changed[:, :, 26:] = 0.5, 0.5
    params = random_params()
    np.testing.assert_array_equal(forward(params, images), forward(params, changed))


def test_a_gpu_gets_xlas_own_convolution_in_one_piece():
    how = lowering.choose("gpu")
    assert (how.convolve, how.lanes, how.piece) == (lax.conv_general_dilated, 1, 0)
