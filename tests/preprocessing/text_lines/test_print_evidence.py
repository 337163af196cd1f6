import cv2
import numpy as np

from cnn.preprocessing.text_lines.page_components import measure_components
from cnn.preprocessing.text_lines.print_evidence import (
    spread_majority,
    weigh_alignment,
    weigh_line_style,
    weigh_page_style,
    weigh_print,
)
from tests.preprocessing.text_lines.page_drawings import (
    PAPER,
    blank_page,
    draw_digits,
    draw_text,
)


def weigh(page):
    levels = (PAPER - page).astype(np.float32)
    characters = measure_components((levels > 80).astype(np.uint8))
    characters = characters.take(characters.height > 8)
    return characters, weigh_print(characters, levels)


def test_glyphs_that_repeat_are_print():
    page = blank_page()
    for row in range(12):
        draw_text(page, "number 2048 of 6395", 40, 40 + 45 * row)
    _, odds = weigh(page)
    assert (odds > 1).mean() > 0.85


def test_handwriting_has_no_twins(mnist_test):
    page = blank_page()
    for row in range(12):
        digits = mnist_test.images[20 * row : 20 * row + 8, ..., 0]
        draw_digits(page, digits, 40, 40 + 60 * row)
    _, odds = weigh(page)
    assert (odds < 0).mean() > 0.95


def test_handwriting_beside_print_is_told_from_it(mnist_test):
    page = blank_page()
    for row in range(12):
        draw_text(page, "number 2048", 40, 40 + 60 * row)
        draw_digits(
            page, mnist_test.images[20 * row : 20 * row + 4, ..., 0], 350, 40 + 60 * row
        )
    characters, odds = weigh(page)
    is_written = characters.box[:, 0] > 340
    assert (odds[is_written] < 0).mean() > 0.95
    assert (odds[~is_written] > 0).mean() > 0.85


def test_equal_tops_bottoms_and_strokes_speak_for_print():
    page = np.zeros((100, 300), np.uint8)
    for i in range(4):
        page[20:60, 20 + 30 * i : 40 + 30 * i] = 1
        page[20 + 5 * i : 60 + 3 * i, 160 + 30 * i : 180 + 30 * i] = 1
    odds = weigh_alignment(measure_components(page), np.repeat([0, 1], 4))
    assert (odds[:4] > 0).all()
    assert (odds[4:] < 0).all()


def test_the_majority_of_a_word_counts():
    page = np.zeros((60, 200), np.uint8)
    for i in range(5):
        page[20:40, 10 + 30 * i : 25 + 30 * i] = 1
    odds = np.array([4.0, 4.0, -1.0, -1.0, -1.0])
    word = np.array([0, 0, 0, 1, 1])
    spread = spread_majority(odds, measure_components(page), word)
    assert spread[2] > odds[2]
    assert (spread[3:] < odds[3:]).all()


def test_what_fits_a_line_of_print_is_print_and_larger_writing_is_not():
    page = np.zeros((80, 500), np.uint8)
    for i in range(9):
        page[30:50, 10 + 40 * i : 25 + 40 * i] = 1
    page[10:60, 380:395] = 1
    odds = np.array([4.0] * 8 + [-2.0, -2.0])
    weighed = weigh_line_style(odds, measure_components(page), np.zeros(10, int))
    assert weighed[8] > 0
    assert weighed[9] == -2.0


def test_a_page_of_print_makes_alike_groups_print_and_larger_ones_not():
    page = np.zeros((400, 700), np.uint8)
    for i in range(40):
        left, top = 10 + 30 * (i % 20), 20 + 60 * (i // 20)
        cv2.rectangle(page, (left, top), (left + 12, top + 19), 1, 3)
    cv2.rectangle(page, (30, 200), (42, 219), 1, 3)
    cv2.rectangle(page, (230, 200), (260, 250), 1, 3)
    components = measure_components(page)
    is_printed = components.box[:, 1] < 150
    groups = [
        components.take(~is_printed & (components.box[:, 0] < 100)),
        components.take(~is_printed & (components.box[:, 0] > 100)),
    ]
    odds = weigh_page_style(groups, components.take(is_printed))
    assert odds[0] > 5
    assert odds[1] == 0
    few = np.flatnonzero(is_printed)[:10]
    assert (weigh_page_style(groups, components.take(few)) == 0).all()
