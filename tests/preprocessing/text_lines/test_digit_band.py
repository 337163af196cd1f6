import numpy as np

from cnn.preprocessing.text_lines.digit_band import find_band, find_marks


def blocks(*boxes, size=(100, 300)):
    image = np.zeros(size, np.uint8)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = 1
    return find_marks(image)


def test_measures_the_rows_of_the_digits():
    marks = blocks((20, 30, 45, 70), (60, 32, 85, 70), (100, 30, 125, 70))

    band = find_band(marks)

    assert (band.top, band.bottom) == (30, 70)
    assert (band.left, band.right) == (20, 125)
    assert band.members.tolist() == [1, 2, 3]


def test_prefers_whole_digits_to_pieces_at_the_edge():
    pieces = [(20 * i, 0, 20 * i + 15, 14) for i in range(10)]
    marks = blocks(*pieces, (40, 40, 65, 80), (80, 40, 105, 80))

    band = find_band(marks)

    assert (band.top, band.bottom) == (40, 80)


def test_measures_digits_and_not_the_narrow_rules_between_them():
    rules = [(x, 10, x + 2, 90) for x in (10, 60, 110)]
    marks = blocks(*rules, (20, 40, 50, 80), (70, 40, 100, 80))

    band = find_band(marks)

    assert (band.top, band.bottom) == (40, 80)


def test_finds_nothing_among_specks():
    assert find_band(blocks((10, 10, 13, 13), (50, 50, 52, 54))) is None
    assert find_band(blocks()) is None
