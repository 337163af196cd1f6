"""Selects the connected components that make up the character.

The main component has the largest weight by mass, sharpness and position. Parts of the
character are near it. Printed components and neighboring characters are left out.
"""

from typing import NamedTuple

import numpy as np

from cnn.preprocessing.component_labels import (
    Components,
    edge_sharpness,
    label_components,
)
from cnn.preprocessing.neighbors import enters_from_side, middle_factor
from cnn.preprocessing.printed_components import detect_printed
from cnn.preprocessing.thresholds import THRESHOLDS

_THRESHOLDS = THRESHOLDS.components


class Selection(NamedTuple):
    """The selected components.

    Attributes:
      mask: `bool (height, width)`, pixels of the selected components.
      box: `int (4,)`, left, top, right and bottom of the selected components, in
        pixels.
      unambiguous: whether the main component is sharp and inside the image.
      has_other_characters: whether there are other characters in the image.
      weight: prior probability relative to other selections.
    """

    mask: np.ndarray
    box: np.ndarray
    unambiguous: bool
    has_other_characters: bool
    weight: float = 1.0


def select_character(
    foreground: np.ndarray,
    ink_threshold: float,
    may_touch_border: bool,
    may_have_neighbors: bool = False,
) -> Selection | None:
    """Selects the components of one character.

    Args:
      foreground: `float32 (height, width)`, levels above the background.
      ink_threshold: smallest level of ink, exclusive.
      may_touch_border: whether the character may touch the image border.
      may_have_neighbors: whether pieces of neighbors may enter a crop from its sides.

    Returns:
      The selection, or None if there is no ink.
    """
    gap = 0 if may_touch_border else _THRESHOLDS.label_gap
    components = label_components(foreground, ink_threshold, gap)
    return select_among(components, foreground, may_touch_border, may_have_neighbors)


def select_among(
    components: Components,
    foreground: np.ndarray,
    may_touch_border: bool,
    may_have_neighbors: bool = False,
) -> Selection | None:
    """Selects the components of one character, like `select_character`.

    Args:
      components: the components of `foreground`.
      foreground: `float32 (height, width)`, levels above the background.
      may_touch_border: whether the character may touch the image border.
      may_have_neighbors: whether pieces of neighbors may enter a crop from its sides.
    """
    if components.num_labels < 2:
        return None
    if components.num_labels == 2 and may_touch_border:
        return _make_selection(
            components,
            np.array([False, True]),
            unambiguous=True,
            has_other_characters=False,
        )
    if may_touch_border:
        sharpness = np.ones(components.num_labels)
    else:
        sharpness = edge_sharpness(foreground, components)
    is_printed = detect_printed(components, may_touch_border)
    weights = _weigh(components, sharpness, is_printed, may_touch_border)
    if may_have_neighbors:
        weights = weights * middle_factor(components)
    main = int(weights.argmax())
    is_written = ~is_printed & _is_sharp(sharpness, main)
    is_selected = is_written & _is_part(components, main, may_touch_border)
    if may_have_neighbors:
        is_selected &= ~enters_from_side(components, main)
    is_selected[main] = True
    is_selected[0] = False
    is_other = is_written & ~is_selected
    is_other &= _is_character(components, main)
    main_is_sharp = bool(sharpness[main] >= _THRESHOLDS.min_sharpness)
    main_is_inside = may_touch_border or not components.border_contacts[main]
    return _make_selection(
        components,
        is_selected,
        unambiguous=main_is_sharp and main_is_inside,
        has_other_characters=bool(is_other[1:].any()),
    )


def _make_selection(
    components: Components,
    is_selected: np.ndarray,
    unambiguous: bool,
    has_other_characters: bool,
) -> Selection:
    left = components.left[is_selected].min()
    top = components.top[is_selected].min()
    right = components.right[is_selected].max()
    bottom = components.bottom[is_selected].max()
    mask = components.select_pixels(is_selected)
    box = np.array([left, top, right, bottom])
    return Selection(mask, box, unambiguous, has_other_characters)


def _weigh(
    components: Components,
    sharpness: np.ndarray,
    is_printed: np.ndarray,
    may_touch_border: bool,
) -> np.ndarray:
    """Computes a weight by which the main component is the largest.

    Args:
      components: the components of an image.
      sharpness: `float64 (labels,)`, see `edge_sharpness`.
      is_printed: `bool (labels,)`.
      may_touch_border: whether the character may touch the image border. If it may,
        position and shape do not matter.

    Returns:
      `float64 (labels,)`, mass times a factor from 0 to 1 for each criterion.
    """
    relative_sharpness = sharpness / _THRESHOLDS.min_sharpness
    sharpness_factor = np.clip(relative_sharpness, _THRESHOLDS.min_sharpness_factor, 1)
    printed_factor = np.where(is_printed, _THRESHOLDS.printed_factor, 1)
    weights = components.mass * sharpness_factor**2 * printed_factor
    if may_touch_border:
        return weights
    touches_border = components.border_contacts > 0
    border_factor = np.where(touches_border, _THRESHOLDS.border_factor, 1)
    position_factor = _centrality(components) * border_factor
    flat_factor = np.where(_is_flat(components), _THRESHOLDS.flat_factor, 1)
    return weights * position_factor * flat_factor


def _is_flat(components: Components) -> np.ndarray:
    """Tells which bounding boxes are much wider than high."""
    max_width = _THRESHOLDS.max_aspect_ratio * components.height
    return components.width > max_width


def _centrality(components: Components) -> np.ndarray:
    """Computes a factor of 1 in the image's center and about a third at its border."""
    rows, columns = components.labels.shape
    horizontal_sum = components.left + components.right
    vertical_sum = components.top + components.bottom
    x = np.abs(horizontal_sum / columns - 1)
    y = np.abs(vertical_sum / rows - 1)
    distance = np.maximum(x, y)
    distance = np.minimum(1, distance)
    remainder = 1 - _THRESHOLDS.border_loss * distance
    return remainder**_THRESHOLDS.centrality_exponent


def _is_sharp(sharpness: np.ndarray, main: int) -> np.ndarray:
    """Tells which components are about as sharp as the main one."""
    reference = min(sharpness[main], _THRESHOLDS.min_sharpness)
    min_sharpness = _THRESHOLDS.min_relative_sharpness * reference
    return sharpness > min_sharpness


def _is_character(components: Components, main: int) -> np.ndarray:
    """Tells which components are large enough for a character, and inside the image."""
    min_mass = _THRESHOLDS.min_other_mass * components.mass[main]
    min_height = _THRESHOLDS.min_other_height * components.height[main]
    is_character = components.mass > min_mass
    is_character &= components.height > min_height
    is_character &= components.border_contacts == 0
    return is_character


def _is_part(components: Components, main: int, may_touch_border: bool) -> np.ndarray:
    """Tells which components are parts of the same character as the main one.

    A part is near the main component and no speck, or overlaps its bounding box.
    """
    horizontal_gap = _horizontal_gap(components, main)
    gap_below = components.top - components.bottom[main]
    gap_above = components.top[main] - components.bottom
    vertical_gap = np.maximum(gap_below, gap_above)
    gap = np.maximum(horizontal_gap, vertical_gap)
    size = max(components.width[main], components.height[main])
    main_mass = components.mass[main]
    overlaps = gap <= 0
    is_near = gap <= _THRESHOLDS.max_part_gap * size
    is_speck = components.mass < _THRESHOLDS.min_part_mass * main_mass
    is_part = (is_near & ~is_speck) | overlaps
    if may_touch_border:
        return is_part
    # Ink at the image border belongs to another character, unless it is small and
    # overlaps the main component.
    is_small = components.mass < _THRESHOLDS.max_border_part_mass * main_mass
    has_few_contacts = components.border_contacts < _THRESHOLDS.max_part_contacts
    is_inside = components.border_contacts == 0
    is_part &= is_inside | (overlaps & has_few_contacts & is_small)
    is_part &= ~_is_full_stop(components, main)
    return is_part & ~_is_neighbor(components, main)


def _horizontal_gap(components: Components, main: int) -> np.ndarray:
    """Returns the gap to the main component in columns, negative for an overlap."""
    gap_to_right = components.left - components.right[main]
    gap_to_left = components.left[main] - components.right
    return np.maximum(gap_to_right, gap_to_left)


def _is_full_stop(components: Components, main: int) -> np.ndarray:
    """Tells which components are small and to the lower right of the main one."""
    left, top, right, bottom = components.box(main)
    main_height = bottom - top
    size = np.maximum(components.width, components.height)
    main_width = right - left
    min_left = left + _THRESHOLDS.min_full_stop_left * main_width
    min_top = top + _THRESHOLDS.min_full_stop_top * main_height
    max_size = _THRESHOLDS.max_full_stop_side * main_height
    is_full_stop = size < max_size
    is_full_stop &= components.left >= min_left
    is_full_stop &= components.top > min_top
    return is_full_stop


def _is_neighbor(components: Components, main: int) -> np.ndarray:
    """Tells which components are other characters, dashes or frames.

    Another character is as high as the main component and stands beside it. A dash is
    flat and longer than the main component is high. A frame encloses it.
    """
    _, top, _, bottom = components.box(main)
    main_height = bottom - top
    shared_bottom = np.minimum(components.bottom, bottom)
    shared_top = np.maximum(components.top, top)
    shared_rows = shared_bottom - shared_top
    larger_height = np.maximum(components.height, main_height)
    min_shared_rows = _THRESHOLDS.min_neighbor_overlap * larger_height
    is_level = shared_rows > min_shared_rows
    gap = _horizontal_gap(components, main)
    is_beside = gap > _THRESHOLDS.min_neighbor_gap * main_height
    is_character = is_beside & is_level
    is_long = components.width > main_height
    is_dash = _is_flat(components) & is_long
    is_frame = _encloses(components, main)
    return is_character | is_dash | is_frame


def _encloses(components: Components, main: int) -> np.ndarray:
    """Tells which bounding boxes enclose the main component's."""
    left, top, right, bottom = components.box(main)
    encloses = components.left < left
    encloses &= components.top < top
    encloses &= components.right > right
    encloses &= components.bottom > bottom
    return encloses
