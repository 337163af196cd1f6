import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cnn.augmentation import affine, corruptions
from cnn.training import microbatch

AFFINE = affine.AffineRanges(rotation=10, scale=0.1, shear=0.1, shift=2)

# What runs once is compiled in a third of the time like this.
SOON = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def maps(*rows):
    return jnp.asarray([rows], jnp.float32)


def random_images(count=4, seed=0):
    return np.random.default_rng(seed).random((count, 28, 28)).astype(np.float32)


def test_the_identity_changes_nothing():
    images = random_images(1)
    np.testing.assert_allclose(
        affine.warp(images, maps((1, 0, 0), (0, 1, 0))), images, atol=1e-6
    )


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, -2), (-5, 4)])
def test_whole_shifts_move_pixels_and_bring_in_background(right, down):
    image = random_images(1)
    moved = affine.warp(image, maps((1, 0, right), (0, 1, down)))[0]
    expected = ndimage.shift(image[0], (-down, -right), order=0)
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
    map_ = affine.sample_affine(jax.random.key(seed), 1, AFFINE)
    ours = affine.warp(image[None], map_)[0]
    (a, b, c), (d, e, f) = np.asarray(map_[0], np.float64)
    matrix = np.array([[e, d], [b, a]])  # SciPy counts (row, column), from the corner.
    offset = np.array([f, c]) + 13.5 - matrix @ [13.5, 13.5]
    expected = ndimage.affine_transform(image, matrix, offset, order=1)
    assert np.abs(np.asarray(ours) - expected).max() < 0.03


def test_bends_that_are_all_alike_are_a_shift():
    image = random_images(1)
    bends = jnp.broadcast_to(jnp.array([2.0, -3.0])[None, :, None, None], (1, 2, 6, 6))
    moved = affine.warp(image, maps((1, 0, 0), (0, 1, 0)), bends)[0]
    np.testing.assert_allclose(
        moved, ndimage.shift(image[0], (3, -2), order=0), atol=1e-5
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_bends_move_pixels_as_scipys_map_coordinates(seed):
    image, bends = smooth(seed), affine.sample_elastic(jax.random.key(seed), 1, 0.6)
    ours = affine.warp(image[None], maps((1, 0, 0), (0, 1, 0)), bends)[0]
    right, down = (
        ndimage.zoom(np.asarray(field), 28 / 6, order=1) for field in bends[0]
    )
    y, x = np.mgrid[:28, :28]
    expected = ndimage.map_coordinates(image, [y + down, x + right], order=1)
    # Ours moves along rows first, and so takes the bend of a pixel that is a little off.
    assert np.abs(np.asarray(ours) - expected).mean() < 0.01


def test_bends_are_as_large_as_asked_for():
    bends = np.asarray(affine.sample_elastic(jax.random.key(1), 2000, 0.6))
    assert bends.shape == (2000, 2, 6, 6)
    assert abs(bends.std() - 0.6) < 0.01
    assert abs(bends.mean()) < 0.01


def test_maps_keep_within_their_ranges_and_reach_them():
    drawn = np.asarray(affine.sample_affine(jax.random.key(0), 20_000, AFFINE))
    for shift in (drawn[:, 0, 2], drawn[:, 1, 2]):
        assert -2 <= shift.min() < -1.95
        assert 1.95 < shift.max() <= 2
    angle = np.degrees(np.arctan2(drawn[:, 1, 0], drawn[:, 0, 0]))
    assert 9.9 < np.abs(angle).max() <= 10.001
    widening = 1 / np.hypot(drawn[:, 0, 0], drawn[:, 1, 0])
    assert 0.9 - 1e-3 <= widening.min() < 0.905
    assert 1.095 < widening.max() <= 1.1 + 1e-3


def test_no_reach_is_no_distortion():
    drawn = affine.sample_affine(jax.random.key(3), 5, affine.AffineRanges(0, 0, 0, 0))
    np.testing.assert_array_equal(
        drawn, np.tile(np.eye(2, 3, dtype=np.float32), (5, 1, 1))
    )


def test_a_key_draws_the_same_and_another_key_others():
    one, again, other = (
        affine.sample_affine(jax.random.key(k), 3, AFFINE) for k in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def digits(count=64):
    """Thick strokes with soft edges: rings and bars."""
    draw = np.random.default_rng(0)
    pictures = np.zeros((count, 28, 28), np.float32)
    for picture in pictures:
        row, column = draw.integers(6, 12, 2)
        picture[row : row + 12, column : column + 3] = 1
        picture[row + 5 : row + 8, column : column + 9] = 1
    return ndimage.gaussian_filter(pictures, (0, 0.5, 0.5))


@functools.cache
def jitted(name):
    return jax.jit(corruptions.CORRUPTIONS[name], compiler_options=SOON)


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_a_distortion_is_a_function_of_key_and_pictures_into_the_same_range(name):
    distort, images = jitted(name), digits()
    one, again, other = (
        np.asarray(distort(jax.random.key(k), images)) for k in (1, 1, 2)
    )
    assert (one.shape, one.dtype) == (images.shape, np.float32)
    assert np.isfinite(one).all()
    assert -1e-5 <= one.min() <= one.max() <= 1 + 1e-5
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    changed = (np.abs(one - images) > 1e-3).any((1, 2)).mean()
    assert changed > (0.6 if name in ("blot", "cover") else 0.9)


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_ink_stays_brighter_than_paper(name):
    """On average: where there was ink, it is brighter than where there was none."""
    images = digits()
    result = np.asarray(jitted(name)(jax.random.key(0), images))
    near = ndimage.grey_dilation(
        images, size=(1, 5, 5)
    )  # An outline lies beside the ink.
    ink, paper = result[near > 0.5].mean(), result[near < 0.05].mean()
    assert ink > paper + 0.05


@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_blur_is_scipys_gaussian(sigma):
    images = digits(3)
    ours = corruptions._blur(images, np.full((3, 1, 1), sigma))
    expected = ndimage.gaussian_filter(images, (0, sigma, sigma), truncate=8)
    np.testing.assert_allclose(ours[:, 4:-4, 4:-4], expected[:, 4:-4, 4:-4], atol=1e-3)


def test_thick_and_thin_strokes_are_scipys_dilation_and_erosion():
    images = digits(3)
    cross = ndimage.generate_binary_structure(2, 1)[None]
    for ours, theirs in (
        (corruptions._dilate, ndimage.grey_dilation),
        (corruptions._erode, ndimage.grey_erosion),
    ):
        expected = theirs(images, footprint=cross, mode="nearest")
        np.testing.assert_allclose(ours(images), expected, atol=1e-6)


@functools.cache
def corrupt(piece):
    return jax.jit(
        functools.partial(
            corruptions.random_corruptions,
            each=microbatch.sequential_map if piece else jax.vmap,
        ),
        compiler_options=SOON,
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_each_of_two_distortions_befalls_its_share_of_the_pictures(share):
    images = digits(400)
    keys = jax.random.split(jax.random.key(7), 400)
    result = np.asarray(corrupt(8)(keys, images, jnp.full(400, share)))
    clean = (result == images).all((1, 2)).mean()
    assert abs(clean - (1 - share) ** 2) < 0.06


def test_one_by_one_is_as_all_at_once():
    images, keys = digits(400), jax.random.split(jax.random.key(1), 400)
    shares = jnp.linspace(0, 1, 400)
    np.testing.assert_allclose(
        corrupt(0)(keys, images, shares), corrupt(8)(keys, images, shares), atol=1e-4
    )
