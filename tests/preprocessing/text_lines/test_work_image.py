import numpy as np
import pytest

from cnn.preprocessing.text_lines.work_image import (
    DIGIT_HEIGHT,
    crop_line,
    reduce_picture,
    rotate,
)


def picture(shape, box):
    gray = np.full(shape, 255, np.uint8)
    left, top, right, bottom = box
    gray[top:bottom, left:right] = 0
    return gray


def dark_box(gray):
    rows = np.flatnonzero((gray < 128).any(1))
    columns = np.flatnonzero((gray < 128).any(0))
    return np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], float)


def test_brings_digits_to_the_standard_height_and_boxes_back():
    box = (1200, 800, 1290, 1000)
    gray = picture((2000, 3000), box)
    reduced = reduce_picture(gray)
    (found,) = dark_box(reduced.gray)
    around = (found[0] - 20, found[1] - 20, found[2] + 20, found[3] + 20)

    work = crop_line(gray, reduced, around, found[3] - found[1])

    inner = dark_box(work.gray)
    assert inner[0, 3] - inner[0, 1] == pytest.approx(DIGIT_HEIGHT, abs=2)
    np.testing.assert_allclose(work.to_picture(inner, gray.shape), [box], atol=5)


def test_enlarges_a_strip_at_most_twice():
    gray = picture((28, 100), (40, 4, 50, 14))

    work = crop_line(gray, reduce_picture(gray), (0, 0, 100, 28), 10)

    assert work.gray.shape == (56, 200)
    np.testing.assert_allclose(
        work.to_picture(dark_box(work.gray), gray.shape), [[40, 4, 50, 14]], atol=1
    )


def test_levels_a_skew_and_brings_its_boxes_back():
    slope = np.tan(np.deg2rad(6))
    gray = np.full((200, 600), 255, np.uint8)
    for column in range(50, 550):
        middle = round(100 + slope * (column - 300))
        gray[middle - 3 : middle + 3, column] = 0

    work = rotate(reduce_picture(gray), 6)

    inner = dark_box(work.gray)
    assert inner[0, 3] - inner[0, 1] < 10
    left, top, right, bottom = work.to_picture(inner, gray.shape)[0]
    assert left == pytest.approx(50, abs=5)
    assert right == pytest.approx(550, abs=5)
    assert (top + bottom) / 2 == pytest.approx(100, abs=3)
