import numpy as np
import pytest

from cnn.augmentation.simulated_pages import historic_scans


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


def test_historic_script_is_square(digit):
    image = historic_scans.scan_historic_script(np.random.default_rng(0), digit)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)


def test_a_register_cell_is_taller_than_wide(digit):
    height, width = historic_scans.scan_register_cell(
        np.random.default_rng(0), digit
    ).shape
    assert 90 <= height < 170
    assert 40 <= width < 70
