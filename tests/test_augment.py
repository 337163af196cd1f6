import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cnn import augment

AFFINE = augment.Affine(rotation=10, scale=0.1, shear=0.1, shift=2)


def maps(*rows):
    return jnp.asarray([rows], jnp.float32)


def random_images(count=4, seed=0):
    return np.random.default_rng(seed).random((count, 28, 28, 1)).astype(np.float32)


def test_the_identity_changes_nothing():
    images = random_images(1)
    np.testing.assert_allclose(augment.warp(images, maps((1, 0, 0), (0, 1, 0))), images, atol=1e-6)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, -2), (-5, 4)])
def test_whole_shifts_move_pixels_and_bring_in_background(right, down):
    image = random_images(1)
    moved = augment.warp(image, maps((1, 0, right), (0, 1, down)))[0, ..., 0]
    expected = ndimage.shift(image[0, ..., 0], (-down, -right), order=0)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def smooth(seed):
    """A picture without fine detail, which two ways to interpolate show alike."""
    blob = ndimage.gaussian_filter(np.random.default_rng(seed).random((28, 28)), 2.5)
    window = np.outer(np.hanning(28), np.hanning(28))
    return ((blob - blob.min()) / np.ptp(blob) * window).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_random_maps_distort_as_scipys_affine_transform(seed):
    image = smooth(seed)
    map_ = augment.draw(jax.random.key(seed), 1, AFFINE)
    ours = augment.warp(image[None, ..., None], map_)[0, ..., 0]
    (a, b, c), (d, e, f) = np.asarray(map_[0], np.float64)
    matrix = np.array([[e, d], [b, a]])  # SciPy counts (row, column), from the corner.
    offset = np.array([f, c]) + 13.5 - matrix @ [13.5, 13.5]
    expected = ndimage.affine_transform(image, matrix, offset, order=1)
    assert np.abs(np.asarray(ours) - expected).max() < 0.03


def test_maps_keep_within_their_ranges_and_reach_them():
    drawn = np.asarray(augment.draw(jax.random.key(0), 20_000, AFFINE))
    for shift in (drawn[:, 0, 2], drawn[:, 1, 2]):
        assert -2 <= shift.min() < -1.95
        assert 1.95 < shift.max() <= 2
    angle = np.degrees(np.arctan2(drawn[:, 1, 0], drawn[:, 0, 0]))
    assert 9.9 < np.abs(angle).max() <= 10.001
    widening = 1 / np.hypot(drawn[:, 0, 0], drawn[:, 1, 0])
    assert 0.9 - 1e-3 <= widening.min() < 0.905
    assert 1.095 < widening.max() <= 1.1 + 1e-3


def test_no_reach_is_no_distortion():
    drawn = augment.draw(jax.random.key(3), 5, augment.Affine(0, 0, 0, 0))
    np.testing.assert_array_equal(drawn, np.tile(np.eye(2, 3, dtype=np.float32), (5, 1, 1)))


def test_a_key_draws_the_same_and_another_key_others():
    one, again, other = (augment.draw(jax.random.key(k), 3, AFFINE) for k in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
