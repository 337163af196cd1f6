import numpy as np
import pytest

from cnn.augmentation.simulated_pages import enclosures

SCENES = [
    enclosures.draw_in_ring,
    enclosures.draw_in_ellipse,
    enclosures.draw_in_rounded_box,
    enclosures.draw_on_disc,
    enclosures.draw_on_rounded_card,
    enclosures.draw_on_small_card,
]


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_is_decided_by_its_generator_and_leaves_the_digit_as_it_is(
    digit, scene
):
    before = digit.copy()
    first, again, other = (scene(np.random.default_rng(k), digit) for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    assert first.dtype == np.uint8
    assert first.shape[2] == 3
    np.testing.assert_array_equal(digit, before)


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_has_light_and_dark_pictures_of_many_sizes(digit, scene):
    pages = [scene(np.random.default_rng(seed), digit) for seed in range(20)]
    brightness = [page.mean() for page in pages]
    sides = [max(page.shape) for page in pages]
    assert min(brightness) < 80
    assert max(brightness) > 150
    assert 2.5 * min(sides) < max(sides) <= 600
