import cv2
import numpy as np

from cnn.preprocessing.text_lines.lone_strokes import weigh_lone_strokes
from cnn.preprocessing.text_lines.page_components import measure_components


def draw_strokes(page, left, top, count, slant=0):
    for i in range(count):
        start = (left + 16 * i + slant, top)
        cv2.line(page, start, (left + 16 * i, top + 40), 1, 3)


def draw_zeros(page, left, top, count):
    for i in range(count):
        cv2.ellipse(page, (left + 12 + 34 * i, top + 20), (11, 19), 0, 0, 360, 1, 3)


def components_in(page, left, top, right, bottom):
    components = measure_components(page)
    x, y = components.center.T
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    return components.take(inside)


def test_hatching_is_no_number():
    page = np.zeros((300, 400), np.uint8)
    draw_strokes(page, 50, 100, 3, slant=25)
    (odds,) = weigh_lone_strokes([components_in(page, 0, 0, 400, 300)], [0.5])
    assert odds < -10


def test_ones_among_digits_of_their_height_are_a_number():
    page = np.zeros((300, 400), np.uint8)
    draw_strokes(page, 50, 100, 2)
    draw_zeros(page, 150, 100, 6)
    ones = components_in(page, 0, 0, 120, 300)
    zeros = components_in(page, 120, 0, 400, 300)
    assert weigh_lone_strokes([ones, zeros], [-2.0, 0.5]) == [-2.0, 0.5]


def test_digits_elsewhere_do_not_support_strokes():
    page = np.zeros((300, 400), np.uint8)
    draw_strokes(page, 50, 30, 2)
    draw_zeros(page, 150, 200, 6)
    strokes = components_in(page, 0, 0, 120, 300)
    zeros = components_in(page, 120, 0, 400, 300)
    odds = weigh_lone_strokes([strokes, zeros], [-2.0, 0.5])
    assert odds[0] < -10
    assert odds[1] == 0.5


def test_a_circle_by_itself_is_less_probable_than_one_among_digits():
    page = np.zeros((300, 400), np.uint8)
    draw_zeros(page, 50, 100, 1)
    circle = components_in(page, 0, 0, 400, 300)
    assert weigh_lone_strokes([circle], [0.5]) == [-0.5]
    draw_zeros(page, 150, 100, 6)
    circle = components_in(page, 0, 0, 120, 300)
    zeros = components_in(page, 120, 0, 400, 300)
    assert weigh_lone_strokes([circle, zeros], [0.5, 0.5]) == [0.5, 0.5]
