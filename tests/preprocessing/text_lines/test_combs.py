import numpy as np
from PIL import Image, ImageDraw

from cnn.preprocessing.text_lines.combs import find_ticks


def draw(ticks, height=20, strokes=()):
    """Draws ticks that stand on a rule in row 90."""
    image = Image.new("L", (400, 100), 0)
    pen = ImageDraw.Draw(image)
    for x in ticks:
        pen.line([(x, 90 - height), (x, 89)], 1, 2)
    for points in strokes:
        pen.line(points, 1, 5)
    rule = np.zeros((100, 400), np.uint8)
    rule[90:92] = 1
    return np.array(image), rule


def test_finds_the_ticks_between_digits():
    binary, rule = draw([20, 80, 140, 200, 260])

    ticks = find_ticks(binary, rule, digit_height=48)

    columns = np.flatnonzero(ticks.any(0))
    assert (np.abs(columns[:, None] - [20, 80, 140, 200, 260]).min(1) <= 2).all()
    assert ticks.sum() >= 0.9 * binary.sum()


def test_finds_dividers_as_high_as_digits():
    binary, rule = draw([20, 80, 140, 200, 260], height=60)

    assert find_ticks(binary, rule, digit_height=48)[35:85, 138:142].any(1).all()


def test_keeps_ones_that_stand_on_a_rule():
    ones = [[(50, 40), (50, 89)], [(90, 46), (92, 89)], [(230, 42), (232, 89)]]
    binary, rule = draw([], strokes=ones)

    assert not find_ticks(binary, rule, digit_height=48).any()


def test_finds_no_tick_without_a_rule():
    binary, rule = draw([20, 80, 140, 200])

    assert not find_ticks(binary, np.zeros_like(rule), digit_height=48).any()
