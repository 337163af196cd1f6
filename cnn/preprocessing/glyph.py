"""A segmented character and its place in the image."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.boxes import box_slices, scale_box


class Glyph(NamedTuple):
    """A segmented character.

    Attributes:
      mask: `float32 (height, width)` from 0, background, to 1, ink.
      region: left, top, right and bottom of the mask, as fractions of the image's
        width and height.
      unambiguous: whether no other segmentation is plausible.
      has_other_characters: whether there are other characters in the image.
      weight: prior probability relative to the image's other segmentations. One that
        leaves out ink needs evidence that this ink is no part of the character.
    """

    mask: np.ndarray
    region: tuple[float, float, float, float]
    unambiguous: bool
    has_other_characters: bool
    weight: float = 1.0


def render_mask(glyph: Glyph, shape: tuple[int, int]) -> np.ndarray:
    """Renders a glyph at its place in the whole image.

    Args:
      glyph: the character.
      shape: height and width of the mask in pixels, of any size.

    Returns:
      `float32 (height, width)` in [0, 1].
    """
    mask = np.zeros(shape, np.float32)
    size = np.tile(shape[::-1], 2)
    region = np.array(glyph.region) * size
    box = scale_box(region, 1, mask.shape)
    target = mask[box_slices(box)]
    if target.size:
        target[:] = cv2.resize(glyph.mask, target.shape[::-1])
    return mask


def to_image_region(glyph: Glyph, part: np.ndarray, shape: tuple[int, ...]) -> Glyph:
    """Converts the region of a glyph from a part of an image to the image.

    Args:
      glyph: a glyph with a region in the part.
      part: `int (4,)`, left, top, right and bottom of the part, in pixels.
      shape: height and width of the image.
    """
    height, width = shape
    first_column, first_row, last_column, last_row = part.tolist()
    left, top, right, bottom = glyph.region
    part_width = last_column - first_column
    part_height = last_row - first_row
    region = (
        (first_column + left * part_width) / width,
        (first_row + top * part_height) / height,
        (first_column + right * part_width) / width,
        (first_row + bottom * part_height) / height,
    )
    return glyph._replace(region=region)
