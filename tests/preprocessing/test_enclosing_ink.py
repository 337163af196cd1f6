import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.enclosing_ink import may_enclose_character
from cnn.preprocessing.glyph import Glyph


def as_glyph(draw_on) -> Glyph:
    """A segmentation of 100×100 pixels."""
    image = Image.new("L", (100, 100), 0)
    draw_on(ImageDraw.Draw(image))
    mask = np.asarray(image, np.float32) / 255
    return Glyph(mask, (0, 0, 1, 1), unambiguous=True, has_other_characters=False)


def ring(draw):
    draw.ellipse((5, 5, 95, 95), outline=255, width=4)


def ring_with_one(draw):
    draw.arc((5, 5, 95, 95), 20, 350, fill=255, width=4)  # It is not closed.
    draw.line([(50, 30), (50, 70)], 255, 6)


def disc(draw):
    draw.ellipse((5, 5, 95, 95), fill=255)


def seven(draw):
    draw.line([(20, 10), (80, 10), (40, 95)], 255, 8)


def eight(draw):
    draw.ellipse((30, 5, 70, 45), outline=255, width=6)
    draw.ellipse((25, 40, 75, 95), outline=255, width=6)


def five_with_detached_top(draw):
    draw.arc((20, 40, 80, 95), 200, 150, fill=255, width=6)
    draw.line([(30, 15), (75, 12)], 255, 6)


@pytest.mark.parametrize("outline", [ring, ring_with_one, disc])
def test_rings_and_discs_may_enclose_a_character(outline):
    assert may_enclose_character([as_glyph(outline)])
    assert may_enclose_character([as_glyph(seven), as_glyph(outline)])


@pytest.mark.parametrize("character", [seven, eight, five_with_detached_top])
def test_plain_characters_enclose_none(character):
    assert not may_enclose_character([as_glyph(character)])


def test_an_image_without_ink_is_searched():
    assert may_enclose_character([])
