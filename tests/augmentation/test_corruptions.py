import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import ndimage

from cnn.augmentation import corruptions

from .conftest import draw_digits

# Code that runs once is compiled in a third of the time with these options.
FAST_COMPILE = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}


@functools.cache
def compile_corruption(name):
    return jax.jit(corruptions.CORRUPTIONS[name], compiler_options=FAST_COMPILE)


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_a_corruption_is_a_function_of_key_and_images_into_the_same_range(name, digits):
    corrupt = compile_corruption(name)
    one, again, other = (
        np.asarray(corrupt(jax.random.key(k), digits)) for k in (1, 1, 2)
    )
    assert (one.shape, one.dtype) == (digits.shape, np.float32)
    assert np.isfinite(one).all()
    assert -1e-5 <= one.min() <= one.max() <= 1 + 1e-5
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    changed = (np.abs(one - digits) > 1e-3).any((1, 2)).mean()
    # A rectangle or a few blots may miss the ink.
    assert changed > (0.6 if name in ("spatter", "random_erasing") else 0.9)


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_ink_stays_brighter_than_paper_on_average(name, digits):
    result = np.asarray(compile_corruption(name)(jax.random.key(0), digits))
    # Edges lie beside the ink.
    near = ndimage.grey_dilation(digits, size=(1, 5, 5))
    ink, paper = result[near > 0.5].mean(), result[near < 0.05].mean()
    assert ink > paper + 0.05


def sequential_map(function):
    return lambda *batch: lax.map(lambda example: function(*example), batch)


@functools.cache
def compile_random_corruptions(batch_map):
    return jax.jit(
        functools.partial(corruptions.random_corruptions, batch_map=batch_map),
        compiler_options=FAST_COMPILE,
    )


@pytest.mark.parametrize("prob", [0.0, 0.3, 1.0])
def test_each_of_two_rounds_corrupts_its_share_of_the_images(prob):
    images = draw_digits(400)
    keys = jax.random.split(jax.random.key(7), 400)
    corrupt = compile_random_corruptions(sequential_map)
    result = np.asarray(corrupt(keys, images, jnp.full(400, prob)))
    clean = (result == images).all((1, 2)).mean()
    assert abs(clean - (1 - prob) ** 2) < 0.06


def test_one_by_one_gives_the_same_as_all_at_once():
    images, keys = draw_digits(400), jax.random.split(jax.random.key(1), 400)
    probs = jnp.linspace(0, 1, 400)
    np.testing.assert_allclose(
        compile_random_corruptions(jax.vmap)(keys, images, probs),
        compile_random_corruptions(sequential_map)(keys, images, probs),
        atol=1e-4,
    )
