import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.lines.line_segments import find_line_segments


def draw(size, *lines):
    image = Image.new("L", size, 0)
    for points, width in lines:
        ImageDraw.Draw(image).line(points, 200, width)
    return np.asarray(image, np.float32)


def test_a_line_that_ends_inside_the_image_is_found_with_its_length_and_ends():
    page = draw((120, 90), ([(30, 40), (99, 40)], 2))
    (segment,) = find_line_segments(page, ink_threshold=20)
    assert segment.length == 70
    assert [x for x, _ in segment.ends] == [30, 99]
    assert segment.ends_at_border == (False, False)
    covered = np.zeros(page.shape, bool)
    covered[segment.rows, segment.columns] = True
    assert covered[page > 0].all()
    assert covered.sum() <= 72 * 4  # The line with an edge of one pixel.


def test_a_tilted_line_and_a_line_of_stitches_are_found():
    tilted = draw((120, 90), ([(20, 30), (100, 37)], 2))
    (segment,) = find_line_segments(tilted, ink_threshold=20)
    assert 75 < segment.length < 85
    stitches = [([(x, 50), (x + 4, 50)], 3) for x in range(10, 110, 8)]
    (segment,) = find_line_segments(draw((120, 90), *stitches), ink_threshold=20)
    assert 90 < segment.length < 105


def test_the_longer_of_two_lines_is_the_first():
    page = draw((120, 90), ([(10, 20), (70, 20)], 2), ([(10, 60), (110, 60)], 2))
    lengths = [line.length for line in find_line_segments(page, ink_threshold=20)]
    assert lengths == pytest.approx([101, 61], abs=0.1)


def test_a_circle_and_a_thick_bar_are_no_lines():
    image = Image.new("L", (120, 90), 0)
    ImageDraw.Draw(image).ellipse((30, 15, 90, 75), outline=200, width=4)
    assert find_line_segments(np.asarray(image, np.float32), 20) == []
    image = Image.new("L", (120, 90), 0)
    ImageDraw.Draw(image).rectangle((20, 30, 100, 60), fill=200)
    assert find_line_segments(np.asarray(image, np.float32), 20) == []


def test_a_stroke_across_the_line_is_marked():
    page = draw((120, 90), ([(10, 40), (110, 40)], 2), ([(60, 20), (60, 70)], 3))
    (segment,) = find_line_segments(page, ink_threshold=20)
    marked = set(segment.columns[segment.is_stroke].tolist())
    assert {59, 60, 61} <= marked
    assert min(marked) > 54
    assert max(marked) < 66
