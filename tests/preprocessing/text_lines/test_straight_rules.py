import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.text_lines.straight_rules import (
    estimate_skew,
    find_horizontal_rules,
    find_vertical_rules,
    remove_horizontal_rules,
    remove_vertical_rules,
)


def draw(size, *lines):
    image = Image.new("L", size, 0)
    pen = ImageDraw.Draw(image)
    for points, width in lines:
        pen.line(points, 1, width)
    return np.array(image)


def test_finds_a_long_rule_and_no_short_stroke():
    image = draw((200, 60), ([(0, 50), (199, 50)], 2), ([(40, 20), (80, 20)], 4))

    rules = find_horizontal_rules(image, 80)

    assert rules[48:53].any(0).all()
    assert not rules[:40].any()


def test_finds_a_rule_that_is_worn_in_places():
    image = draw((200, 60), ([(0, 30), (199, 30)], 2))
    image[:, [50, 51, 120, 121]] = 0

    rules = find_horizontal_rules(image, 80)

    assert rules.any(0).sum() >= 190


def test_finds_no_rule_in_a_row_of_specks():
    image = np.zeros((40, 200), np.uint8)
    image[20, ::4] = 1

    assert not find_horizontal_rules(image, 80).any()


def test_keeps_the_stroke_that_crosses_a_rule():
    image = draw((200, 80), ([(0, 40), (199, 40)], 3), ([(100, 10), (100, 70)], 6))

    clean = remove_horizontal_rules(image, find_horizontal_rules(image, 80))

    assert clean[10:70, 100].all()
    assert not clean[:, :90].any()
    assert not clean[:, 110:].any()


def test_removes_a_vertical_rule_beside_a_digit():
    image = draw((120, 100), ([(20, 0), (20, 99)], 3), ([(60, 40), (90, 40)], 5))

    clean = remove_vertical_rules(image, find_vertical_rules(image, 70))

    assert not clean[:, :40].any()
    assert (clean[:, 55:] == image[:, 55:]).all()


@pytest.mark.parametrize("degrees", [-8, -3, 0, 5])
def test_measures_the_skew_of_a_rule(degrees):
    fall = round(150 * np.tan(np.deg2rad(degrees)))
    image = draw((300, 120), ([(0, 60 - fall), (299, 60 + fall)], 3))

    assert estimate_skew(image) == pytest.approx(degrees, abs=1)


def test_measures_no_skew_without_a_rule():
    image = draw((300, 120), ([(20, 40), (60, 60)], 5), ([(100, 40), (90, 90)], 5))

    assert estimate_skew(image) is None


def test_keeps_a_row_of_bulging_strokes_that_nearly_touch():
    image = Image.new("L", (260, 160))
    pen = ImageDraw.Draw(image)
    for x in range(30, 230, 24):
        pen.polygon([(x - 10, 80), (x, 5), (x + 10, 80), (x, 155)], 1)

    assert not find_horizontal_rules(np.array(image), 80).any()
