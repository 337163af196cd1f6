import numpy as np
from PIL import Image, ImageDraw

from cnn.preprocessing import background, thin_ink


def draw_line(width, ink=140, side=900) -> np.ndarray:
    """Draws a slanted line on paper that darkens to the right."""
    x = np.linspace(0, 1, side)
    paper = np.tile(210 - 60 * x, (side, 1)).astype(np.uint8)
    image = Image.fromarray(paper)
    ImageDraw.Draw(image).line([(300, 100), (600, 800)], ink, width)
    return np.asarray(image)


def test_a_line_of_one_pixel_keeps_its_contrast():
    gray = draw_line(1)
    small = background.downscale(gray, 150)
    (foreground,) = thin_ink.find_thin_ink(gray, small)
    assert foreground.levels.shape == small.shape == (150, 150)
    assert foreground.sign == 1
    assert foreground.weight > 1
    # The line crosses row 75 at column 75, where the paper's level is 180.
    assert foreground.levels[75, 72:79].max() > 10
    assert foreground.levels[75, 72:79].max() > 2 * (
        small[75, 60] - small[75, 72:79].astype(float).min() - 10
    )
    assert np.abs(foreground.levels[:, :40]).max() < 3


def test_strokes_that_the_searched_image_shows_are_not_searched_again():
    gray = draw_line(14)
    small = background.downscale(gray, 150)
    assert not list(thin_ink.find_thin_ink(gray, small))


def test_an_image_that_is_hardly_reduced_is_not_searched_again():
    gray = draw_line(1)[300:520, 300:520]
    small = background.downscale(gray, 150)
    assert not list(thin_ink.find_thin_ink(gray, small))


def test_the_darkest_pixels_of_a_very_large_image_are_kept():
    gray = draw_line(1, side=3000, ink=60)
    small = background.downscale(gray, 150)
    (foreground,) = thin_ink.find_thin_ink(gray, small)
    row = 3000 * 20 // 150
    assert foreground.levels.shape == (150, 150)
    column = (300 + (row - 100) * 300 // 700) // 20
    assert foreground.levels[20, column - 2 : column + 3].max() > 40
