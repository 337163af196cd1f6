import numpy as np
import pytest

from cnn.preprocessing.text_lines.line_skew import line_skew


def row(degrees, count=8):
    x = 60 * np.arange(count)
    y = 200 + np.tan(np.deg2rad(degrees)) * x
    return np.stack([x - 15, y - 24, x + 15, y + 24], axis=1)


@pytest.mark.parametrize("degrees", [-7, 4])
def test_measures_the_slope_of_a_row(degrees):
    assert line_skew(row(degrees), 48) == pytest.approx(degrees, abs=0.01)


def test_ignores_two_descenders():
    boxes = row(5)
    boxes[[2, 5], 3] += 30

    assert line_skew(boxes, 48) == pytest.approx(5, abs=0.7)


def test_takes_a_short_or_level_line_as_it_is():
    assert line_skew(row(0.5), 48) == 0
    assert line_skew(row(10, count=2), 48) == 0
