import cv2
import numpy as np
import pytest

from cnn.preprocessing.foreground import Foreground
from cnn.preprocessing.single_character import find_single_character


def draw(*lines, size=(150, 150)) -> Foreground:
    """Draws strong strokes of four pixels on clean paper."""
    canvas = np.zeros(size, np.uint8)
    for start, end in lines:
        cv2.line(canvas, start, end, 150, 4)
    levels = canvas.astype(np.float32)
    return Foreground(levels, 1, may_touch_border=False, unambiguous=True)


THREE = [((60, 40), (90, 40)), ((90, 40), (90, 110))]
THREE += [((60, 75), (90, 75)), ((60, 110), (90, 110))]


def test_a_character_without_other_ink_is_single_and_no_line():
    single = find_single_character(draw(*THREE))
    assert single is not None
    assert not single.may_be_line
    assert not single.may_have_line


@pytest.mark.parametrize(
    "other",
    [
        ((0, 130), (149, 130)),  # A rule.
        ((20, 30), (20, 60)),  # Another stroke.
        ((60, 40), (60, 0)),  # A stroke to the edge.
    ],
)
def test_other_ink_or_the_edge_of_the_image_makes_it_no_single_one(other):
    assert find_single_character(draw(*THREE, other)) is None


def test_faint_ink_is_no_single_character():
    foreground = draw(*THREE)
    faint = foreground._replace(levels=foreground.levels * np.float32(0.4))
    assert find_single_character(faint) is None


def test_a_long_stroke_may_be_a_line_that_crosses_the_image():
    single = find_single_character(draw(((75, 10), (75, 140))))
    assert single is not None
    assert single.may_be_line


def test_a_mark_on_a_long_stroke_may_be_a_character_on_a_line():
    single = find_single_character(draw(((60, 30), (60, 120)), ((60, 30), (85, 40))))
    assert single is not None
    assert single.may_have_line
