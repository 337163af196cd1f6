"""Finds the text lines of a decoded image by its layout."""

from PIL import Image

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.grayscale import grayscale_candidates
from cnn.preprocessing.text_lines.lattice import TextLine
from cnn.preprocessing.text_lines.line_segmentation import segment_line
from cnn.preprocessing.text_lines.page_segmentation import segment_page

# Shorter side of a picture that may show one line, in pixels.
_MAX_LINE_SIDE = 400


def find_text_lines(
    image: Image.Image, layout: str, placement: Placement
) -> tuple[TextLine, ...]:
    """Finds the numbers in an image.

    Args:
      image: upright, of any mode.
      layout: `line` for one number, `page` for all numbers of a page.
      placement: size and position of a character in the network input.

    Returns:
      The numbers, with boxes in pixels of `image`. At most one for `line`.
    """
    for gray in grayscale_candidates(image):
        lines = segment_page(gray, placement) if layout == "page" else []
        # A small picture may be a page of one number.
        if layout == "line" or (not lines and min(gray.shape) <= _MAX_LINE_SIDE):
            line = segment_line(gray, placement)
            lines = [] if line is None else [line]
        if lines:
            return tuple(lines)
    return ()
