import numpy as np

from cnn.preprocessing.text_lines.printed_label import find_label

# "No" and "270", digits 48 pixels high.
LABEL = [(0, 30, 25, 65), (30, 42, 50, 65)]
DIGITS = [(90, 18, 120, 66), (130, 20, 160, 66), (170, 18, 200, 66)]


def test_finds_small_print_before_a_number():
    boxes = np.array(LABEL + DIGITS, float)

    assert find_label(boxes, 48).tolist() == [True, True, False, False, False]


def test_takes_no_spaced_digit_for_a_label():
    boxes = np.array([(0, 20, 30, 66)] + DIGITS, float)

    assert not find_label(boxes, 48).any()


def test_takes_no_digit_next_to_others_for_a_label():
    boxes = np.array([(60, 38, 80, 66)] + DIGITS, float)

    assert not find_label(boxes, 48).any()
