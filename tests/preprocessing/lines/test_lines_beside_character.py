import numpy as np
from PIL import Image, ImageDraw

from cnn.preprocessing.components import select_character
from cnn.preprocessing.ink_levels import Ink
from cnn.preprocessing.lines.lines_beside_character import (
    find_faint_character,
    remove_lines_beside_character,
)
from cnn.preprocessing.thresholds import THRESHOLDS

CERTAIN = THRESHOLDS.line_segments.certain_weight


def make_ink(image) -> Ink:
    """Returns the ink of a drawing on a black page without noise."""
    foreground = np.asarray(image, np.float32)
    return Ink(foreground, 0.0, float(foreground.max()))


def remove_lines(ink):
    selection = select_character(ink.foreground, ink.threshold, may_touch_border=False)
    return remove_lines_beside_character(ink, selection)


def page_with_line(box=(60, 10, 62, 120), ink=200):
    image = Image.new("L", (90, 140), 0)
    ImageDraw.Draw(image).rectangle(box, fill=ink)
    return image


def test_a_line_far_longer_than_the_character_beside_it_is_removed_with_certainty():
    image = page_with_line((48, 30, 50, 120))
    ImageDraw.Draw(image).ellipse((20, 50, 36, 74), outline=90, width=2)
    without = remove_lines(make_ink(image))
    assert without.selection.box.tolist() == [20, 50, 37, 75]
    assert without.ink.contrast == 90
    assert without.weight == CERTAIN


def test_a_line_that_was_not_selected_with_the_character_is_not_searched():
    image = page_with_line()
    ImageDraw.Draw(image).ellipse((20, 50, 36, 74), outline=90, width=2)
    assert remove_lines(make_ink(image)) is None


def test_a_character_fainter_than_the_edges_of_a_line_is_found_but_is_not_certain():
    image = page_with_line()
    ImageDraw.Draw(image).ellipse((20, 50, 36, 74), outline=20, width=2)
    # The ink threshold beside the line is 12 % of 200.
    without = remove_lines(make_ink(image))
    assert without.selection.box.tolist() == [20, 50, 37, 75]
    assert without.weight < CERTAIN


def test_a_long_1_is_kept_alone_and_beside_a_full_stop_and_specks():
    image = page_with_line()
    draw = ImageDraw.Draw(image)
    assert remove_lines(make_ink(image)) is None
    draw.ellipse((70, 112, 78, 120), fill=200)
    draw.rectangle((20, 30, 22, 33), fill=150)
    assert remove_lines(make_ink(image)) is None


def test_a_1_little_longer_than_its_neighbor_is_kept():
    image = page_with_line((60, 40, 62, 80))
    ImageDraw.Draw(image).ellipse((20, 44, 38, 76), outline=200, width=2)
    assert remove_lines(make_ink(image)) is None


def test_strokes_that_end_with_the_character_are_kept():
    four = Image.new("L", (90, 140), 0)
    draw = ImageDraw.Draw(four)
    draw.line([(50, 20), (50, 110)], 200, 3)
    draw.line([(15, 75), (65, 75)], 200, 3)
    draw.line([(15, 75), (30, 22)], 200, 3)
    assert remove_lines(make_ink(four)) is None
    nine = Image.new("L", (90, 140), 0)
    draw = ImageDraw.Draw(nine)
    draw.line([(50, 20), (50, 110)], 200, 3)
    draw.ellipse((10, 20, 50, 62), outline=200, width=3)
    assert remove_lines(make_ink(nine)) is None


def test_a_line_through_the_image_is_removed_from_the_character_that_it_touches():
    image = page_with_line((60, 0, 62, 139))
    ImageDraw.Draw(image).ellipse((36, 50, 60, 84), outline=200, width=3)
    without = remove_lines(make_ink(image))
    left, top, right, bottom = without.selection.box.tolist()
    assert (left, top, bottom) == (36, 50, 85)
    assert 57 <= right <= 60
    assert without.weight == CERTAIN


def test_a_speck_is_no_faint_character():
    image = Image.new("L", (60, 60), 0)
    ImageDraw.Draw(image).ellipse((25, 25, 35, 35), fill=60)
    assert find_faint_character(make_ink(image)) is None
    ImageDraw.Draw(image).ellipse((25, 25, 35, 35), fill=0)
    ImageDraw.Draw(image).ellipse((20, 15, 40, 45), outline=60, width=2)
    assert find_faint_character(make_ink(image)).box.tolist() == [20, 15, 41, 46]


def test_the_stem_of_a_4_is_not_removed_from_its_bar():
    image = Image.new("L", (150, 150), 0)
    draw = ImageDraw.Draw(image)
    draw.line([(45, 55), (40, 80), (80, 85)], fill=200, width=3)
    # It is 2.4 times as long as the rest, and juts out above and below it.
    draw.line([(66, 20), (68, 118)], fill=200, width=3)
    assert remove_lines(make_ink(image)) is None


def test_a_line_apart_is_probably_print_only_if_it_reaches_the_border():
    weights = []
    for top in (30, 0):  # The longer side of the ellipse is 41 pixels.
        image = page_with_line((60, top, 62, top + 75))
        ImageDraw.Draw(image).ellipse((25, 40, 51, 80), outline=60, width=3)
        weights.append(remove_lines(make_ink(image)).weight)
    thresholds = THRESHOLDS.line_segments
    assert weights == [thresholds.possible_weight, thresholds.likely_weight]
