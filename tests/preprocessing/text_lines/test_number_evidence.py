import numpy as np

from cnn.preprocessing.text_lines.number_evidence import measure_clutter, weigh_number
from cnn.preprocessing.text_lines.page_components import measure_components
from cnn.preprocessing.text_lines.page_ink import find_page_ink
from tests.preprocessing.text_lines.page_drawings import blank_page, draw_digits

DIGITS = slice(0, 3)


def measured(page, box):
    ink = find_page_ink(page)
    components = measure_components(ink.strokes)
    x, y = components.center.T
    left, top, right, bottom = box
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    return ink, components.take(inside & (components.height > 25))


def test_paper_around_a_number_is_no_clutter(mnist_test):
    page = blank_page(300, 400)
    box = draw_digits(page, mnist_test.images[DIGITS, ..., 0], 100, 100)
    assert measure_clutter(*measured(page, box)) < 0.02


def test_ink_around_a_number_is_clutter(mnist_test):
    page = blank_page(300, 400)
    box = draw_digits(page, mnist_test.images[DIGITS, ..., 0], 100, 100)
    clean = weigh_number(*measured(page, box))
    left, top, right, bottom = box
    for row in range(top - 14, bottom + 14, 6):
        page[row : row + 3, left - 30 : left - 4] = 30
        page[row : row + 3, right + 4 : right + 30] = 30
    for column in range(left, right, 6):
        page[top - 14 : top - 4, column : column + 3] = 30
        page[bottom + 4 : bottom + 14, column : column + 3] = 30
    ink, group = measured(page, box)
    assert measure_clutter(ink, group) > 0.2
    assert weigh_number(ink, group) < clean - 2


def test_heights_that_differ_speak_against_a_number():
    page = blank_page(300, 400)
    for i, height in enumerate((40, 40, 40)):
        page[100 : 100 + height, 100 + 30 * i : 105 + 30 * i] = 30
    equal = weigh_number(*measured(page, (90, 90, 250, 170)))
    page = blank_page(300, 400)
    for i, height in enumerate((28, 50, 30)):
        page[100 : 100 + height, 100 + 30 * i : 105 + 30 * i] = 30
    assert weigh_number(*measured(page, (90, 90, 250, 170))) < equal


def test_no_evidence_is_beyond_its_limit():
    page = blank_page(300, 400)
    page[100:140, 100:120] = 30
    ink, group = measured(page, (90, 90, 250, 170))
    group = group._replace(print_odds=np.array([-100.0]))
    assert weigh_number(ink, group) <= 0.5
