"""Finds the ink of one number in an image of a text line, as a mask for the cutter."""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.background import estimate_polarity
from cnn.preprocessing.ink_levels import Ink
from cnn.preprocessing.text_lines import line_ink
from cnn.preprocessing.text_lines.digit_band import Band, Marks, find_marks
from cnn.preprocessing.text_lines.field_lines import FieldInk
from cnn.preprocessing.text_lines.line_search import find_text, find_work_image
from cnn.preprocessing.text_lines.text_selection import select_components
from cnn.preprocessing.text_lines.work_image import WorkImage, reduce_picture

# Side of the closing of a line, as a fraction of a digit's height.
_KERNEL = 0.6
# Contrast of text, as a fraction of that of all ink, from which the lines beside it do
# not hide it.
_MAX_PALER = 0.75
# Prior probability that doubtful ink beside a number is a margin's, or a label.
_MARGIN_WEIGHT = 0.6


class LineMask(NamedTuple):
    """The ink of a text line.

    Attributes:
      mask: `float32 (height, width)` in [0, 1], at a standard height of the digits.
      work: the image that it was made from, and its place in the picture.
      cells: `float32 (n,)`, columns of the printed borders between digits, or None.
      weight: prior probability relative to the line's other masks.
      is_comb: whether each cell is for one digit.
    """

    mask: np.ndarray
    work: WorkImage
    cells: np.ndarray | None = None
    weight: float = 1.0
    is_comb: bool = False


def find_line_masks(gray: np.ndarray) -> list[LineMask]:
    """Finds the ink of a line in several ways, the most plausible first.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      Up to three masks, none for a picture without ink.
    """
    reduced = reduce_picture(gray)
    # Where the polarity is open, as beside a black margin, ink is dark: 1 is first.
    for sign in sorted(estimate_polarity(gray), reverse=True):
        work = find_work_image(gray, reduced, sign)
        if work is None:
            continue
        masks = _select_text(work, sign)
        if masks:
            return masks
    return []


def _select_text(work: WorkImage, sign: int) -> list[LineMask]:
    """Selects the ink of the number in a work image, in up to two ways."""
    ink = line_ink.subtract_paper(work.gray, sign, int(_KERNEL * work.digit_height))
    found = _find_text(ink, work)
    if found is None:
        return []
    if found[0].lines.any():
        # Black lines hide pencil: its own contrast tells it from the paper.
        paler = line_ink.without_lines(ink, found[0].lines)
        if paler.contrast < _MAX_PALER * ink.contrast:
            ink, found = paler, _find_text(paler, work) or found
    field, band = found
    marks, borders = field.marks, field.borders
    belongs, doubtful = select_components(marks, band, work)
    if field.comb is not None:
        # The number is inside the comb, a label beside it.
        inside = _is_inside(marks, field.comb)
        belongs, doubtful = belongs & inside, np.zeros_like(doubtful)
    if not belongs.any():
        return []
    cells = _find_cells(borders, band)
    ways = [(belongs, 1.0)]
    # A drawing has no margin, and no noise.
    if doubtful.any() and ink.noise > 0:
        without = (belongs & ~doubtful, _MARGIN_WEIGHT)
        ways = sorted([(belongs, 1 - _MARGIN_WEIGHT), without], key=lambda way: -way[1])
    masks = []
    for selected, weight in ways:
        text = np.concatenate([[False], selected])[marks.labels]
        mask = line_ink.scale_text(ink, text)
        masks.append(LineMask(mask, work, cells, weight, field.comb is not None))
    return masks


def _is_inside(marks: Marks, ends: tuple[float, float]) -> np.ndarray:
    """Tells which components have their middle between two columns, `bool (n,)`."""
    middles = (marks.boxes[:, 0] + marks.boxes[:, 2]) / 2
    return (middles > ends[0]) & (middles < ends[1])


def _find_text(ink: Ink, work: WorkImage) -> tuple[FieldInk, Band] | None:
    """Finds the text in the ink of a work image."""
    marks = find_marks(line_ink.binarize(ink))
    rows = (work.inside[1], work.inside[3])
    weak = line_ink.binarize_weak(ink)
    return find_text(marks, work.digit_height, rows, weak=weak)


def _find_cells(borders: np.ndarray, band: Band) -> np.ndarray | None:
    """Returns the borders between digits, or None if there is none."""
    inside = (borders > band.left) & (borders < band.right)
    return borders[inside].astype(np.float32) if inside.any() else None
