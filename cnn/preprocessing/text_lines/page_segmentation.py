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

from cnn.preprocessing.boxes import OUTWARDS, box_slices, scale_box
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.ink_levels import soft_mask
from cnn.preprocessing.text_lines.lattice import Lattice, TextLine
from cnn.preprocessing.text_lines.line_lattice import make_lattice
from cnn.preprocessing.text_lines.line_segmentation import segment_line
from cnn.preprocessing.text_lines.page_ink import PageInk, find_page_ink
from cnn.preprocessing.text_lines.page_numbers import PageNumber, find_page_numbers
from cnn.preprocessing.thresholds import THRESHOLDS

# Height of a digit to which smaller ones are enlarged, in pixels.
_DIGIT_HEIGHT = 44
# Margin around a number, in pixels of the working page, for its antialiased edge.
_MARGIN = 3
# Margin around a comb, in widths of a cell, in which its frame is found.
_COMB_MARGIN = 0.3


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
    lines = []
    for number in find_page_numbers(page):
        line = _read_comb(gray, page, number, placement)
        line = line or _cut_number(page, number, placement)
        if line is not None:
            lines.append(line._replace(line=number.line, log_odds=number.log_odds))
    return lines


def _read_comb(
    gray: np.ndarray, page: PageInk, number: PageNumber, placement: Placement
) -> TextLine | None:
    """Segments the number of a comb as a line, which keeps digits that touch its lines.

    Returns:
      The line, or None if there is no comb or nothing in it.
    """
    comb = number.comb
    if comb is None:
        return None
    area = np.array([comb.sides[0], comb.top, comb.sides[-1], comb.bottom])
    bounds = number.components.bounds
    area[:2] = np.minimum(area[:2], bounds[:2])
    area[2:] = np.maximum(area[2:], bounds[2:])
    area += _COMB_MARGIN * comb.pitch * OUTWARDS
    part = scale_box(area, 1 / page.scale, gray.shape)
    line = segment_line(gray[box_slices(part)], placement)
    if line is None:
        return None
    return line.transform_boxes(np.ones(4), np.tile(part[:2], 2))


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
    return _place_on_page(lattice, 1 / (zoom * page.scale), box[:2] / page.scale)


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
