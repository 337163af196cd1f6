import numpy as np

from cnn.preprocessing.lines.line_detection import Line
from cnn.preprocessing.lines.line_strips import (
    find_line_extent,
    image_pixels,
    line_profile,
    median_profile,
    sample_pixels,
    straighten_line,
)


def test_a_tilted_line_is_the_middle_row_of_its_strip():
    image = np.zeros((60, 80), np.float32)
    columns = np.arange(80)
    line = Line(middle=30.0, slope=0.1)
    path = np.rint(line.rows_at(columns, 80)).astype(int)
    image[path, columns] = 9
    strip = straighten_line(image, line)
    middle = len(strip.levels) // 2
    assert (strip.levels[middle] == 9).all()
    assert (strip.rows[middle] == path).all()
    assert median_profile(strip.levels).argmax() == middle


def test_pixels_outside_the_image_are_0():
    image = np.full((3, 2), 5, np.float32)
    rows = np.array([[-1, 0], [2, 3]])
    pixels, inside = sample_pixels(image, rows, np.arange(2))
    assert pixels.tolist() == [[0, 5], [5, 0]]
    assert inside.tolist() == [[False, True], [True, False]]


def test_pixels_of_a_strip_are_only_those_in_the_image():
    strip = straighten_line(np.zeros((60, 4), np.float32), Line(0.0, 0.0))
    middle = len(strip.levels) // 2
    rows, columns = image_pixels(strip, middle - 1, middle + 1)
    assert rows.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert columns.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_extent_of_a_line_includes_one_row_beside_it():
    assert find_line_extent(np.array([0, 0, 0, 9, 0, 0, 0])) == (2, 4)
    assert find_line_extent(np.array([0, 0, 9, 9, 9, 0, 0])) == (1, 5)
    assert find_line_extent(np.array([9, 9, 9, 9, 9, 9, 9])) == (0, 6)


def test_the_profile_of_a_rule_is_measured_beside_the_stroke_on_it():
    levels = np.zeros((7, 100), np.float32)
    levels[3] = 40
    levels[2:5, 20:80] = 100
    profile = line_profile(levels, min_level=10)
    assert profile.tolist() == [0, 0, 0, 40, 0, 0, 0]


def test_the_profile_of_an_interrupted_line_is_its_median():
    levels = np.zeros((7, 120), np.float32)
    levels[3, np.arange(120) % 10 < 7] = 80
    assert line_profile(levels, min_level=10)[3] == 80
