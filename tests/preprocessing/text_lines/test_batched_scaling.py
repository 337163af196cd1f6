"""Tests that pieces are scaled as single characters are."""

import cv2
import numpy as np
import pytest

from cnn.preprocessing.centering import Placement, scale_and_center, thicken_strokes
from cnn.preprocessing.text_lines.batched_scaling import scale_pieces

SIZE = 72  # Of the masks, in pixels.


def draw_pieces(height, width=3):
    """Draws an L, a ring and a slanted stroke of a height, in pixels."""
    masks = np.zeros((3, SIZE, SIZE), np.uint8)
    top, bottom = 10, 10 + height
    middle = height // 2
    cv2.polylines(
        masks[0], [np.array([(20, top), (20, bottom), (35, bottom)])], False, 255, width
    )
    cv2.circle(masks[1], (34, top + middle), middle - 1, 255, width)
    cv2.line(masks[2], (20, bottom), (32, top), 255, width, cv2.LINE_AA)
    return masks.astype(np.float32) / 255


@pytest.mark.parametrize("by_center_of_mass", [True, False])
@pytest.mark.parametrize("height", [12, 20, 31, 38])
def test_pieces_are_scaled_as_characters_are(height, by_center_of_mass):
    placement = Placement(20, by_center_of_mass)
    masks = draw_pieces(height)
    images = scale_pieces(masks, placement, is_reduced=False)
    assert np.abs(images - scale_and_center(masks, placement)).max() < 0.03


def test_thin_strokes_of_large_pieces_are_widened():
    placement = Placement(20, by_center_of_mass=True)
    masks = draw_pieces(48, width=2)
    expected = [
        scale_and_center(thicken_strokes(mask)[None], placement)[0] for mask in masks
    ]
    images = scale_pieces(masks, placement, is_reduced=False)
    assert np.abs(images - np.stack(expected)).max() < 0.06
