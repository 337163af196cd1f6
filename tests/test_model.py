import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn.model import CNN, summary

USERS_TABLE = [
    ("conv2d", (26, 26, 32), 320),
    ("max_pooling2d", (13, 13, 32), 0),
    ("conv2d_1", (11, 11, 64), 18_496),
    ("max_pooling2d_1", (5, 5, 64), 0),
    ("conv2d_2", (3, 3, 64), 36_928),
    ("flatten", (576,), 0),
    ("dense", (64,), 36_928),
    ("dense_1", (10,), 650),
]


def test_parameters_are_named_and_shaped_as_in_the_users_table():
    params = CNN(10).init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))["params"]
    sizes = {
        name: sum(leaf.size for leaf in jax.tree.leaves(layer))
        for name, layer in params.items()
    }
    assert sizes == {name: count for name, _, count in USERS_TABLE if count}
    assert sum(sizes.values()) == 93_322


def test_summary_is_the_users_table():
    rows = [line.split() for line in summary(10).splitlines()[2:-2]]
    expected = [
        [name, *str(shape).split(), f"{count:,}"] for name, shape, count in USERS_TABLE
    ]
    assert rows == expected
    assert summary(10).endswith("Total parameters: 93,322")


def test_summary_counts_other_numbers_of_classes():
    # 52 more outputs of 65 parameters.
    assert summary(62).endswith("Total parameters: 96,702")


@pytest.mark.parametrize("num_classes", [2, 10, 47])
def test_logits_are_one_per_class_and_no_probabilities(num_classes):
    model = CNN(num_classes)
    images = jax.random.uniform(jax.random.key(1), (3, 28, 28, 1))
    params = model.init(jax.random.key(0), images)
    logits = model.apply(params, images)
    assert logits.shape == (3, num_classes)
    assert not np.allclose(logits.sum(-1), 1)


def test_bfloat16_has_float32_parameters_and_logits():
    model = CNN(dtype="bfloat16")
    images = jnp.ones((2, 28, 28, 1))
    variables = CNN().init(jax.random.key(0), images)
    logits, captured = model.apply(variables, images, capture_intermediates=True)
    assert logits.dtype == jnp.float32
    assert captured["intermediates"]["conv2d"]["__call__"][0].dtype == jnp.bfloat16
    initialized = jax.tree.leaves(model.init(jax.random.key(0), images))
    assert all(leaf.dtype == jnp.float32 for leaf in initialized)
    float32_logits = CNN().apply(variables, images)
    difference = np.abs(logits - float32_logits).max()
    assert 0 < difference < 0.05 * np.abs(float32_logits).max()


def test_the_network_is_listed_without_assertions_too():
    """Flax ends an interception within an `assert`, which `python -O` leaves out."""
    script = "from cnn.model import summary; print(summary(10) == summary(10))"
    done = subprocess.run([sys.executable, "-O", "-c", script], capture_output=True)
    assert done.stdout == b"True\n", done.stderr
