"""Segments one text line, and cuts it into pieces."""

import numpy as np

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.text_lines.lattice import TextLine
from cnn.preprocessing.text_lines.line_lattice import make_lattice
from cnn.preprocessing.text_lines.line_mask import find_line_masks


def segment_line(gray: np.ndarray, placement: Placement) -> TextLine | None:
    """Finds the number in an image of one text line.

    Args:
      gray: `uint8 (height, width)`.
      placement: size and position of a character in the network input.

    Returns:
      The line, with boxes in pixels of `gray`, or None if there is no ink.
    """
    lattices = []
    weights = []
    for found in find_line_masks(gray):
        cells = None if found.cells is None else found.cells.tolist()
        lattice = make_lattice(found.mask, placement, cells, found.is_comb)
        if lattice is None:
            continue
        boxes = found.work.to_picture(lattice.boxes, gray.shape)
        lattices.append(lattice._replace(boxes=boxes))
        weights.append(found.weight)
    if not lattices:
        return None
    boxes = lattices[0].boxes
    box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    return TextLine(box, tuple(lattices), np.array(weights, np.float32))
