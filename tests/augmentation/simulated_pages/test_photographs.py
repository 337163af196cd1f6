import numpy as np
import pytest

from cnn.augmentation.simulated_pages import photographs


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


def test_a_photograph_has_the_given_side(digit):
    rng = np.random.default_rng(0)
    image = photographs.photograph(rng, digit, "pen", "plain", 0.5, 120)
    assert image.dtype == np.uint8
    assert max(image.shape[:2]) == 120
    assert image.shape[2] == 3


def test_a_digit_fills_the_given_fraction_of_the_height(digit):
    heights = []
    for fill in (0.3, 0.6):
        rng = np.random.default_rng(1)
        image = photographs.photograph(
            rng, digit, "marker", "plain", fill, 300, 0.0, sensor_noise=0.0
        )
        gray = image.mean(axis=-1)
        rows = np.flatnonzero((gray < 0.6 * np.median(gray)).any(axis=1))
        heights.append(np.ptp(rows) / len(gray))
    assert heights == pytest.approx([0.3, 0.6], abs=0.1)
