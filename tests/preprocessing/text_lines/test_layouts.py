import cv2
import numpy as np
import pytest
from PIL import Image

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.text_lines.layouts import find_text_lines

PLACEMENT = Placement(box=20, by_center_of_mass=True)


def draw_number(ink=0, paper=255) -> Image.Image:
    """Draws two strokes and a ring, 60 pixels high."""
    gray = np.full((120, 240), paper, np.uint8)
    cv2.line(gray, (50, 30), (50, 90), ink, 5)
    cv2.ellipse(gray, (110, 60), (22, 30), 0, 0, 360, ink, 5)
    cv2.line(gray, (180, 30), (165, 90), ink, 5)
    return Image.fromarray(gray)


@pytest.mark.parametrize("layout", ["line", "page"])
@pytest.mark.parametrize("levels", [(0, 255), (230, 20)])
def test_a_small_picture_of_one_number_is_read_in_both_layouts(layout, levels):
    (line,) = find_text_lines(draw_number(*levels), layout, PLACEMENT)
    np.testing.assert_allclose(line.box, [47, 27, 184, 93], atol=4)


def test_boxes_are_scaled_and_then_moved_to_the_whole_picture():
    (line,) = find_text_lines(draw_number(), "line", PLACEMENT)
    moved = line.transform_boxes(np.array([2, 3, 2, 3]), np.array([10, 20, 10, 20]))
    left, top, right, bottom = line.box
    expected = [2 * left + 10, 3 * top + 20, 2 * right + 10, 3 * bottom + 20]
    np.testing.assert_allclose(moved.box, expected)
    first, there = line.lattices[0].boxes[0], moved.lattices[0].boxes[0]
    np.testing.assert_allclose(there[[0, 3]], [2 * first[0] + 10, 3 * first[3] + 20])


def test_white_paper_shows_no_number():
    paper = Image.fromarray(np.full((120, 240), 255, np.uint8))
    assert find_text_lines(paper, "line", PLACEMENT) == ()
    assert find_text_lines(paper, "page", PLACEMENT) == ()


@pytest.mark.parametrize("width", [25, 32])
def test_a_minus_before_the_number_is_part_of_it(width):
    gray = np.asarray(draw_number()).copy()
    gray[58:63, 36 - width : 36] = 0
    (line,) = find_text_lines(Image.fromarray(gray), "line", PLACEMENT)
    assert "-" in line.lattices[0].symbols
    assert line.box[0] == pytest.approx(36 - width, abs=4)
