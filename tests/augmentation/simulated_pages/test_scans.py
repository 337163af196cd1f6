import numpy as np
import pytest

from cnn.augmentation.simulated_pages import scans


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


@pytest.mark.parametrize(
    ("scan", "side"),
    [
        (scans.scan_stretched, 28),
        (scans.scan_postal_digit, 16),
        (scans.scan_form_field, 32),
        (scans.scan_binary_16, 16),
    ],
)
def test_a_scan_is_square(digit, scan, side):
    image = scan(np.random.default_rng(0), digit)
    assert (image.shape, image.dtype) == ((side, side), np.uint8)


@pytest.mark.parametrize("scan", [scans.scan_form_field, scans.scan_binary_16])
def test_a_binary_scan_has_two_levels(digit, scan):
    image = scan(np.random.default_rng(0), digit)
    assert np.unique(image).tolist() == [0, 255]


def test_a_crop_fills_the_frame_up_to_its_margin():
    alpha = np.zeros((40, 50), np.float32)
    alpha[10:30, 20:25] = 1
    expected = np.zeros((16, 12), np.float32)
    expected[2:-2, 2:-2] = 1
    np.testing.assert_allclose(scans.crop_and_resize(alpha, 16, 12, 2), expected)
