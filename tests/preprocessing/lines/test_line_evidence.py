import numpy as np
import pytest

from cnn.preprocessing.lines.line_detection import Line
from cnn.preprocessing.lines.line_evidence import (
    LineMeasurement,
    PenInk,
    extend_pen,
    measure_line,
    measure_pen,
    printed_probabilities,
)
from cnn.preprocessing.lines.line_strips import straighten_line


def measure(first, last, level=80.0, pen_box=(60, 20, 100, 60)):
    """Measures a line from column `first` to `last` below a pen's ink of level 100."""
    foreground = np.zeros((100, 200), np.float32)
    foreground[49:52, first : last + 1] = level
    strip = straighten_line(foreground, Line(middle=50.0, slope=0.0))
    pen = PenInk(level=100.0, box=np.array(pen_box), length=40)
    return measure_line(strip, pen, ink_threshold=20)


def test_the_pen_is_measured_without_specks():
    foreground = np.zeros((100, 200), np.float32)
    foreground[20:60, 60:64] = 100
    foreground[90, 190] = 255  # One pixel of 161 is noise.
    pen = measure_pen(foreground, 20)
    assert pen.level == 100
    assert pen.box.tolist() == [60, 20, 64, 60]
    assert pen.length == 40


def test_an_image_without_ink_has_no_pen():
    pen = measure_pen(np.zeros((100, 200), np.float32), 20)
    assert (pen.level, pen.length) == (0, 0)


@pytest.mark.parametrize(
    ("first", "last", "num_ends"),
    [(0, 199, 2), (0, 180, 1), (15, 199, 1), (15, 180, 0)],
)
def test_a_line_ends_at_an_edge_or_inside(first, last, num_ends):
    measured = measure(first, last)
    assert measured.num_ends == num_ends
    assert measured.level_ratio == pytest.approx(0.8)
    assert measured.relative_length == pytest.approx((last - first + 1) / 40)


def test_a_crop_along_the_ink_is_told_from_a_page_with_space_around_it():
    assert measure(2, 197, pen_box=(60, 2, 100, 98)).fills_image
    assert not measure(2, 197, pen_box=(60, 2, 100, 80)).fills_image
    assert not measure(30, 170, pen_box=(60, 2, 100, 98)).fills_image


def test_a_stem_that_is_a_line_itself_belongs_to_the_pens_box():
    pen = PenInk(level=100.0, box=np.array([0, 0, 60, 80]), length=80)
    stem = measure(0, 119, level=100)
    assert extend_pen(pen, [stem]).box.tolist() == [0, 0, 60, 120]
    assert extend_pen(pen, 3 * [stem]) is pen
    assert extend_pen(pen, [measure(0, 119, level=30)]) is pen


def line(num_ends, ratio=1.0, length=1.0, fills=False):
    return LineMeasurement(num_ends, ratio, length, fills)


def test_a_stroke_that_ends_inside_is_written_and_a_pale_one_at_the_edge_printed():
    assert printed_probabilities([line(num_ends=0)]) == [0]
    assert printed_probabilities([line(num_ends=1, ratio=0.5)]) == [1]


def test_three_lines_that_are_equally_dark_rule_the_paper():
    assert printed_probabilities(3 * [line(num_ends=2)]) == [1, 1, 1]
    two_strokes = printed_probabilities(2 * [line(num_ends=2, fills=True)])
    assert max(two_strokes) < 0.5  # A 7 with a bar, cut out along its ink.
    *rules, stroke = printed_probabilities(
        [*3 * [line(num_ends=2, ratio=0.5)], line(num_ends=1, fills=True)]
    )
    assert rules == [1, 1, 1]
    assert stroke < 0.5


def test_a_line_from_edge_to_edge_is_doubtful_only_in_a_crop():
    (in_crop,) = printed_probabilities([line(num_ends=2, fills=True)])
    (on_page,) = printed_probabilities([line(num_ends=2)])
    assert in_crop < 0.5 < on_page < 1
    assert printed_probabilities([line(num_ends=2, length=3)]) == [1]
