"""Segments the ink of one character in a gray image.

The steps are: subtract the background, remove printed lines and boxes, select the
components of the character, and repeat this at full resolution if it is small. If the
background is ambiguous, several segmentations are returned for the network to decide.
"""

from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing import background, page_boundary, ruled_lines
from cnn.preprocessing.boxes import box_slices, scale_box
from cnn.preprocessing.components import Selection, select_character
from cnn.preprocessing.foreground import Foreground, foreground_candidates
from cnn.preprocessing.ink_levels import Ink, denoise, estimate_contrast, soft_mask
from cnn.preprocessing.periodic_lines import remove_periodic_lines
from cnn.preprocessing.printed_components import remove_boxes
from cnn.preprocessing.thin_ink import find_thin_ink
from cnn.preprocessing.thresholds import THRESHOLDS

_OUTWARDS = np.array([-1, -1, 1, 1])  # Directions in which a box grows.


class Glyph(NamedTuple):
    """A segmented character.

    Attributes:
      mask: `float32 (height, width)` from 0, background, to 1, ink.
      region: left, top, right and bottom of the mask, as fractions of the image's
        width and height.
      unambiguous: whether no other segmentation is plausible.
      has_other_characters: whether there are other characters in the image.
      weight: prior probability relative to the image's other segmentations. One that
        leaves out ink needs evidence that this ink is no part of the character.
    """

    mask: np.ndarray
    region: tuple[float, float, float, float]
    unambiguous: bool
    has_other_characters: bool
    weight: float = 1.0


class _Character(NamedTuple):
    """A character in the image in which it was searched.

    Attributes:
      glyph: the segmented character.
      box: `int (4,)`, left, top, right and bottom of the ink, in pixels.
      is_ruled: whether printed lines were removed.
    """

    glyph: Glyph
    box: np.ndarray
    is_ruled: bool


def find_glyphs(gray: np.ndarray) -> list[Glyph]:
    """Segments the character in an image.

    Args:
      gray: `uint8 (height, width)`.

    Returns:
      Plausible segmentations, the likeliest first. The list is empty if there is no
      ink.

    Example:
      >>> page = np.full((9, 9), 255, np.uint8)
      >>> find_glyphs(page)
      []
      >>> page[4, 2:7] = 60
      >>> find_glyphs(page)[0].mask[2]  # The character with a margin of two pixels.
      array([0., 0., 1., 1., 1., 1., 1., 0., 0.], dtype=float32)
    """
    small = background.downscale(gray, THRESHOLDS.working_side)
    interior = page_boundary.find_frame_interior(small)
    if interior is not None:
        zoom = gray.shape[0] / small.shape[0]
        part = scale_box(interior, zoom, gray.shape)
        glyphs = find_glyphs(gray[box_slices(part)])
        if glyphs:
            return [_to_image_region(glyph, part, gray.shape) for glyph in glyphs]
    filled = page_boundary.fill_outside_sheet(gray, small)
    if filled is not None:
        small_filled = background.downscale(filled, THRESHOLDS.working_side)
        glyphs = _find_on_page(filled, small_filled)
        if glyphs:
            return glyphs
    return _find_on_page(gray, small)


def _find_on_page(gray: np.ndarray, small: np.ndarray) -> list[Glyph]:
    """Segments the character in an image whose background reaches all edges.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image at the resolution that is searched.
    """
    is_large = max(small.shape) >= THRESHOLDS.min_ruled_side
    without_lines = remove_periodic_lines(gray)
    if without_lines is not None:
        gray = without_lines.gray
        small = background.downscale(gray, THRESHOLDS.working_side)
        is_large &= without_lines.may_be_ruled
    glyphs = []
    for candidate in chain(find_thin_ink(gray, small), foreground_candidates(small)):
        may_be_ruled = is_large and not candidate.may_touch_border
        character = _segment_character(candidate, may_be_ruled)
        if character is None:
            continue
        glyph = _refine_at_full_resolution(gray, small, candidate, character)
        glyphs.append(glyph._replace(weight=candidate.weight))
        if glyph.unambiguous:
            break
    return glyphs


def render_mask(glyph: Glyph, shape: tuple[int, int]) -> np.ndarray:
    """Renders a glyph at its place in the whole image.

    Args:
      glyph: the character.
      shape: height and width of the mask in pixels, of any size.

    Returns:
      `float32 (height, width)` in [0, 1].
    """
    mask = np.zeros(shape, np.float32)
    size = np.tile(shape[::-1], 2)
    region = np.array(glyph.region) * size
    box = scale_box(region, 1, mask.shape)
    target = mask[box_slices(box)]
    if target.size:
        target[:] = cv2.resize(glyph.mask, target.shape[::-1])
    return mask


def _segment_character(
    candidate: Foreground, may_be_ruled: bool, within: np.ndarray | None = None
) -> _Character | None:
    """Segments the character in a foreground.

    Args:
      candidate: the foreground.
      may_be_ruled: whether printed lines are removed.
      within: `int (4,)`, left, top, right and bottom of the area that is searched, in
        pixels. None is the whole image.

    Returns:
      The character, or None if there is no ink.
    """
    ink = denoise(candidate.levels)
    min_contrast_to_noise = THRESHOLDS.min_contrast_to_noise * ink.noise
    if ink.contrast < max(THRESHOLDS.min_contrast, min_contrast_to_noise):
        return None
    is_ruled = False
    if may_be_ruled:
        threshold = ink.threshold
        foreground, is_ruled = _remove_print(ink.foreground, threshold)
        ink = Ink(foreground, ink.noise, estimate_contrast(foreground))
        # Marks that were too faint beside the lines do not become ink without them.
        if ink.contrast < max(THRESHOLDS.min_contrast, threshold):
            return None
    searched = ink.foreground
    if within is not None:
        searched = _clear_outside(searched, within)
    selection = select_character(searched, ink.threshold, candidate.may_touch_border)
    if selection is None:
        return None
    glyph = _cut_out(ink, selection, candidate.unambiguous)
    return _Character(glyph, selection.box, is_ruled)


def _remove_print(
    foreground: np.ndarray, ink_threshold: float
) -> tuple[np.ndarray, bool]:
    """Removes printed lines, and drawn boxes if there are lines.

    The sides of a box may be taken for lines, so the box is removed first.

    Returns:
      The foreground without them, and whether there were lines.
    """
    without_lines, is_ruled = ruled_lines.remove_ruled_lines(foreground, ink_threshold)
    if not is_ruled:
        return foreground, False
    without_boxes, has_boxes = remove_boxes(foreground, ink_threshold)
    if has_boxes:
        without_lines, _ = ruled_lines.remove_ruled_lines(without_boxes, ink_threshold)
    return without_lines, True


def _clear_outside(foreground: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the foreground with 0 outside a box."""
    inside = box_slices(box)
    cleared = np.zeros_like(foreground)
    cleared[inside] = foreground[inside]
    return cleared


def _cut_out(ink: Ink, selection: Selection, unambiguous: bool) -> Glyph:
    """Cuts out the selected components with a margin."""
    shape = ink.foreground.shape
    margin = THRESHOLDS.character_margin * _OUTWARDS
    part = scale_box(selection.box + margin, 1, shape)
    inside = box_slices(part)
    cut = ink._replace(foreground=ink.foreground[inside])
    glyph = Glyph(
        mask=soft_mask(cut, selection.mask[inside]),
        region=(0.0, 0.0, 1.0, 1.0),
        unambiguous=unambiguous and selection.unambiguous,
        has_other_characters=selection.has_other_characters,
    )
    return _to_image_region(glyph, part, shape)


def _refine_at_full_resolution(
    gray: np.ndarray, small: np.ndarray, candidate: Foreground, character: _Character
) -> Glyph:
    """Segments a small character again, at full resolution.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image at the resolution that was searched.
      candidate: the foreground of `small`.
      character: the character in `small`.

    Returns:
      The refined character, or the given one if it is large or is not found again.
    """
    box = character.box
    zoom = gray.shape[0] / small.shape[0]
    size = (box[2:] - box[:2]).max()
    max_size = THRESHOLDS.max_refined_side * background.equivalent_side(small)
    if zoom < THRESHOLDS.min_zoom or size > max_size:
        return character.glyph
    context = THRESHOLDS.context_margin * (size * _OUTWARDS)
    part = scale_box(box + context, zoom, gray.shape)
    nearby = background.downscale(gray[box_slices(part)], THRESHOLDS.working_side)
    levels = background.subtract_background(
        nearby, candidate.sign, THRESHOLDS.background.max_stroke_width
    )
    closer = candidate._replace(levels=levels, may_touch_border=False)
    # Other components nearby were no part of the character at the lower resolution.
    margin = THRESHOLDS.refined_margin * (size * _OUTWARDS)
    box_in_part = zoom * (box + margin) - np.tile(part[:2], 2)
    scale = nearby.shape[0] / (part[3] - part[1])
    within = scale_box(box_in_part, scale, nearby.shape)
    is_large = max(nearby.shape) >= THRESHOLDS.min_ruled_side
    refined = _segment_character(closer, character.is_ruled and is_large, within)
    if refined is None:
        return character.glyph
    has_other_characters = character.glyph.has_other_characters
    glyph = refined.glyph._replace(has_other_characters=has_other_characters)
    return _to_image_region(glyph, part, gray.shape)


def _to_image_region(glyph: Glyph, part: np.ndarray, shape: tuple[int, ...]) -> Glyph:
    """Converts the region of a glyph from a part of an image to the image.

    Args:
      glyph: a glyph with a region in the part.
      part: `int (4,)`, left, top, right and bottom of the part, in pixels.
      shape: height and width of the image.
    """
    height, width = shape
    first_column, first_row, last_column, last_row = part.tolist()
    left, top, right, bottom = glyph.region
    part_width = last_column - first_column
    part_height = last_row - first_row
    region = (
        (first_column + left * part_width) / width,
        (first_row + top * part_height) / height,
        (first_column + right * part_width) / width,
        (first_row + bottom * part_height) / height,
    )
    return glyph._replace(region=region)
