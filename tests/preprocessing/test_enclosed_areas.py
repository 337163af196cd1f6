"""Digits in rings, on discs and on cards are found, and a 0 remains a 0."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.closed_lines import enlarge
from cnn.preprocessing.enclosed_areas import find_enclosed_area
from cnn.preprocessing.enclosed_filling import cut_out_area
from cnn.preprocessing.segmentation import find_glyphs


def page(paper=230, size=150):
    image = Image.new("L", (size, size), paper)
    return image, ImageDraw.Draw(image)


def draw_seven(draw, ink=40, left=62, top=52, width=5):
    draw.line([(left, top), (left + 28, top)], ink, width)
    draw.line([(left + 28, top), (left + 8, top + 46)], ink, width)


def enclosing(kind):
    """Draws a 7 in the middle, in a curve of the given kind."""
    if kind == "dark disc":
        image, draw = page()
        draw.ellipse((25, 25, 125, 125), 60)
        draw_seven(draw, ink=220)
        return np.asarray(image)
    if kind == "rounded card":
        image, draw = page(paper=70)
        draw.rounded_rectangle((30, 25, 122, 126), 30, 220)
        draw_seven(draw)
        return np.asarray(image)
    image, draw = page()
    if kind == "ring":
        draw.ellipse((25, 25, 125, 125), outline=40, width=4)
    elif kind == "open ring":
        draw.arc((25, 25, 125, 125), 0, 355, 40, 4)
    elif kind == "double ring":
        draw.ellipse((25, 25, 125, 125), outline=40, width=3)
        draw.ellipse((12, 12, 138, 138), outline=40, width=3)
    elif kind == "hexagon":
        draw.regular_polygon((75, 75, 62), 6, outline=40, width=4)
    elif kind == "rounded box":
        draw.rounded_rectangle((25, 25, 125, 125), 20, outline=40, width=4)
    draw_seven(draw)
    return np.asarray(image)


@pytest.mark.parametrize(
    "kind",
    [
        "ring",
        "open ring",
        "double ring",
        "hexagon",
        "rounded box",
        "dark disc",
        "rounded card",
    ],
)
def test_a_digit_is_segmented_without_the_curve_around_it(kind):
    glyphs = find_glyphs(enclosing(kind))
    left, top, right, bottom = 150 * np.array(glyphs[0].region)
    # The 7 and a margin of a few pixels.
    assert 55 < left < 63
    assert 44 < top < 53
    assert 89 < right < 99
    assert 96 < bottom < 106


def draw_zero(kind):
    image, draw = page()
    box = (45, 30, 105, 120)
    if kind == "thick":
        draw.ellipse(box, outline=40, width=24)
        return np.asarray(image)
    draw.ellipse(box, outline=40, width=5)
    if kind == "dotted":
        draw.ellipse((71, 71, 79, 79), 40)
    elif kind == "slashed":
        draw.line([(92, 50), (58, 100)], 40, 4)
    elif kind == "with specks":
        for x, y in [(60, 60), (80, 90), (70, 100)]:
            draw.ellipse((x, y, x + 3, y + 3), 40)
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["plain", "thick", "dotted", "slashed", "with specks"])
def test_the_inside_of_a_zero_is_no_enclosed_area(kind):
    assert find_enclosed_area(draw_zero(kind)) is None


def test_the_holes_of_a_thick_eight_are_no_marks():
    image, draw = page()
    draw.ellipse((48, 20, 102, 76), outline=40, width=18)
    draw.ellipse((44, 62, 106, 130), outline=40, width=20)
    assert find_enclosed_area(np.asarray(image)) is None


def test_the_cells_of_squared_paper_are_no_enclosed_areas():
    image, draw = page()
    for position in range(5, 150, 46):
        draw.line([(0, position), (150, position)], 120, 3)
        draw.line([(position, 0), (position, 150)], 120, 3)
    draw_seven(draw, left=58, top=58, width=3)
    assert find_enclosed_area(np.asarray(image)) is None


def test_the_background_of_an_area_is_continued_to_the_edges_of_its_box():
    gray = enclosing("dark disc")
    area = find_enclosed_area(gray)
    cut, box = cut_out_area(gray, gray, area)
    np.testing.assert_allclose(box, [25, 25, 126, 126], atol=1)
    assert cut.shape == (box[3] - box[1], box[2] - box[0])
    corners = cut[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, 60, atol=2)
    # The light 7 in the middle remains.
    assert cut.max() == 220


def test_only_small_images_are_enlarged():
    assert enlarge(np.zeros((30, 30), np.uint8)).shape == (90, 90)
    assert enlarge(np.zeros((20, 20), np.uint8)).shape == (80, 80)
    large = np.zeros((100, 120), np.uint8)
    assert enlarge(large) is large


def test_the_edge_of_a_shadow_and_the_border_enclose_no_area():
    image, draw = page()
    draw.polygon([(149, 60), (149, 149), (70, 149)], fill=110)
    draw_seven(draw, left=112, top=95, width=4)
    assert find_enclosed_area(np.asarray(image)) is None
