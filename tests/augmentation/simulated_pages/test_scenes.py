import numpy as np
import pytest

from cnn.augmentation.simulated_pages import scenes


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


@pytest.mark.parametrize(
    "scene",
    [
        scenes.photograph_sheet_on_table,
        scenes.photograph_row_of_digits,
        scenes.photograph_printed_box,
    ],
)
def test_a_scene_is_decided_by_its_generator_and_leaves_the_digit_as_it_is(
    digit, scene
):
    before = digit.copy()
    first, again, other = (scene(np.random.default_rng(k), digit) for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    assert 150 <= max(first.shape[:2]) < 500
    np.testing.assert_array_equal(digit, before)
