"""Each step from a grey picture to a character, on drawn examples, by hand."""

import cv2
import numpy as np
import pytest

from cnn.preprocessing import background, centering, components, segmentation
from cnn.preprocessing.thresholds import THRESHOLDS


def page(height=120, width=160, level=200):
    return np.full((height, width), level, np.uint8)


def test_a_picture_is_shrunk_to_as_many_pixels_as_a_square_has():
    assert background.downscale(page(400, 100), 100).shape == (200, 50)
    small = page(30, 40)
    assert background.downscale(small, 100) is small


@pytest.mark.parametrize("slope", [0, 0.5])
def test_dark_ink_and_light_ink_are_told_apart_on_any_light(slope):
    grey = page() - (slope * np.arange(160)).astype(np.uint8)
    grey[40:80, 60:66] -= 60
    assert background.estimate_polarity(grey) == [1]
    assert background.estimate_polarity(255 - grey) == [-1]


def test_where_dark_and_light_stand_out_alike_both_are_tried():
    grey = page(level=128)
    grey[40:80, 60:66], grey[40:80, 100:106] = 40, 216
    assert sorted(background.estimate_polarity(grey)) == [-1, 1]


def test_both_are_tried_where_a_patch_of_light_skews_all_but_the_narrow_window():
    grey = page(level=120)
    grey[:40, :60] = 170  # Light that falls through a gap.
    grey[50:100, 120:122] = 70
    assert background.estimate_polarity(grey) == [-1, 1]
    grey[50:100, 120:122] = 120
    assert background.estimate_polarity(grey) == [-1]


def test_ink_is_measured_as_a_share_of_the_light_that_falls_on_it():
    """The same ink, which swallows half the light, in a shadow and beside it."""
    light = np.where(np.arange(160) < 80, 100.0, 200.0) * np.ones((120, 1))
    light[50:70, 30:34] /= 2
    light[50:70, 120:124] /= 2
    strength = background.subtract_background(light.astype(np.uint8), 1, 0.33)
    in_shadow, in_light = strength[60, 31], strength[60, 121]
    assert in_light == pytest.approx(
        110, abs=3
    )  # Half of the 220 that white paper counts for.
    assert in_shadow == pytest.approx(in_light, abs=3)
    assert strength[:40, :76].max() < 3  # The shadow is no ink, but for the very edge.


def test_what_is_wider_than_strokes_is_paper():
    grey = page()
    grey[:, :30] = 20  # A table beyond the page.
    grey[50:70, 100:104] = 20
    strength = background.subtract_background(grey, 1, 0.33)
    assert strength[:, :26].max() < 3
    assert strength[60, 101] > 150


def test_the_inside_of_a_frame_is_found():
    grey = page(level=30)
    grey[10:110, 20:140] = 220
    assert background.find_frame_interior(grey).tolist() == [21, 11, 139, 109]
    assert background.find_frame_interior(page()) is None
    grey[30:90, 60:100] = 30  # Still a page, with something large on it.
    assert background.find_frame_interior(grey).tolist() == [21, 11, 139, 109]


def test_a_thick_stroke_on_even_paper_is_no_picture_in_a_frame():
    """A broad block is wide and full as a picture; but the stroke goes on beyond it."""
    grey = page(28, 28, level=255)
    grey[8:26, 5:22] = 0
    grey[1:8, 5:11] = 0
    assert background.find_frame_interior(grey) is None


def test_what_lies_about_a_sheet_is_painted_like_the_sheet():
    grey = page(level=60)
    corners = np.array(
        [[40, 15], [130, 30], [115, 110], [25, 95]]
    )  # Turned by some ten degrees.
    cv2.fillConvexPoly(grey, corners, 210)
    grey[50:80, 70:74] = 80
    painted = background.fill_outside_sheet(grey, grey)
    np.testing.assert_array_equal(painted[40:90, 60:90], grey[40:90, 60:90])
    assert painted[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 190
    assert np.count_nonzero(painted < 150) == 30 * 4  # The ink alone.
    assert background.fill_outside_sheet(painted, painted) is None


@pytest.mark.parametrize(
    "kind",
    ["a page", "half in shadow", "a light spot", "a thick light 0", "a thick light 1"],
)
def test_what_is_no_sheet_is_not_painted(kind):
    grey = page()
    if kind == "half in shadow":
        grey[:, :90] = 100
    elif kind == "a light spot":
        grey[:] = 60
        cv2.circle(grey, (80, 60), 50, 210, -1)
    elif kind == "a thick light 0":
        grey[:] = 60
        cv2.ellipse(grey, (80, 60), (35, 48), 0, 0, 360, 210, 22)
    elif kind == "a thick light 1":
        grey = page(level=60)[:, 30:130]
        grey[5:115, 35:65] = 210
    assert background.fill_outside_sheet(grey, grey) is None


def test_a_small_photograph_of_two_levels_is_read_in_other_ways_too():
    """Both levels are even, but not as even as what no camera has seen."""
    grey = page(40, 40, level=190) + np.random.default_rng(0).normal(0, 8, (40, 40))
    grey[:24, :5] -= 140  # A shadow.
    grey[6:34, 24:27] -= 140
    clear = [
        relief.unambiguous
        for relief in background.foreground_candidates(
            np.rint(grey).astype(np.uint8), THRESHOLDS
        )
    ]
    assert len(clear) > 1
    assert not clear[0]


def test_marks_that_are_nearly_connected_are_one():
    strength = np.zeros((20, 30), np.float32)
    strength[5:10, 5:8] = 9
    strength[5:10, 10:12] = 9  # Two pixels on.
    strength[5:10, 20:22] = 9
    apart, joined = (components.label_components(strength, 5, gap) for gap in (0, 1))
    assert sorted(apart.mass.tolist()) == [0, 90, 90, 135]
    assert sorted(joined.mass.tolist()) == [0, 90, 225]
    both = int(joined.mass.argmax())
    box = [
        side[both] for side in (joined.left, joined.top, joined.right, joined.bottom)
    ]
    assert box == [5, 5, 12, 10]
    assert joined.area[both] == 25


def test_marks_at_the_edge_touch_it_and_others_do_not():
    strength = np.zeros((20, 30), np.float32)
    strength[0:5, 0:4] = 9
    strength[1:5, 20:24] = 9
    found = components.label_components(strength, 5, gap=1)
    assert found.border_contacts[found.left == 20] == 0
    assert sorted(found.border_contacts[1:].tolist()) == [0, 2]


def test_what_stands_beside_is_another_character_and_a_stroke_above_is_a_part():
    strength = np.zeros((80, 120), np.float32)
    strength[20:60, 40:44] = 90
    strength[20:60, 48:52] = 60  # As high, and four pixels on.
    strength[12:16, 36:56] = 60
    choice = components.select_character(strength, 20, may_touch_border=False)
    assert choice.box.tolist() == [36, 12, 56, 60]
    assert choice.mask.sum() == 40 * 4 + 4 * 20
    assert choice.has_other_characters


def test_what_is_longer_than_the_character_is_high_is_no_part_of_it():
    strength = np.zeros((80, 120), np.float32)
    strength[20:60, 40:44] = 90
    strength[63:67, 20:70] = 40
    assert (
        components.select_character(strength, 20, may_touch_border=False).mask.sum()
        == 40 * 4
    )


def test_a_box_is_taken_off_if_there_is_something_in_it():
    strength = np.zeros((80, 120), np.float32)
    cv2.polylines(
        strength,
        [np.array([[20, 12], [90, 16], [88, 70], [18, 66]])],
        isClosed=True,
        color=90,
    )
    assert components.remove_boxes(strength, 20) is strength
    with_digit = strength.copy()
    with_digit[30:55, 50:54] = 60
    np.testing.assert_array_equal(
        components.remove_boxes(with_digit, 20), with_digit - strength
    )


def test_light_that_fades_is_less_sharp_than_ink():
    strength = np.zeros((100, 100), np.float32)
    strength[10:90, 5:85] = 60 * np.outer(np.hanning(80), np.hanning(80))
    strength[30:70, 92:95] = 60
    found = components.label_components(strength, 10, gap=1)
    fades, drawn = components.edge_sharpness(strength, found)[1:]
    assert fades < THRESHOLDS.sharp / 2 < 2 * THRESHOLDS.sharp < drawn


def test_thin_strokes_are_widened_and_others_left():
    thin = np.zeros((200, 200), np.float32)
    thin[20:180, 99:101] = 1
    wide = centering.thicken_strokes(thin)
    assert (
        15 <= (wide[100] > 0.5).sum() <= 20
    )  # 2.2 of 20 of the 160 that the stroke is high: 17.6.
    broad = np.pad(np.ones((160, 30), np.float32), 20)
    assert centering.thicken_strokes(broad) is broad
    small = thin[80:110, 80:110]
    assert centering.thicken_strokes(small) is small


def test_ink_is_stamped_where_it_was_found():
    mask = np.zeros((100, 200), np.float32)
    segmentation.paste_mask(
        mask,
        segmentation.Glyph(
            np.ones((7, 5), np.float32),
            (0.25, 0.1, 0.5, 0.9),
            unambiguous=True,
            has_other_characters=False,
        ),
    )
    expected = np.zeros((100, 200), np.float32)
    expected[10:90, 50:100] = 1
    np.testing.assert_array_equal(mask, expected)


def test_a_small_character_is_looked_at_with_all_pixels():
    grey = page(900, 1200, 250)
    grey[700:703, 1000:1030] = 30  # A plus of 30 by 30.
    grey[687:717, 1014:1017] = 30
    (found,) = segmentation.find_glyphs(grey)
    left, top, right, bottom = np.array(found.region) * [1200, 900, 1200, 900]
    assert left > 950
    assert right < 1080
    assert top > 640
    assert bottom < 760
    # As many pixels of ink as were drawn, not a quarter of them.
    assert 150 < (found.mask > 0.5).sum() < 240


def test_nothing_is_found_where_contrast_is_below_the_limit():
    grey = page()
    grey[40:80, 60:66] -= int(THRESHOLDS.min_contrast) // 2
    assert segmentation.find_glyphs(grey) == []
