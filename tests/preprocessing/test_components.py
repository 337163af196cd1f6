import numpy as np

from cnn.preprocessing.components import select_character


def test_an_image_without_ink_has_no_character():
    foreground = np.zeros((80, 120), np.float32)
    assert select_character(foreground, 20, may_touch_border=False) is None
    assert select_character(foreground, 20, may_touch_border=True) is None


def test_a_component_beside_is_another_character_and_a_stroke_above_is_a_part():
    foreground = np.zeros((80, 120), np.float32)
    foreground[20:60, 40:44] = 90
    foreground[20:60, 48:52] = 60  # As high, and four pixels on.
    foreground[12:16, 36:56] = 60
    selection = select_character(foreground, 20, may_touch_border=False)
    assert selection.box.tolist() == [36, 12, 56, 60]
    assert selection.mask.sum() == 40 * 4 + 4 * 20
    assert selection.has_other_characters


def test_a_dash_longer_than_the_character_is_high_is_no_part():
    foreground = np.zeros((80, 120), np.float32)
    foreground[20:60, 40:44] = 90
    foreground[63:67, 20:70] = 40
    selection = select_character(foreground, 20, may_touch_border=False)
    assert selection.mask.sum() == 40 * 4


def test_a_full_stop_is_no_part():
    foreground = np.zeros((80, 120), np.float32)
    foreground[20:60, 40:44] = 90
    foreground[55:60, 47:52] = 90
    selection = select_character(foreground, 20, may_touch_border=False)
    assert selection.mask.sum() == 40 * 4
    assert not selection.has_other_characters


def test_main_component_and_parts_are_selected_without_specks():
    foreground = np.zeros((60, 60), np.float32)
    # 80 pixels, 20 high. A part is up to 5 pixels away and has at least 320 of mass.
    foreground[20:40, 28:32] = 100
    foreground[43:46, 29:31] = 100  # Near, and no speck.
    foreground[30, 45] = 100  # A speck, and 13 away.
    foreground[20:40, 52:54] = 100  # Half as heavy, and far away: another character.
    foreground[0:60, 0:2] = 100  # A bar along an edge.
    selection = select_character(foreground, 50, may_touch_border=False)
    assert selection.mask.sum() == 86
    assert selection.mask[20:40, 28:32].all()
    assert selection.mask[43:46, 29:31].all()
    assert selection.unambiguous
    assert selection.has_other_characters
