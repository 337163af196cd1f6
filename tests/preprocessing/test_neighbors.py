"""Pieces of neighbors that enter a crop from its sides."""

import numpy as np

from cnn.preprocessing.component_labels import label_components
from cnn.preprocessing.components import select_character
from cnn.preprocessing.neighbors import middle_factor


def draw(*boxes, shape=(40, 40)):
    levels = np.zeros(shape, np.float32)
    for top, left, bottom, right in boxes:
        levels[top:bottom, left:right] = 100
    return levels


def select(levels, may_have_neighbors=True):
    selection = select_character(levels, 50, True, may_have_neighbors)
    return selection.mask


def test_pieces_at_both_sides_are_left_out():
    digit = draw((5, 18, 35, 22))
    crop = digit + draw((5, 0, 35, 6), (5, 36, 35, 40))
    np.testing.assert_array_equal(select(crop), digit > 0)


def test_the_character_in_the_middle_wins_against_a_heavier_neighbor():
    digit = draw((5, 18, 35, 22))
    crop = digit + draw((0, 28, 40, 40))
    np.testing.assert_array_equal(select(crop), digit > 0)


def test_a_slanted_neighbor_above_the_foot_is_left_out():
    """It shares columns with the digit's foot, and no row shows it inside."""
    digit = draw((5, 18, 30, 22)) + draw((30, 8, 34, 22))
    neighbor = np.zeros_like(digit)
    for row in range(4, 28):
        left = (28 - row) // 2
        neighbor[row, max(0, left - 4) : left] = 100
    np.testing.assert_array_equal(select(digit + neighbor), digit > 0)


def test_a_detached_stroke_over_the_character_is_kept():
    digit = draw((10, 12, 35, 28), (4, 16, 7, 40))
    assert select(digit)[5, 20]


def test_an_image_without_neighbors_keeps_what_touches_its_side():
    levels = draw((5, 14, 35, 30), (5, 34, 35, 40))
    assert select(levels, may_have_neighbors=False).sum() == (levels > 0).sum()


def test_the_factor_falls_from_the_middle_to_the_sides():
    """Centers at 20, 30 and 38 of 40 columns; the last two end beyond the middle."""
    components = label_components(
        draw((0, 15, 9, 25), (10, 28, 19, 32), (20, 36, 29, 40)), 50, 0
    )
    expected = [1, 1 - 2 * 8 / 20, 0.1]  # The last is the smallest factor.
    np.testing.assert_allclose(middle_factor(components)[1:], expected)
