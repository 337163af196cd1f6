import numpy as np
import pytest

from cnn.preprocessing.text_lines.page_combs import find_combs

LEFT, BOTTOM, PITCH, CELLS = 50, 100, 36, 5
SIDES = LEFT + PITCH * np.arange(CELLS + 1)


def comb(height, has_top=False):
    """Sides of cells as strokes, and the rules that they touch, three pixels thick."""
    strokes = np.zeros((200, 300), np.uint8)
    rules = np.zeros_like(strokes)
    rules[BOTTOM : BOTTOM + 3, LEFT : SIDES[-1] + 1] = 1
    if has_top:
        rules[BOTTOM - height - 3 : BOTTOM - height, LEFT : SIDES[-1] + 1] = 1
    for side in SIDES:
        strokes[BOTTOM - height : BOTTOM, side - 1 : side + 2] = 1
    return strokes, rules


@pytest.mark.parametrize(("height", "has_top"), [(14, False), (50, True)])
def test_the_sides_of_cells_are_found_and_removed(height, has_top):
    strokes, rules = comb(height, has_top)
    combs, rest = find_combs(strokes, rules)
    assert len(combs) == 1
    np.testing.assert_allclose(combs[0].sides, SIDES + 0.5, atol=1)
    assert not rest.any()


def test_a_digit_in_a_cell_is_kept():
    strokes, rules = comb(50, has_top=True)
    strokes[70:90, 60:64] = 1
    _, rest = find_combs(strokes, rules)
    assert rest.sum() == 20 * 4


def test_a_hidden_side_is_completed():
    strokes, rules = comb(50, has_top=True)
    strokes[:, SIDES[2] - 5 : SIDES[2] + 6] = 0
    (found,), _ = find_combs(strokes, rules)
    np.testing.assert_allclose(found.sides, SIDES + 0.5, atol=1)


def test_a_hidden_last_side_is_completed():
    strokes, rules = comb(50, has_top=True)
    strokes[:, SIDES[-1] - 5 : SIDES[-1] + 6] = 0
    (found,), _ = find_combs(strokes, rules)
    np.testing.assert_allclose(found.sides, SIDES + 0.5, atol=1)


def test_strokes_at_unequal_distances_are_no_comb():
    strokes = np.zeros((200, 300), np.uint8)
    rules = np.zeros_like(strokes)
    rules[100:103, 20:280] = 1
    for side in (40, 63, 120, 150, 240):
        strokes[70:100, side : side + 3] = 1
    combs, rest = find_combs(strokes, rules)
    assert not combs
    np.testing.assert_array_equal(rest, strokes)


def test_the_columns_of_a_table_are_no_comb():
    rules = np.zeros((320, 400), np.uint8)
    for row in range(20, 300, 60):
        rules[row : row + 3, 50:353] = 1
    for column in (50, 150, 250, 350):
        rules[20:263, column : column + 3] = 1
    combs, _ = find_combs(np.zeros_like(rules), rules)
    assert not combs


def test_two_low_teeth_and_the_ends_of_their_rule_are_three_cells():
    strokes, rules = np.zeros((2, 200, 300), np.uint8)
    rules[100:103, 50 : 50 + 3 * 36] = 1
    for side in (86, 122):
        strokes[86:100, side - 1 : side + 2] = 1
    (found,), rest = find_combs(strokes, rules)
    np.testing.assert_allclose(found.sides, [50, 86, 122, 158], atol=2)
    assert not rest.any()


def test_a_long_stroke_across_a_cell_leaves_a_comb():
    strokes, rules = comb(50, has_top=True)
    rules[75:79, SIDES[2] : SIDES[3]] = 1
    combs, _ = find_combs(strokes, rules)
    assert len(combs) == 1
