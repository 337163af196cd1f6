import numpy as np

from cnn.augmentation.simulated_pages.slanted_hands import (
    photograph_slanted_hand,
    shear_digit,
)


def test_a_shear_moves_the_top_to_the_right_and_keeps_the_ink():
    digit = np.zeros((28, 28), np.float32)
    digit[4:25, 14] = 1
    sheared = shear_digit(digit, 0.5)
    assert sheared.shape == (56, 56)
    rows, columns = np.nonzero(sheared > 0.4)
    # 20 rows further up, 10 pixels further to the right.
    assert columns[rows == 18].mean() - columns[rows == 38].mean() == 10
    assert abs(sheared.sum() - digit.sum()) < 1e-3


def test_a_page_is_a_color_photograph():
    digit = np.zeros((28, 28), np.float32)
    digit[4:25, 12:16] = 1
    page = photograph_slanted_hand(np.random.default_rng(3), digit)
    assert page.dtype == np.uint8
    assert page.shape[2] == 3
    assert np.ptp(page) > 50
