import numpy as np
import pytest

from cnn.augmentation.simulated_pages import cells


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


@pytest.mark.parametrize("seed", range(8))
def test_a_table_cell_is_large_beside_its_digit(digit, seed):
    image = cells.scan_table_cell(np.random.default_rng(seed), digit)
    height, width = image.shape
    assert image.dtype == np.uint8
    assert height >= 80
    assert width >= 40
    assert np.ptp(image) > 30


@pytest.mark.parametrize("seed", range(4))
def test_a_margin_line_is_photographed_in_color(digit, seed):
    image = cells.photograph_margin_line(np.random.default_rng(seed), digit)
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert 109 <= max(image.shape) <= 500


def test_the_same_seed_gives_the_same_cell(digit):
    first, second = (
        cells.scan_table_cell(np.random.default_rng(3), digit) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
