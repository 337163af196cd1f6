import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cnn.preprocessing.segmentation import find_glyphs


def page(one_x, ring_x, ring_level):
    """A tall 1 and a small ring beside it on white paper, 200×240 pixels."""
    image = Image.new("L", (200, 240), 230)
    draw = ImageDraw.Draw(image)
    draw.line([(one_x, 40), (one_x, 200)], 40, 7)
    box = (ring_x - 18, 95, ring_x + 18, 145)
    draw.ellipse(box, outline=ring_level, width=6)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)))


def likeliest_height(gray):
    """Height of the likeliest segmentation, as a fraction of the image's."""
    glyph = max(find_glyphs(gray), key=lambda glyph: glyph.weight)
    _, top, _, bottom = glyph.region
    return bottom - top


def test_a_1_in_the_middle_beside_a_faint_stain_is_kept():
    assert likeliest_height(page(one_x=90, ring_x=130, ring_level=200)) > 0.6


def test_a_faint_character_in_the_middle_beside_a_line_is_kept():
    assert likeliest_height(page(one_x=170, ring_x=100, ring_level=200)) < 0.3
