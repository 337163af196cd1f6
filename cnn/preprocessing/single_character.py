"""Finds a strong character on paper without anything else, at a first look.

The searches for printed lines take more time than all else that a plain sheet needs.
Lines would be components beside the character, or would reach the edges of the image.
Fainter ones than the ink threshold of a strong character change none of its pixels.
"""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.component_labels import Components, label_components
from cnn.preprocessing.foreground import Foreground
from cnn.preprocessing.ink_levels import Ink, denoise
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.single_character


class SingleCharacter(NamedTuple):
    """A character that is alone in its image.

    Attributes:
      ink: the ink of the image.
      components: its components.
      may_be_line: whether a stroke may be a line that crosses the image.
      may_have_line: whether it may be a line that ends inside, and a smaller character.
    """

    ink: Ink
    components: Components
    may_be_line: bool
    may_have_line: bool


def find_single_character(foreground: Foreground) -> SingleCharacter | None:
    """Finds a strong character without other ink. Returns None for other images.

    Args:
      foreground: the most plausible estimate of the ink.
    """
    if foreground.may_touch_border:
        return None
    ink = denoise(foreground.levels)
    min_contrast = THRESHOLDS.min_contrast_to_noise * ink.noise
    if ink.contrast < max(_THRESHOLDS.min_contrast, min_contrast):
        return None
    gap = THRESHOLDS.components.label_gap
    components = label_components(ink.foreground, ink.threshold, gap)
    main = int(components.area.argmax())
    max_area = (1 + _THRESHOLDS.max_rest) * components.area[main]
    if components.border_contacts[main] or components.area.sum() > max_area:
        return None
    box = components.box(main)
    transposed_box = [box[1], box[0], box[3], box[2]]
    rows, columns = components.labels.shape
    may_be_line = _may_be_line(box, rows, columns)
    may_be_line |= _may_be_line(transposed_box, columns, rows)
    mask = components.labels[box[1] : box[3], box[0] : box[2]] == main
    may_have_line = _may_have_line(mask) or _may_have_line(mask.T)
    margin = min(box[0], box[1], columns - box[2], rows - box[3])
    # A line at the edge of the image may be shorter.
    may_have_line |= margin <= _THRESHOLDS.border_margin
    return SingleCharacter(ink, components, may_be_line, may_have_line)


def _may_be_line(box: list[int], rows: int, columns: int) -> bool:
    """Tells whether a box may hold a nearly horizontal line that crosses the image.

    Args:
      box: left, top, right and bottom.
      rows: height of the image.
      columns: width of the image.
    """
    left, top, right, bottom = box
    is_long = right - left > _THRESHOLDS.min_line_length * columns
    reaches_ends = max(left, columns - right) < _THRESHOLDS.max_end_margin * columns
    # A line that leaves the image at the top or bottom may be shorter.
    min_margin = _THRESHOLDS.min_side_margin * columns
    leaves_image = min(top, rows - bottom) < min_margin
    return (is_long and reaches_ends) or leaves_image


def _may_have_line(mask: np.ndarray) -> bool:
    """Tells whether ink may be a nearly vertical line and a smaller character.

    Beyond the character, the rows of the ink are only as wide as the line.

    Args:
      mask: `bool (height, width)`, cut out along the ink.
    """
    height, width = mask.shape
    span = width - mask.argmax(axis=1) - mask[:, ::-1].argmax(axis=1)
    max_width = _THRESHOLDS.max_line_width * height + _THRESHOLDS.edge_width
    wide = np.flatnonzero((span > max_width) & mask.any(axis=1))
    if not wide.size:
        return True
    return bool(wide[-1] - wide[0] < _THRESHOLDS.max_side_to_line * height)
