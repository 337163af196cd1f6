import cv2
import numpy as np
import pytest

from cnn.preprocessing.component_labels import label_components
from cnn.preprocessing.printed_components import detect_printed, remove_boxes


@pytest.mark.parametrize("transposed", [False, True])
def test_bars_and_lines_are_printed_and_strokes_are_not(transposed):
    foreground = np.zeros((100, 100), np.float32)
    foreground[:, 0:5] = 90  # A bar along an edge.
    foreground[4:7, 20:80] = 90  # A line near an edge.
    foreground[50:53, 12:92] = 90  # A line across the image.
    foreground[70:73, 30:80] = 90  # A stroke.
    if transposed:
        foreground = np.ascontiguousarray(foreground.T)
    components = label_components(foreground, 20, gap=1)
    is_printed = detect_printed(components, may_touch_border=False)
    areas = components.area[is_printed].tolist()
    assert sorted(areas) == [3 * 60, 3 * 80, 5 * 100]


def test_a_box_is_removed_if_it_contains_a_component():
    box = np.zeros((80, 120), np.float32)
    corners = np.array([[20, 12], [90, 16], [88, 70], [18, 66]])
    cv2.polylines(box, [corners], isClosed=True, color=90)
    empty, has_boxes = remove_boxes(box, 20)
    assert not has_boxes
    np.testing.assert_array_equal(empty, box)
    digit = np.zeros_like(box)
    digit[30:55, 50:54] = 60
    removed, has_boxes = remove_boxes(box + digit, 20)
    assert has_boxes
    np.testing.assert_array_equal(removed, digit)
