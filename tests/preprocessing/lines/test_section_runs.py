import numpy as np

from cnn.preprocessing.lines.section_runs import find_longest_run


def test_the_run_covers_the_sections_of_the_line():
    mask = np.zeros((60, 140), np.uint8)  # 14 sections of 10 columns.
    mask[30, 40:110] = 1
    line, first, end = find_longest_run(mask, min_length=40)
    assert (line.middle, line.slope) == (30, 0)
    assert (first, end) == (40, 110)


def test_a_shorter_line_is_no_run():
    mask = np.zeros((60, 140), np.uint8)
    mask[30, 40:110] = 1
    assert find_longest_run(mask, min_length=100) is None
    assert find_longest_run(np.zeros_like(mask), min_length=40) is None
