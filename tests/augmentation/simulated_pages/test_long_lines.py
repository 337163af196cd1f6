import numpy as np
import pytest

from cnn.augmentation.simulated_pages import long_lines

PAGES = [
    long_lines.photograph_large_digit,
    long_lines.photograph_underlined_digit,
    long_lines.photograph_beside_margin,
]


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_decided_by_its_generator_and_leaves_the_digit_as_it_is(digit, page):
    before = digit.copy()
    first, again, other = (page(np.random.default_rng(k), digit) for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    assert first.dtype == np.uint8
    assert 100 <= max(first.shape[:2]) < 600
    np.testing.assert_array_equal(digit, before)


@pytest.mark.parametrize("page", PAGES)
def test_a_character_of_one_row_or_column_is_drawn(page):
    for stroke in (np.s_[14, 4:24], np.s_[4:24, 14]):
        digit = np.zeros((28, 28), np.float32)
        digit[stroke] = 1
        for seed in range(3):
            image = page(np.random.default_rng(seed), digit)
            assert np.ptp(image.astype(int)) > 20


def test_many_large_digits_reach_the_edges_and_many_do_not(digit):
    margins = []
    for seed in range(24):
        image = long_lines.photograph_large_digit(np.random.default_rng(seed), digit)
        gray = image.mean(axis=-1)
        is_ink = gray < 0.5 * np.median(gray)
        columns = np.flatnonzero(is_ink.any(0))
        if len(columns):
            margins.append(columns[0] / is_ink.shape[1])
    assert np.mean(np.array(margins) < 0.05) > 0.25
    assert np.mean(np.array(margins) > 0.05) > 0.25
