import numpy as np

from cnn.preprocessing import segmentation
from cnn.preprocessing.glyph import Glyph, render_mask
from cnn.preprocessing.thresholds import THRESHOLDS


def test_a_mask_has_the_glyph_in_its_region():
    glyph = Glyph(
        np.ones((7, 5), np.float32),
        (0.25, 0.1, 0.5, 0.9),
        unambiguous=True,
        has_other_characters=False,
    )
    mask = render_mask(glyph, (100, 200))
    expected = np.zeros((100, 200), np.float32)
    expected[10:90, 50:100] = 1
    np.testing.assert_array_equal(mask, expected)


def test_a_small_character_is_segmented_at_full_resolution():
    gray = np.full((900, 1200), 250, np.uint8)
    gray[700:703, 1000:1030] = 30  # A plus of 30 by 30.
    gray[687:717, 1014:1017] = 30
    (glyph,) = segmentation.find_glyphs(gray)
    left, top, right, bottom = np.array(glyph.region) * [1200, 900, 1200, 900]
    assert left > 950
    assert right < 1080
    assert top > 640
    assert bottom < 760
    # As many pixels of ink as were drawn, not a quarter of them.
    assert 150 < (glyph.mask > 0.5).sum() < 240


def test_an_image_with_less_than_the_minimum_contrast_has_no_glyph():
    gray = np.full((120, 160), 200, np.uint8)
    gray[40:80, 60:66] -= int(THRESHOLDS.min_contrast) // 2
    assert segmentation.find_glyphs(gray) == []
