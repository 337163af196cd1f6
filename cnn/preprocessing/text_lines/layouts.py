"""Finds the text lines of a decoded image, or of a region of it, by its layout."""

import numpy as np
from PIL import Image

from cnn.page_region import Region
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.grayscale import grayscale_candidates
from cnn.preprocessing.text_lines.lattice import TextLine
from cnn.preprocessing.text_lines.line_segmentation import segment_line
from cnn.preprocessing.text_lines.page_segmentation import segment_page

# Shorter side of a picture that may show one line, in pixels.
_MAX_LINE_SIDE = 400


def crop_region(image: Image.Image, region: Region | None) -> Image.Image:
    """Crops the region of an upright image, at least one pixel of it."""
    if region is None:
        return image
    left = min(int(region.left * image.width), image.width - 1)
    top = min(int(region.top * image.height), image.height - 1)
    right = max(round(region.right * image.width), left + 1)
    bottom = max(round(region.bottom * image.height), top + 1)
    return image.crop((left, top, right, bottom))


def find_text_lines(
    image: Image.Image, layout: str, placement: Placement, region: Region | None = None
) -> tuple[TextLine, ...]:
    """Finds the numbers in an image.

    Args:
      image: upright, of any mode.
      layout: `line` for one number, `page` for all numbers of a page.
      placement: size and position of a character in the network input.
      region: the part of the image to read. None is all of it.

    Returns:
      The numbers, with boxes in pixels of `image`. At most one for `line`.
    """
    cropped = crop_region(image, region)
    for gray in grayscale_candidates(cropped):
        lines = segment_page(gray, placement) if layout == "page" else []
        # A small picture may be a page of one number.
        if layout == "line" or (not lines and min(gray.shape) <= _MAX_LINE_SIDE):
            line = segment_line(gray, placement)
            lines = [] if line is None else [line]
        if lines:
            return tuple(_move(line, image, region) for line in lines)
    return ()


def _move(line: TextLine, image: Image.Image, region: Region | None) -> TextLine:
    """Moves the boxes of a line from the region to the image."""
    if region is None:
        return line
    left = min(int(region.left * image.width), image.width - 1)
    top = min(int(region.top * image.height), image.height - 1)
    offset = np.array([left, top, left, top], np.float32)
    lattices = tuple(
        lattice._replace(boxes=lattice.boxes + offset) for lattice in line.lattices
    )
    return line._replace(box=line.box + offset, lattices=lattices)
