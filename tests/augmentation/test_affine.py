import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cnn.augmentation import affine

RANGES = affine.AffineRanges(10, 0.1, 0.1, 2)


def maps(*rows):
    return jnp.asarray([rows], jnp.float32)


def random_image():
    return np.random.default_rng(0).random((1, 28, 28)).astype(np.float32)


def smooth_image(seed):
    """An image without fine detail, for which two interpolations agree."""
    blob = ndimage.gaussian_filter(np.random.default_rng(seed).random((28, 28)), 2.5)
    window = np.outer(np.hanning(28), np.hanning(28))
    return ((blob - blob.min()) / np.ptp(blob) * window).astype(np.float32)


def test_the_identity_changes_nothing():
    image = random_image()
    result = affine.warp(image, maps((1, 0, 0), (0, 1, 0)))
    np.testing.assert_allclose(result, image, atol=1e-6)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, -2), (-5, 4)])
def test_whole_shifts_move_pixels_and_bring_in_background(right, down):
    image = random_image()
    moved = affine.warp(image, maps((1, 0, right), (0, 1, down)))[0]
    expected = ndimage.shift(image[0], (-down, -right), order=0)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_random_maps_warp_as_scipys_affine_transform(seed):
    image = smooth_image(seed)
    map_ = affine.sample_affine(jax.random.key(seed), 1, RANGES)
    ours = affine.warp(image[None], map_)[0]
    (a, b, c), (d, e, f) = np.asarray(map_[0], np.float64)
    matrix = np.array([[e, d], [b, a]])  # SciPy counts (row, column), from the corner.
    offset = np.array([f, c]) + 13.5 - matrix @ [13.5, 13.5]
    expected = ndimage.affine_transform(image, matrix, offset, order=1)
    assert np.abs(np.asarray(ours) - expected).max() < 0.03


def test_a_constant_displacement_is_a_shift():
    image = random_image()
    field = jnp.array([2.0, -3.0])[None, :, None, None]
    displacements = jnp.broadcast_to(field, (1, 2, 6, 6))
    moved = affine.warp(image, maps((1, 0, 0), (0, 1, 0)), displacements)[0]
    expected = ndimage.shift(image[0], (3, -2), order=0)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_displacements_move_pixels_as_scipys_map_coordinates(seed):
    image = smooth_image(seed)
    displacements = affine.sample_elastic(jax.random.key(seed), 1, 0.6)
    ours = affine.warp(image[None], maps((1, 0, 0), (0, 1, 0)), displacements)[0]
    right, down = (
        ndimage.zoom(np.asarray(field), 28 / 6, order=1) for field in displacements[0]
    )
    y, x = np.mgrid[:28, :28]
    expected = ndimage.map_coordinates(image, [y + down, x + right], order=1)
    # Ours moves along rows first, and so uses the displacement of a pixel nearby.
    assert np.abs(np.asarray(ours) - expected).mean() < 0.01


def test_displacements_have_the_given_standard_deviation():
    displacements = np.asarray(affine.sample_elastic(jax.random.key(1), 2000, 0.6))
    assert displacements.shape == (2000, 2, 6, 6)
    assert abs(displacements.std() - 0.6) < 0.01
    assert abs(displacements.mean()) < 0.01


def test_maps_keep_within_their_ranges_and_reach_them():
    sampled = np.asarray(affine.sample_affine(jax.random.key(0), 20_000, RANGES))
    for shift in (sampled[:, 0, 2], sampled[:, 1, 2]):
        assert -2 <= shift.min() < -1.95
        assert 1.95 < shift.max() <= 2
    angle = np.degrees(np.arctan2(sampled[:, 1, 0], sampled[:, 0, 0]))
    assert 9.9 < np.abs(angle).max() <= 10.001
    widening = 1 / np.hypot(sampled[:, 0, 0], sampled[:, 1, 0])
    assert 0.9 - 1e-3 <= widening.min() < 0.905
    assert 1.095 < widening.max() <= 1.1 + 1e-3


def test_ranges_of_zero_give_the_identity():
    ranges = affine.AffineRanges(0, 0, 0, 0)
    sampled = affine.sample_affine(jax.random.key(3), 5, ranges)
    identity = np.eye(2, 3, dtype=np.float32)
    np.testing.assert_array_equal(sampled, np.tile(identity, (5, 1, 1)))


def test_a_key_samples_the_same_maps_and_another_key_others():
    one, again, other = (
        affine.sample_affine(jax.random.key(k), 3, RANGES) for k in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
