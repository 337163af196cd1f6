import numpy as np
from PIL import Image, ImageDraw

from cnn.preprocessing.ink_levels import denoise
from cnn.preprocessing.lines.print_removal import remove_print
from cnn.preprocessing.lines.remaining_ink import erase_enlarged, measure_remaining_ink


def remove_rules(image):
    """What remains of the ink of a drawing, which has one way to remove its rules."""
    ink = denoise(np.asarray(image, np.float32))
    (removal,) = remove_print(ink.foreground, ink.threshold)
    assert removal.is_ruled
    return measure_remaining_ink(ink, removal)


def test_a_faint_character_between_strong_rules_is_ink():
    image = Image.new("L", (120, 120), 0)
    draw = ImageDraw.Draw(image)
    for y in (20, 100):
        draw.line([(0, y), (119, y)], 200, 2)
    draw.ellipse((50, 40, 70, 80), outline=20, width=2)
    ink = remove_rules(image)
    assert ink.contrast == 20
    rows, columns = np.nonzero(ink.foreground > ink.threshold)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 80, 50, 70)


def test_rules_alone_leave_no_ink():
    image = Image.new("L", (120, 120), 0)
    for y in (20, 60, 100):
        ImageDraw.Draw(image).line([(0, y), (119, y)], 200, 2)
    assert remove_rules(image) is None


def test_erased_pixels_are_enlarged_with_the_image():
    erased = np.zeros((10, 10), bool)
    erased[:, 5] = True
    levels = erase_enlarged(np.ones((30, 40), np.float32), erased)
    assert not levels[:, 20:24].any()
    assert levels.sum() == 30 * 36
