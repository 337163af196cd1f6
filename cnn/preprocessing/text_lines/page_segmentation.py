"""Finds the numbers on a page, in reading order.

| step | module |
|---|---|
| subtract the paper, remove rules | `page_ink` |
| find combs, and remove their cells | `page_combs` |
| measure connected components | `page_components` |
| tell print from handwriting | `print_evidence` |
| chain characters to numbers, and these to lines | `page_groups` |
| weigh whether it is a number | `number_evidence`, `lone_strokes` |
| cut each number into pieces | `line_lattice` |
"""

import cv2
import numpy as np

from cnn.preprocessing.boxes import box_slices, scale_box
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.ink_levels import soft_mask
from cnn.preprocessing.text_lines.lattice import Lattice, TextLine
from cnn.preprocessing.text_lines.line_lattice import make_lattice
from cnn.preprocessing.text_lines.page_ink import PageInk, find_page_ink
from cnn.preprocessing.text_lines.page_numbers import PageNumber, find_page_numbers
from cnn.preprocessing.thresholds import THRESHOLDS

# Height of a digit to which smaller ones are enlarged, in pixels.
_DIGIT_HEIGHT = 44
# Margin around a number, in pixels of the working page, for its antialiased edge.
_MARGIN = 3


def segment_page(gray: np.ndarray, placement: Placement) -> list[TextLine]:
    """Finds every number on a page.

    Args:
      gray: `uint8 (height, width)`.
      placement: size and position of a character in the network input.

    Returns:
      The numbers from top to bottom, and from left to right in each line, with boxes in
      pixels of `gray`.
    """
    page = find_page_ink(gray)
    lines = [_cut_number(page, number, placement) for number in find_page_numbers(page)]
    return [line for line in lines if line is not None]


def _cut_number(
    page: PageInk, number: PageNumber, placement: Placement
) -> TextLine | None:
    """Cuts the ink of a number into pieces."""
    group = number.components
    box = group.bounds + _MARGIN * np.array([-1, -1, 1, 1])
    box = scale_box(box, 1, page.strokes.shape)
    mask = _draw_mask(page, number, box)
    zoom = max(1.0, _DIGIT_HEIGHT / number.digit_height)
    if zoom > 1:
        mask = cv2.resize(mask, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    cells = None if number.comb is None else (number.comb.sides - box[0]) * zoom
    lattice = make_lattice(mask, placement, cells)
    if lattice is None:
        return None
    line = _place_on_page(lattice, 1 / (zoom * page.scale), box[:2] / page.scale)
    return line._replace(line=number.line, log_odds=number.log_odds)


def _draw_mask(page: PageInk, number: PageNumber, box: np.ndarray) -> np.ndarray:
    """Scales the ink of a number in a box to [0, 1], `float32 (height, width)`."""
    inside = box_slices(box)
    group = number.components
    selected = np.isin(group.labels[inside], group.label)
    # Ink as strong as that of this number becomes 1, however strong the print is.
    noise = max(page.ink.noise, THRESHOLDS.max_clean_noise)
    ink = page.ink._replace(foreground=page.ink.foreground[inside], noise=noise)
    return soft_mask(ink, selected)


def _place_on_page(lattice: Lattice, scale: float, offset: np.ndarray) -> TextLine:
    """Makes a text line of a lattice, with boxes in pixels of the page."""
    shift = np.tile(offset, 2).astype(np.float32)
    boxes = lattice.boxes * np.float32(scale) + shift
    box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    return TextLine(box, (lattice._replace(boxes=boxes),), np.ones(1, np.float32))
