import cv2
import numpy as np
import pytest

from cnn.preprocessing.text_lines.page_ink import find_page_ink, remove_rules
from tests.preprocessing.text_lines.page_drawings import INK, PAPER, blank_page


def test_a_rule_is_removed_and_the_stroke_that_crosses_it_kept():
    binary = np.zeros((100, 300), np.uint8)
    binary[50:53] = 1
    binary[30:80, 140:145] = 1
    strokes, rules = remove_rules(binary)
    assert strokes[30:80, 141:144].all()
    assert strokes.sum() <= 50 * 9
    assert rules[51, :130].all()


def test_a_vertical_rule_is_removed_like_a_horizontal_one():
    binary = np.zeros((300, 100), np.uint8)
    binary[:, 50:53] = 1
    binary[140:145, 30:80] = 1
    strokes, rules = remove_rules(binary)
    transposed, transposed_rules = remove_rules(binary.T.copy())
    np.testing.assert_array_equal(strokes, transposed.T)
    np.testing.assert_array_equal(rules, transposed_rules.T)


def test_short_strokes_are_no_rules():
    binary = np.zeros((100, 300), np.uint8)
    binary[50:54, 100:140] = 1
    binary[20:60, 200:204] = 1
    strokes, rules = remove_rules(binary)
    np.testing.assert_array_equal(strokes, binary)
    assert not rules.any()


def test_a_rule_askew_by_two_degrees_is_removed():
    binary = np.zeros((200, 600), np.uint8)
    cv2.line(binary, (20, 80), (580, 100), 1, 3)
    strokes, _ = remove_rules(binary)
    assert strokes.sum() < 0.1 * binary.sum()


@pytest.mark.parametrize("is_light_ink", [False, True])
def test_ink_is_found_under_a_shadow(is_light_ink):
    page = blank_page(600, 600)
    page[100:140, 100:106] = INK
    page[100:140, 400:406] = INK
    shade = np.linspace(1, 0.5, 600)
    gray = np.clip(page * shade, 0, 255).astype(np.uint8)
    found = find_page_ink(255 - gray if is_light_ink else gray)
    assert found.strokes[100:140, 101:105].all()
    assert found.strokes[100:140, 401:405].all()
    assert found.strokes.sum() < 2 * 44 * 10


def test_pencil_beside_black_print_is_ink():
    page = blank_page(600, 600)
    page[100:140, 100:106] = 0
    page[100:140, 300:304] = PAPER - 60
    found = find_page_ink(page)
    assert found.strokes[102:138, 301:303].all()


def test_a_large_page_is_reduced():
    page = blank_page(3508, 2480)
    page[1000:1100, 1000:1020] = INK
    found = find_page_ink(page)
    assert found.scale == pytest.approx(0.5, abs=0.01)
    assert found.strokes[505:545, 502:508].all()


def test_faint_pencil_beside_a_black_rule_is_ink():
    page = blank_page(600, 600)
    page[150:154, 50:550] = 0
    page[100:140, 300:304] = PAPER - 40
    found = find_page_ink(page)
    assert found.strokes[102:138, 301:303].all()
    assert not found.strokes[150:154].any()
