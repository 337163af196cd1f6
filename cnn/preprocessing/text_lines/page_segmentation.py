"""Finds the numbers on a page, in reading order."""

import cv2
import numpy as np

from cnn.preprocessing.boxes import box_slices, scale_box
from cnn.preprocessing.centering import Placement
from cnn.preprocessing.ink_levels import soft_mask
from cnn.preprocessing.text_lines.lattice import Lattice, TextLine
from cnn.preprocessing.text_lines.line_lattice import make_lattice
from cnn.preprocessing.text_lines.page_combs import Comb, assign_to_combs, find_combs
from cnn.preprocessing.text_lines.page_components import (
    PageComponents,
    measure_components,
    select_characters,
)
from cnn.preprocessing.text_lines.page_groups import (
    chain_neighbors,
    estimate_slope,
    find_words,
    number_lines,
    split_at_wide_gaps,
)
from cnn.preprocessing.text_lines.page_ink import PageInk, find_page_ink
from cnn.preprocessing.text_lines.print_evidence import (
    smooth_along_lines,
    weigh_alignment,
    weigh_print,
)
from cnn.preprocessing.thresholds import THRESHOLDS

# Largest gap between the digits of a number, as a fraction of their height.
_MAX_GAP = 1.2
# Largest number of components of a number: twenty digits, some broken.
_MAX_GROUP_SIZE = 30
# Height of a digit from which a mask is enlarged no further, in pixels.
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
    combs, strokes = find_combs(page.strokes, page.rules)
    components = measure_components(strokes)
    characters = components.take(select_characters(components))
    slope = estimate_slope(characters)
    characters = _remove_print(characters, page, slope)
    groups = _find_groups(characters, combs, slope, page.rules)
    boxes = np.array([_enclose(group) for group, _ in groups]).reshape(-1, 4)
    numbers = number_lines(boxes, slope)
    lines = []
    for i in np.lexsort([boxes[:, 0], numbers]).tolist():
        line = _cut_group(page, components, *groups[i], placement)
        if line is not None:
            lines.append(line._replace(line=int(numbers[i])))
    return lines


def _remove_print(
    characters: PageComponents, page: PageInk, slope: float
) -> PageComponents:
    """Leaves out printed characters."""
    odds = weigh_print(characters, page.ink.foreground)
    group = chain_neighbors(characters.box, slope, _MAX_GAP, rules=page.rules)
    word = find_words(characters.box, group)
    odds = smooth_along_lines(odds + weigh_alignment(characters, word), word)
    return characters.take(odds <= 0)


def _find_groups(
    characters: PageComponents, combs: list[Comb], slope: float, rules: np.ndarray
) -> list[tuple[PageComponents, Comb | None]]:
    """Groups characters to numbers, sorted by their left side, with their combs."""
    assigned = assign_to_combs(characters, combs)
    groups: list[tuple[PageComponents, Comb | None]] = [
        (characters.take(assigned == i), combs[i])
        for i in np.unique(assigned[assigned >= 0])
    ]
    free = characters.take(assigned < 0)
    group = chain_neighbors(free.box, slope, _MAX_GAP, rules=rules)
    for i in range(group.max(initial=-1) + 1):
        chain = free.take(group == i)
        part = split_at_wide_gaps(chain.box)
        groups += [(chain.take(part == k), None) for k in range(part[-1] + 1)]
    kept = [entry for entry in groups if len(entry[0].label) <= _MAX_GROUP_SIZE]
    return sorted(kept, key=lambda entry: entry[0].box[0, 0])


def _enclose(group: PageComponents) -> np.ndarray:
    """Returns the box around the components of a group, `int (4,)`."""
    return np.concatenate([group.box[:, :2].min(0), group.box[:, 2:].max(0)])


def _cut_group(
    page: PageInk,
    components: PageComponents,
    group: PageComponents,
    comb: Comb | None,
    placement: Placement,
) -> TextLine | None:
    """Cuts the ink of a group into pieces."""
    box = _enclose(group)
    box = np.concatenate([box[:2] - _MARGIN, box[2:] + _MARGIN])
    box = scale_box(box, 1, page.strokes.shape)
    inside = box_slices(box)
    selected = np.isin(components.labels[inside], group.label)
    # Ink as strong as that of this group becomes 1, however strong the page's print is.
    noise = max(page.ink.noise, THRESHOLDS.max_clean_noise)
    ink = page.ink._replace(foreground=page.ink.foreground[inside], noise=noise)
    mask = soft_mask(ink, selected)
    zoom = max(1.0, _DIGIT_HEIGHT / float(np.median(group.height)))
    if zoom > 1:
        mask = cv2.resize(mask, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    cells = None if comb is None else (comb.sides - box[0]) * zoom
    lattice = make_lattice(mask, placement, cells)
    if lattice is None:
        return None
    return _place_on_page(lattice, 1 / (zoom * page.scale), box[:2] / page.scale)


def _place_on_page(lattice: Lattice, scale: float, offset: np.ndarray) -> TextLine:
    """Makes a text line of a lattice, with boxes in pixels of the page."""
    shift = np.tile(offset, 2).astype(np.float32)
    boxes = lattice.boxes * np.float32(scale) + shift
    box = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    return TextLine(box, (lattice._replace(boxes=boxes),), np.ones(1, np.float32))
