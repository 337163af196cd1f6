from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn.training import cpu_kernels
from tests.reference import forward, random_params

sizes = st.integers(4, 13)


def flax_layer(images, kernel, bias, pool):
    """The layer in Flax: `nn.Conv`, `nn.relu`, `nn.max_pool`."""
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
    cpu_kernels.conv_relu: (partial(flax_layer, pool=False), [1, 2, 7]),
    cpu_kernels.conv_relu_pool: (partial(flax_layer, pool=True), [1, 2, 7]),
    cpu_kernels.conv_relu_pool_1ch: (partial(flax_layer, pool=True), [1]),
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

    def theirs(x, kernel, bias):
        params = {"kernel": kernel, "bias": bias}
        return nn.Dense(features).apply({"params": params}, x)

    assert_same_with_gradients(cpu_kernels.dense, theirs, x, kernel, bias, seed=seed)


@pytest.mark.parametrize(
    "layer", [cpu_kernels.conv_relu_pool, cpu_kernels.conv_relu_pool_1ch]
)
def test_the_first_of_equal_maxima_gets_the_gradient_as_in_flax(layer):
    # A flat image: all four values of each window are equal.
    images = jnp.ones((1, 6, 6, 1))
    kernel = jnp.ones((3, 3, 1, 2))
    bias = jnp.array([0.5, 1])
    weights = jnp.arange(8.0).reshape(1, 2, 2, 2)
    ours = jax.grad(lambda x: (layer(x, kernel, bias) * weights).sum())(images)
    theirs = jax.grad(
        lambda x: (flax_layer(x, kernel, bias, pool=True) * weights).sum()
    )(images)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    first = jnp.zeros((1, 6, 6, 1)).at[0, 0:3, 0:3].set(1)
    alone = jax.grad(lambda x: layer(x, kernel, bias)[0, 0, 0].sum() / 2)(images)
    np.testing.assert_array_equal(alone, first)


def test_an_output_that_relu_sets_to_0_has_no_gradient():
    for layer in LAYERS:
        gradients = jax.grad(
            lambda *a, layer=layer: layer(*a).sum(), argnums=(0, 1, 2)
        )(jnp.ones((1, 6, 6, 1)), -jnp.ones((3, 3, 1, 2)), jnp.zeros(2))
        assert not any(gradient.any() for gradient in gradients)


def test_the_network_does_not_depend_on_its_last_two_rows_and_columns():
    images = np.random.default_rng(0).random((2, 28, 28, 1)).astype(np.float32)
    changed = images.copy()
    changed[:, 26:] = 0.5
    changed[:, :, 26:] = 0.5
    params = random_params()
    np.testing.assert_array_equal(forward(params, images), forward(params, changed))

    logits = cpu_kernels.apply_im2col({"params": params}, images)
    np.testing.assert_array_equal(
        logits, cpu_kernels.apply_im2col({"params": params}, changed)
    )
    cropped = cpu_kernels.apply_im2col({"params": params}, images[:, :26, :26])
    np.testing.assert_allclose(cropped, logits, rtol=1e-6)
