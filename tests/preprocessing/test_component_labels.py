import numpy as np

from cnn.preprocessing.component_labels import edge_sharpness, label_components
from cnn.preprocessing.thresholds import THRESHOLDS


def test_components_up_to_two_pixels_apart_get_one_label():
    foreground = np.zeros((20, 30), np.float32)
    foreground[5:10, 5:8] = 9
    foreground[5:10, 10:12] = 9  # Two pixels on.
    foreground[5:10, 20:22] = 9
    apart = label_components(foreground, 5, gap=0)
    joined = label_components(foreground, 5, gap=1)
    assert sorted(apart.mass.tolist()) == [0, 90, 90, 135]
    assert sorted(joined.mass.tolist()) == [0, 90, 225]
    both = int(joined.mass.argmax())
    sides = (joined.left, joined.top, joined.right, joined.bottom)
    assert [side[both] for side in sides] == [5, 5, 12, 10]
    assert joined.area[both] == 25


def test_contacts_with_the_image_border_are_counted():
    foreground = np.zeros((20, 30), np.float32)
    foreground[0:5, 0:4] = 9
    foreground[1:5, 20:24] = 9
    components = label_components(foreground, 5, gap=1)
    assert components.border_contacts[components.left == 20] == 0
    assert sorted(components.border_contacts[1:].tolist()) == [0, 2]


def test_fading_light_is_less_sharp_than_ink():
    foreground = np.zeros((100, 100), np.float32)
    foreground[10:90, 5:85] = 60 * np.outer(np.hanning(80), np.hanning(80))
    foreground[30:70, 92:95] = 60
    components = label_components(foreground, 10, gap=1)
    fading, ink = edge_sharpness(foreground, components)[1:]
    min_sharpness = THRESHOLDS.components.min_sharpness
    assert fading < min_sharpness / 2 < 2 * min_sharpness < ink
