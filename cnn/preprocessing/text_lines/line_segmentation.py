"""Segments one text line, and cuts it into pieces."""

import numpy as np

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.foreground import foreground_candidates
from cnn.preprocessing.ink_levels import denoise, soft_mask
from cnn.preprocessing.text_lines.lattice import TextLine
from cnn.preprocessing.text_lines.line_lattice import make_lattice


def segment_line(gray: np.ndarray, placement: Placement) -> TextLine | None:
    """Finds the number in an image of one text line.

    Args:
      gray: `uint8 (height, width)`.
      placement: size and position of a character in the network input.

    Returns:
      The line, with boxes in pixels of `gray`, or None if there is no ink.
    """
    foreground = next(iter(foreground_candidates(gray)))
    ink = denoise(foreground.levels)
    mask = soft_mask(ink, ink.foreground > ink.threshold)
    lattice = make_lattice(mask, placement)
    if lattice is None:
        return None
    boxes = lattice.boxes
    box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    return TextLine(box, (lattice,), np.ones(1, np.float32))
