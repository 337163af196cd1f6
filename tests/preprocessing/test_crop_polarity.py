"""Polarity of crops whose character touches all edges."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.crop_polarity import crop_signs, dark_ink_odds
from cnn.preprocessing.segmentation import find_glyphs


def draw_zero(width, side=16):
    """Draws a dark ring that touches all edges."""
    image = Image.new("L", (side, side), 255)
    box = (0, 0, side - 1, side - 1)
    ImageDraw.Draw(image).ellipse(box, outline=0, width=width)
    return np.asarray(image)


@pytest.mark.parametrize("width", [2, 3, 5, 6])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_inside_of_a_zero_is_no_ink(width, inverted):
    gray = draw_zero(width)
    glyph = find_glyphs(255 - gray if inverted else gray)[0]
    height, columns = glyph.mask.shape
    assert glyph.mask[height // 2, columns // 2] == 0
    assert glyph.mask.sum() == pytest.approx((gray == 0).sum())


def test_the_odds_of_both_polarities_are_reciprocal():
    is_light = draw_zero(3) > 0
    assert dark_ink_odds(is_light) == pytest.approx(1 / dark_ink_odds(~is_light))


def test_the_thinner_level_is_ink_where_half_of_the_border_is():
    """Stripes of 2 and 6 columns, and a border of 50 % each by the left and right."""
    is_light = np.ones((16, 16), bool)
    is_light[:, 0:2] = is_light[:, 14:16] = is_light[:, 7:9] = False
    shares = np.concatenate(
        [is_light[0], is_light[-1], is_light[:, 0], is_light[:, -1]]
    )
    assert shares.mean() < 0.5
    thick = is_light.copy()
    thick[:, 2:6] = False
    assert dark_ink_odds(is_light) > dark_ink_odds(thick)


def test_a_clear_border_adds_the_polarity_that_the_contrast_denies():
    gray = np.full((30, 30), 200, np.uint8)
    gray[8:22, 12:18] = 50
    assert crop_signs(gray, [-1]) == [1, -1]
    assert crop_signs(gray, [1]) == [1]
    assert crop_signs(gray, [-1, 1]) == [-1, 1]
