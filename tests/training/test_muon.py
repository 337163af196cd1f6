from dataclasses import replace

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax.contrib import MuonDimensionNumbers

from cnn import checkpoint
from cnn.model import CNN
from cnn.training.muon import muon, orthogonalize
from cnn.training.train_step import create_state
from tests.training.steps import CONFIG

MUON = replace(CONFIG, optimizer="muon", warmup_fraction=0.0)
HIDDEN = ("conv2d_1", "conv2d_2", "dense")


@pytest.fixture(scope="module")
def state():
    return create_state(jax.random.key(0), CNN(10), MUON, 20)


def random_like(params, seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32), params
    )


@pytest.mark.parametrize("shape", [(288, 64), (576, 64), (20, 30), (5, 1)])
def test_an_orthogonal_update_keeps_singular_vectors_and_makes_their_values_equal(
    shape,
):
    """By a singular value decomposition in double precision."""
    matrix = np.random.default_rng(0).normal(size=shape)
    u, values, v = np.linalg.svd(matrix, full_matrices=False)
    values /= np.linalg.norm(values)
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    ours = orthogonalize(jnp.asarray(matrix, jnp.float32))
    np.testing.assert_allclose(ours, (u * values) @ v, atol=1e-4)
    if shape[1] == 64:
        assert values.min() > 0.6
    assert values.max() < 1.25


def test_a_gradient_of_one_direction_or_of_zeros_stays_finite():
    column = np.random.default_rng(0).normal(size=(576, 1))
    row = np.random.default_rng(1).normal(size=(1, 64))
    one_direction = orthogonalize(jnp.asarray(column @ row, jnp.float32))
    assert 0.6 < np.linalg.norm(one_direction) < 1.25
    np.testing.assert_array_equal(orthogonalize(jnp.zeros((576, 64))), 0)


def test_steps_follow_optax(state):
    """Its momentum is weighted in another way, which shows in the first steps only."""
    rows_and_columns = {
        layer: {
            name: MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), leaf.ndim - 1)
            if layer in HIDDEN and name == "kernel"
            else None
            for name, leaf in leaves.items()
        }
        for layer, leaves in state.params.items()
    }
    ours = muon(lambda _: 1e-3, weight_decay=0.0)
    theirs = optax.contrib.muon(
        1e-3,
        beta=0.9,
        muon_weight_dimension_numbers=rows_and_columns,
        consistent_rms=0.2,
    )
    our_state, their_state = ours.init(state.params), theirs.init(state.params)
    for step in range(3):
        grads = random_like(state.params, step)
        our_update, our_state = ours.update(grads, our_state, state.params)
        their_update, their_state = theirs.update(grads, their_state, state.params)
        for layer in HIDDEN:
            a, b = our_update[layer]["kernel"], their_update[layer]["kernel"]
            tolerance = 1e-6 if step == 0 else 0.1 * np.abs(b).max()
            np.testing.assert_allclose(a, b, atol=tolerance)


def test_biases_and_the_first_and_last_layer_follow_adam(state):
    adam = create_state(jax.random.key(0), CNN(10), replace(MUON, optimizer="adam"), 20)
    muon_state = state
    for seed in range(2):
        grads = random_like(state.params, seed)
        adam = adam.apply_gradients(grads=grads)
        muon_state = muon_state.apply_gradients(grads=grads)
    for layer, leaves in muon_state.params.items():
        for name, leaf in leaves.items():
            is_same = np.array_equal(leaf, adam.params[layer][name])
            assert is_same == (layer not in HIDDEN or name == "bias"), (layer, name)


def test_a_restored_state_continues_bit_for_bit(state, tmp_path):
    state = state.apply_gradients(grads=random_like(state.params, 0))
    with checkpoint.open_manager(tmp_path) as checkpoints:
        arrays = jax.tree.map(np.asarray, flax.serialization.to_state_dict(state))
        checkpoint.save(checkpoints, 1, arrays, {}, 0.5)
    restored_arrays, _ = checkpoint.restore(tmp_path, 1, arrays)
    restored = flax.serialization.from_state_dict(state, restored_arrays)
    grads = random_like(state.params, 1)
    expected = state.apply_gradients(grads=grads)
    continued = restored.apply_gradients(grads=grads)
    jax.tree.map(np.testing.assert_array_equal, continued, expected)
