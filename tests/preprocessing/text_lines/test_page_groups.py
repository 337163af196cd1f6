import numpy as np
import pytest

from cnn.preprocessing.text_lines.page_components import measure_components
from cnn.preprocessing.text_lines.page_groups import (
    chain_neighbors,
    estimate_slope,
    number_lines,
    split_at_wide_gaps,
)


def row_of_boxes(lefts, top=100, height=30, width=20):
    return np.array([[left, top, left + width, top + height] for left in lefts])


def test_near_neighbors_are_joined_and_far_ones_not():
    boxes = row_of_boxes([0, 30, 60, 140, 170])
    assert chain_neighbors(boxes, 0.0, max_gap=1.2).tolist() == [0, 0, 0, 1, 1]


def test_neighbors_of_another_height_or_level_are_not_joined():
    boxes = np.array([[0, 100, 20, 130], [30, 90, 50, 160], [60, 120, 80, 150]])
    assert chain_neighbors(boxes, 0.0, max_gap=1.2).tolist() == [0, 1, 2]


def test_a_slanted_line_is_joined_along_its_slope():
    boxes = np.array([[x, 100 + x, x + 20, 130 + x] for x in range(0, 200, 45)])
    assert set(chain_neighbors(boxes, 1.0, 1.2).tolist()) == {0}
    assert len(set(chain_neighbors(boxes, 0.0, 1.2).tolist())) == len(boxes)


def test_a_rule_between_neighbors_separates_them():
    boxes = row_of_boxes([0, 30])
    rules = np.zeros((200, 200), np.uint8)
    rules[90:140, 24:26] = 1
    assert chain_neighbors(boxes, 0.0, 1.2, rules=rules).tolist() == [0, 1]


def test_a_gap_much_wider_than_the_others_divides_a_chain():
    narrow = row_of_boxes([0, 24, 48, 90, 114])
    assert split_at_wide_gaps(narrow).tolist() == [0, 0, 0, 1, 1]
    wide = row_of_boxes([0, 40, 80, 122, 162])
    assert split_at_wide_gaps(wide).tolist() == [0] * 5


def test_lines_are_numbered_from_the_top_along_their_slope():
    boxes = np.array(
        [
            [0, 100, 50, 130],
            [0, 180, 50, 210],
            [400, 140, 450, 170],
            [800, 180, 850, 210],
        ]
    )
    assert number_lines(boxes, 0.1).tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize("slope", [-0.1, 0.0, 0.06])
def test_the_slope_of_lines_is_estimated(slope):
    page = np.zeros((1000, 1000), np.uint8)
    for row in range(150, 850, 70):
        for column in range(50, 900, 30):
            top = round(row + slope * column)
            page[top : top + 24, column : column + 12] = 1
    assert estimate_slope(measure_components(page)) == pytest.approx(slope, abs=0.006)
