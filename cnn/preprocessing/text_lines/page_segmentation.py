"""Finds the numbers on a page, in reading order."""

import numpy as np

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.text_lines.lattice import TextLine
from cnn.preprocessing.text_lines.line_segmentation import segment_line


def segment_page(gray: np.ndarray, placement: Placement) -> list[TextLine]:
    """Finds every number on a page.

    Args:
      gray: `uint8 (height, width)`.
      placement: size and position of a character in the network input.

    Returns:
      The numbers from top to bottom, and from left to right in each line, with boxes in
      pixels of `gray`.
    """
    line = segment_line(gray, placement)
    return [] if line is None else [line]
