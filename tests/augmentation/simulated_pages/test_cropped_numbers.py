import numpy as np
import pytest

from cnn.augmentation.simulated_pages import cropped_numbers


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


def test_a_crop_has_20_to_60_pixels_in_color(digit):
    for seed in range(20):
        crop = cropped_numbers.scan_cropped_number(np.random.default_rng(seed), digit)
        assert crop.dtype == np.uint8
        assert crop.ndim == 3
        assert 20 <= max(crop.shape) <= 60


def test_strokes_of_neighbors_enter_most_crops(digit):
    """Some crops have dark pixels in the outer columns of their middle rows."""
    num_with_neighbors = 0
    for seed in range(40):
        crop = cropped_numbers.scan_cropped_number(np.random.default_rng(seed), digit)
        gray = crop.mean(axis=2)
        paper = np.quantile(gray, 0.8)
        sides = np.concatenate([gray[:, 0], gray[:, -1]])
        num_with_neighbors += bool((sides < 0.7 * paper).mean() > 0.1)
    assert 10 <= num_with_neighbors < 40


def test_a_binary_digit_touches_all_edges_with_two_levels(digit):
    for seed in range(20):
        scan = cropped_numbers.scan_binary_edges(np.random.default_rng(seed), digit)
        assert set(np.unique(scan)) <= {0, 255}
        assert scan.shape[0] == scan.shape[1]
        for edge in (scan[0], scan[-1], scan[:, 0], scan[:, -1]):
            assert len(np.unique(edge)) == 2


def test_both_polarities_occur(digit):
    means = {
        bool(cropped_numbers.scan_binary_edges(np.random.default_rng(i), digit)[0, 0])
        for i in range(20)
    }
    assert means == {False, True}
