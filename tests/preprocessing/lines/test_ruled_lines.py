import numpy as np
import pytest

from cnn.preprocessing.lines import ruled_lines


def remove_ruled_lines(foreground, ink_threshold):
    """Removes all lines, and tells whether there are any."""
    lines = ruled_lines.find_lines(foreground, ink_threshold)
    return ruled_lines.remove_lines(foreground, ink_threshold, lines), any(lines)


def test_an_image_without_lines_is_returned_as_it_is():
    foreground = np.zeros((120, 160), np.float32)
    foreground[40:80, 60:64] = 90
    removed, has_lines = remove_ruled_lines(foreground, 20)
    assert not has_lines
    np.testing.assert_array_equal(removed, foreground)


@pytest.mark.parametrize("transposed", [False, True])
def test_lines_are_removed_and_the_strokes_that_cross_them_stay(transposed):
    foreground = np.zeros((120, 160), np.float32)
    foreground[58:61] = 50
    foreground[40:80, 60:66] = 90
    original = foreground.copy()
    given = np.ascontiguousarray(foreground.T) if transposed else foreground
    removed, has_lines = remove_ruled_lines(given, 20)
    assert has_lines
    removed = removed.T if transposed else removed
    assert (removed[40:80, 60:66] > 80).all()
    removed = removed.copy()
    removed[40:80, 56:70] = 0
    assert not removed.any()
    np.testing.assert_array_equal(foreground, original)


def test_the_other_direction_of_squared_paper_is_no_stroke_to_keep():
    foreground = np.zeros((120, 160), np.float32)
    foreground[30::30] = 50
    foreground[:, 20::30] = 50
    removed, has_lines = remove_ruled_lines(foreground, 20)
    assert has_lines
    assert (removed <= 20).all()
