import threading
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn.model import CNN
from cnn.training import cpu_kernels
from tests.reference import forward, random_params

CPU = cpu_kernels.select_backend(CNN(), "cpu", cores=2)
sizes = st.integers(4, 13)


def plain(images, kernel, bias, pool):
    """The layer by Flax's own words: `nn.Conv`, `nn.relu`, `nn.max_pool`."""
    conv = nn.Conv(len(bias), (3, 3), padding="VALID")
    result = nn.relu(conv.apply({"params": {"kernel": kernel, "bias": bias}}, images))
    return nn.max_pool(result, (2, 2), (2, 2)) if pool else result


def assert_same_with_gradients(ours, theirs, *arguments, seed=0):
    @partial(jax.jit, static_argnums=0)
    def run(function, *arguments):
        result, pull = jax.vjp(function, *arguments)
        return result, *pull(jax.random.normal(jax.random.key(seed), result.shape))

    for a, b in zip(run(ours, *arguments), run(theirs, *arguments), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


LAYERS = {
    cpu_kernels.conv_relu: (partial(plain, pool=False), [1, 2, 7]),
    cpu_kernels.conv_relu_pool: (partial(plain, pool=True), [1, 2, 7]),
    cpu_kernels.conv_relu_pool_1ch: (partial(plain, pool=True), [1]),
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(LAYERS)),
    st.integers(1, 5),
    sizes,
    sizes,
    st.integers(1, 40),
    st.data(),
)
def test_layers_and_all_their_gradients_equal_flaxs(
    layer, batch, height, width, features, data
):
    theirs, channels = LAYERS[layer]
    channels, seed = data.draw(st.sampled_from(channels)), data.draw(st.integers(0, 99))
    draw = np.random.default_rng(seed)
    images = jnp.asarray(
        draw.normal(size=(batch, height, width, channels)), jnp.float32
    )
    kernel = jnp.asarray(draw.normal(size=(3, 3, channels, features)), jnp.float32)
    bias = jnp.asarray(draw.normal(size=features), jnp.float32)
    assert_same_with_gradients(layer, theirs, images, kernel, bias, seed=seed)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 30), st.integers(1, 30), st.integers(0, 99))
def test_dense_and_its_gradients_equal_flaxs(batch, inputs, features, seed):
    draw = np.random.default_rng(seed)
    x, kernel, bias = (
        jnp.asarray(draw.normal(size=shape), jnp.float32)
        for shape in ((batch, inputs), (inputs, features), (features,))
    )
    theirs = lambda x, k, b: nn.Dense(features).apply(
        {"params": {"kernel": k, "bias": b}}, x
    )  # noqa: E731
    assert_same_with_gradients(cpu_kernels.dense, theirs, x, kernel, bias, seed=seed)


@pytest.mark.parametrize(
    "layer", [cpu_kernels.conv_relu_pool, cpu_kernels.conv_relu_pool_1ch]
)
def test_the_first_of_equal_maxima_gets_the_gradient_as_in_flax(layer):
    # A flat picture: all four of each window are equal, and only the first may count.
    images, kernel, bias = (
        jnp.ones((1, 6, 6, 1)),
        jnp.ones((3, 3, 1, 2)),
        jnp.array([0.5, 1]),
    )
    weights = jnp.arange(8.0).reshape(1, 2, 2, 2)
    ours = jax.grad(lambda x: (layer(x, kernel, bias) * weights).sum())(images)
    theirs = jax.grad(lambda x: (plain(x, kernel, bias, pool=True) * weights).sum())(
        images
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    first = (
        jnp.zeros((1, 6, 6, 1)).at[0, 0:3, 0:3].set(0 + 1)
    )  # Of the first window, alone.
    alone = jax.grad(lambda x: layer(x, kernel, bias)[0, 0, 0].sum() / 2)(images)
    np.testing.assert_array_equal(alone, first)


def test_what_relu_stops_gets_no_gradient():
    for layer in LAYERS:
        gradients = jax.grad(
            lambda *a, layer=layer: layer(*a).sum(), argnums=(0, 1, 2)
        )(jnp.ones((1, 6, 6, 1)), -jnp.ones((3, 3, 1, 2)), jnp.zeros(2))
        assert not any(gradient.any() for gradient in gradients)


def loss_sum(how, params, images, labels, weights):
    logits = how.logits(params, images)
    return weights @ optax.softmax_cross_entropy_with_integer_labels(logits, labels)


@pytest.mark.parametrize("batch", [1, 2, 15, 16, 17, 33, 64])
def test_pieces_add_up_to_the_plain_loss_and_gradient(batch):
    draw = np.random.default_rng(batch)
    images = jnp.asarray(draw.random((batch, 28, 28, 1)), jnp.float32)
    labels = jnp.asarray(draw.integers(0, 10, batch))
    params = random_params()
    pieces = jax.value_and_grad(partial(loss_sum, CPU))
    ours = jax.jit(cpu_kernels.microbatch(pieces, CPU.piece))(
        params, images, labels, jnp.ones(batch)
    )

    def plain_loss(params):
        logits = CNN(10).apply({"params": params}, images)  # All 28 rows and columns.
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).sum()

    plain = jax.jit(jax.value_and_grad(plain_loss))(params)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4 * batch)


def test_lanes_are_called_from_threads_of_their_own_and_answer_in_order():
    threads = [set(), set(), set()]

    def call(lane):
        threads[lane].add(threading.get_ident())
        return 10 * lane

    for _ in range(5):
        assert cpu_kernels.run_in_threads(call, 3) == [0, 10, 20]
    assert len(set.union(*threads)) == 3
    with pytest.raises(ZeroDivisionError):
        cpu_kernels.run_in_threads(lambda lane: 1 // lane, 2)


@pytest.mark.parametrize("batch", [1, 5, 64, 100])
@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_every_lowering_computes_the_network_of_the_definition(batch, backend):
    how = cpu_kernels.select_backend(CNN(7), backend, cores=3)
    images = np.random.default_rng(batch).random((batch, 28, 28, 1)).astype(np.float32)
    params = random_params(7)
    probabilities = jax.nn.softmax(jax.jit(how.logits)(params, images))
    np.testing.assert_allclose(probabilities, forward(params, images), atol=1e-5)


def test_the_last_two_rows_and_columns_are_never_seen():
    images = np.random.default_rng(0).random((2, 28, 28, 1)).astype(np.float32)
    changed = images.copy()
    changed[:, 26:], changed[:, :, 26:] = 0.5, 0.5
    params = random_params()
    np.testing.assert_array_equal(forward(params, images), forward(params, changed))

    np.testing.assert_array_equal(
        CPU.logits(params, images), CPU.logits(params, changed)
    )
    np.testing.assert_allclose(
        CPU.logits(params, images[:, :26, :26]), CPU.logits(params, images), rtol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_gpu_gets_the_plain_network_in_one_piece(dtype):
    images, params = jnp.ones((2, 28, 28, 1)), random_params()
    how = cpu_kernels.select_backend(CNN(dtype=dtype), "gpu")
    assert (how.lanes, how.piece) == (1, 0)
    expected = CNN(dtype=dtype).apply({"params": params}, images)
    np.testing.assert_array_equal(how.logits(params, images), expected)


def test_bfloat16_is_computed_as_such_with_float32_parameters_and_logits():
    model, images, params = (
        CNN(dtype="bfloat16"),
        jnp.ones((2, 28, 28, 1)),
        random_params(),
    )
    assert cpu_kernels.select_backend(model, "cpu").piece == 0
    logits, captured = model.apply(
        {"params": params}, images, capture_intermediates=True
    )
    assert logits.dtype == jnp.float32
    assert captured["intermediates"]["conv2d"]["__call__"][0].dtype == jnp.bfloat16
    assert all(
        leaf.dtype == jnp.float32
        for leaf in jax.tree.leaves(model.init(jax.random.key(0), images))
    )
    plain_logits = CNN().apply({"params": params}, images)
    assert 0 < np.abs(logits - plain_logits).max() < 0.05 * np.abs(plain_logits).max()
