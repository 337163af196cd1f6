"""Neighbors that touch the character of a crop."""

import numpy as np

from cnn.preprocessing.components import select_character
from cnn.preprocessing.thresholds import THRESHOLDS
from cnn.preprocessing.touching_neighbors import cut_neighbors


def draw(*boxes, shape=(40, 40)):
    levels = np.zeros(shape, np.float32)
    for top, left, bottom, right in boxes:
        levels[top:bottom, left:right] = 100
    return levels


def cut(levels):
    selection = select_character(levels, 50, may_touch_border=True)
    return cut_neighbors(levels, selection, contrast=100)


ONE = (5, 18, 35, 28)


def test_a_neighbor_on_a_bridge_is_cut_off():
    neighbor, bridge = (5, 0, 35, 4), (20, 4, 24, 18)
    rest = cut(draw(ONE, neighbor, bridge))
    assert rest.mask[5:35, 18:28].all()
    assert not rest.mask[:, :4].any()
    assert rest.weight == THRESHOLDS.neighbors.cut_weight


def test_neighbors_at_both_sides_are_cut_off():
    bridge = (20, 4, 24, 36)
    rest = cut(draw(ONE, (5, 0, 35, 4), (5, 36, 35, 40), bridge))
    assert rest.mask[5:35, 18:28].all()
    assert not rest.mask[:, :4].any()
    assert not rest.mask[:, 36:].any()


def test_the_box_is_that_of_the_rest():
    rest = cut(draw(ONE, (5, 0, 35, 4), (20, 4, 24, 18)))
    rows, columns = np.nonzero(rest.mask)
    expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert rest.box.tolist() == expected


def test_the_end_of_a_stroke_is_no_neighbor():
    assert cut(draw(ONE, (20, 0, 24, 18))) is None


def test_a_loop_is_not_cut():
    sides = [(5, 0, 35, 5), (5, 28, 35, 33)]
    assert cut(draw(*sides, (5, 0, 10, 33), (30, 0, 35, 33))) is None


def test_a_character_inside_the_crop_is_not_cut():
    assert cut(draw(ONE)) is None
