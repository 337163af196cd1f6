import numpy as np

from cnn.preprocessing.text_lines.dashed_lines import find_dashes
from cnn.preprocessing.text_lines.digit_band import find_marks

DIGIT = (100, 20, 130, 68)


def dashes(*boxes):
    image = np.zeros((120, 400), np.uint8)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = 1
    marks = find_marks(image)
    return {
        tuple(box)
        for box, is_dash in zip(
            marks.boxes.tolist(), find_dashes(marks, 48), strict=True
        )
        if is_dash
    }


def test_finds_a_dotted_line_under_a_number():
    dots = [(10 * i, 80, 10 * i + 3, 83) for i in range(30)]

    assert dashes(DIGIT, *dots) == set(dots)


def test_finds_a_dashed_line():
    parts = [(60 * i, 80, 60 * i + 40, 82) for i in range(5)]

    assert dashes(DIGIT, *parts) == set(parts)


def test_finds_a_dashed_rule_beside_a_number():
    parts = [(20, 30 * i, 23, 30 * i + 18) for i in range(4)]

    assert dashes(DIGIT, *parts) == set(parts)


def test_keeps_points_a_minus_and_a_colon():
    point = (140, 62, 146, 68)
    minus = (60, 42, 85, 47)
    colon = [(200, 30, 206, 36), (200, 60, 206, 66)]

    assert dashes(DIGIT, point, minus, *colon) == set()
