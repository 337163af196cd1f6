import cv2
import numpy as np
import pytest

from cnn.preprocessing.pipeline import PREPROCESSING
from cnn.preprocessing.text_lines.page_segmentation import segment_page
from tests.preprocessing.text_lines.page_drawings import (
    INK,
    blank_page,
    draw_digits,
    draw_text,
    overlap,
)

PLACEMENT = PREPROCESSING["mnist"]


@pytest.fixture(scope="module")
def digits(mnist_test):
    """MNIST digits of one piece each, `uint8 (N, 28, 28)`."""
    images = mnist_test.images[:400, ..., 0]
    counts = [cv2.connectedComponents(np.uint8(i > 60))[0] for i in images]
    return images[np.array(counts) == 2]


def test_a_blank_page_has_no_number():
    assert segment_page(blank_page(), PLACEMENT) == []


@pytest.mark.parametrize("slope", [0.0, 0.04])
def test_numbers_come_in_reading_order(digits, slope):
    page = blank_page(800, 1000)
    expected = []
    for row in range(5):
        for column in range(3):
            left, first = 60 + 300 * column, 9 * row + 3 * column
            top = round(100 + 120 * row + slope * left)
            expected.append(draw_digits(page, digits[first : first + 3], left, top))
    lines = segment_page(page, PLACEMENT)
    assert [line.line for line in lines] == [
        row for row in range(1, 6) for _ in range(3)
    ]
    for line, box in zip(lines, expected, strict=True):
        assert overlap(line.box, box) > 0.9


def test_numbers_in_a_table_are_found_without_its_rules(digits):
    page = blank_page(800, 1000)
    expected = []
    for row in range(6):
        for column in range(3):
            first = 6 * row + 2 * column
            left, top = 120 + 290 * column, 112 + 80 * row
            expected.append(draw_digits(page, digits[first : first + 2], left, top))
    for row in range(7):
        cv2.line(page, (60, 92 + 80 * row), (950, 92 + 80 * row), INK, 3)
    for column in range(4):
        cv2.line(page, (80 + 290 * column, 92), (80 + 290 * column, 572), INK, 3)
    lines = segment_page(page, PLACEMENT)
    assert len(lines) == len(expected)
    for line, box in zip(lines, expected, strict=True):
        assert overlap(line.box, box) > 0.85


def test_digits_in_a_comb_are_one_number(digits):
    page = blank_page(400, 900)
    for i in range(9):
        cv2.line(page, (100 + 75 * i, 160), (100 + 75 * i, 180), INK, 3)
    cv2.line(page, (100, 180), (700, 180), INK, 3)
    for i in range(8):
        draw_digits(page, digits[i : i + 1], 124 + 75 * i, 125)
    (line,) = segment_page(page, PLACEMENT)
    assert line.box[0] == pytest.approx(124, abs=4)
    assert line.box[2] == pytest.approx(124 + 75 * 7 + 25, abs=20)
    assert line.log_odds > 0


def test_print_is_left_out_and_handwriting_found(digits):
    page = blank_page(1200, 900)
    for row in range(18):
        draw_text(page, "The number 2048 of 6395 pages in 1997", 60, 60 + 45 * row)
    written = draw_digits(page, digits[:5], 300, 1000)
    lines = segment_page(page, PLACEMENT)
    assert len(lines) <= 2
    assert max(overlap(line.box, written) for line in lines) > 0.9


def test_boxes_are_in_pixels_of_a_page_that_is_reduced(digits):
    page = blank_page(3508, 2480)
    written = draw_digits(page, digits[:4], 1200, 1500, height=80, gap=16)
    (line,) = segment_page(page, PLACEMENT)
    assert overlap(line.box, written) > 0.9
    boxes = line.lattices[0].boxes
    assert (boxes[:, 0] >= written[0] - 10).all()
    assert (boxes[:, 2] <= written[2] + 10).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (8, 9)])
def test_pages_of_any_shape_pass(shape):
    assert segment_page(np.full(shape, 200, np.uint8), PLACEMENT) == []


def test_large_digits_with_straight_strokes_are_kept():
    page = blank_page(800, 1000)
    for left in (200, 260, 320):
        cv2.line(page, (left, 200), (left, 320), INK, 7)
    cv2.line(page, (300, 200), (340, 200), INK, 7)
    (line,) = segment_page(page, PLACEMENT)
    assert overlap(line.box, np.array([196, 196, 341, 324])) > 0.8
