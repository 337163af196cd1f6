"""Segments the ink of one character in a gray image.

The steps are: subtract the background, remove printed lines and boxes, select the
components of the character, and repeat this at full resolution if it is small. If the
background is ambiguous, several segmentations are returned for the network to decide.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing import background, page_boundary
from cnn.preprocessing.components import Selection, select_character
from cnn.preprocessing.foreground import Foreground, foreground_candidates
from cnn.preprocessing.ink_levels import Ink, soft_mask
from cnn.preprocessing.lines_beside_character import remove_lines_beside_character
from cnn.preprocessing.print_removal import erase_enlarged, find_ink
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
      erased: `bool (height, width)`, pixels of lines beside it, or None.
    """

    glyph: Glyph
    box: np.ndarray
    is_ruled: bool
    erased: np.ndarray | None = None


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
        part = _scale_box(interior, zoom, gray.shape)
        glyphs = find_glyphs(gray[_box_slices(part)])
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
    glyphs = []
    for candidate in foreground_candidates(small):
        may_be_ruled = is_large and not candidate.may_touch_border
        characters = _segment_character(candidate, may_be_ruled)
        for character in characters:
            glyph = _refine_at_full_resolution(gray, small, candidate, character)
            glyphs.append(glyph)
        if characters and all(
            glyph.unambiguous for glyph in glyphs[-len(characters) :]
        ):
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
    box = _scale_box(region, 1, mask.shape)
    target = mask[_box_slices(box)]
    if target.size:
        target[:] = cv2.resize(glyph.mask, target.shape[::-1])
    return mask


def _segment_character(candidate: Foreground, may_be_ruled: bool) -> list[_Character]:
    """Segments the character in a foreground, with and without lines beside it.

    Args:
      candidate: the foreground.
      may_be_ruled: whether printed lines are removed.

    Returns:
      The character, the likelier one first if a line may be one of its strokes. The
      list is empty if there is no ink.
    """
    found = find_ink(candidate.levels, may_be_ruled)
    if found is None:
        return []
    ink, is_ruled = found
    characters = []
    selection = select_character(
        ink.foreground, ink.threshold, candidate.may_touch_border
    )
    beside = remove_lines_beside_character(ink, selection) if may_be_ruled else None
    if beside is not None:
        glyph = _cut_out(beside.ink, beside.selection, candidate.unambiguous)
        weighted = glyph._replace(weight=beside.weight)
        characters.append(
            _Character(weighted, beside.selection.box, is_ruled, beside.erased)
        )
        if beside.weight >= THRESHOLDS.line_segments.certain_weight:
            return characters
    if selection is None:
        return characters
    if beside is not None and not (selection.mask & beside.erased).any():
        return characters  # The lines were left out anyway.
    glyph = _cut_out(ink, selection, candidate.unambiguous)
    return [*characters, _Character(glyph, selection.box, is_ruled)]


def _clear_outside(foreground: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the foreground with 0 outside a box."""
    inside = _box_slices(box)
    cleared = np.zeros_like(foreground)
    cleared[inside] = foreground[inside]
    return cleared


def _cut_out(ink: Ink, selection: Selection, unambiguous: bool) -> Glyph:
    """Cuts out the selected components with a margin."""
    shape = ink.foreground.shape
    margin = THRESHOLDS.character_margin * _OUTWARDS
    part = _scale_box(selection.box + margin, 1, shape)
    inside = _box_slices(part)
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
    part = _scale_box(box + context, zoom, gray.shape)
    nearby = background.downscale(gray[_box_slices(part)], THRESHOLDS.working_side)
    levels = background.subtract_background(
        nearby, candidate.sign, THRESHOLDS.background.max_stroke_width
    )
    if character.erased is not None:
        searched_part = _scale_box(part, 1 / zoom, small.shape)
        erased = character.erased[_box_slices(searched_part)]
        levels = erase_enlarged(levels, erased)
    # Other components nearby were no part of the character at the lower resolution.
    margin = THRESHOLDS.refined_margin * (size * _OUTWARDS)
    box_in_part = zoom * (box + margin) - np.tile(part[:2], 2)
    scale = nearby.shape[0] / (part[3] - part[1])
    within = _scale_box(box_in_part, scale, nearby.shape)
    is_large = max(nearby.shape) >= THRESHOLDS.min_ruled_side
    found = find_ink(levels, character.is_ruled and is_large)
    if found is None:
        return character.glyph
    ink, _ = found
    searched = _clear_outside(ink.foreground, within)
    selection = select_character(searched, ink.threshold, may_touch_border=False)
    if selection is None:
        return character.glyph
    refined = _cut_out(ink, selection, candidate.unambiguous)
    glyph = refined._replace(
        has_other_characters=character.glyph.has_other_characters,
        weight=character.glyph.weight,
    )
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


def _scale_box(box: np.ndarray, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """Scales a box, rounds it to pixels and clips it to an image.

    Args:
      box: `(4,)`, left, top, right and bottom.
      scale: factor of all four.
      shape: height and width of the image.

    Returns:
      `int (4,)`.
    """
    height, width = shape
    limits = (width, height, width, height)
    scaled = (box * scale).tolist()
    clipped = []
    for side, limit in zip(scaled, limits, strict=True):
        pixel = max(round(side), 0)
        clipped.append(min(pixel, limit))
    return np.array(clipped)


def _box_slices(box: np.ndarray) -> tuple[slice, slice]:
    """Returns the rows and columns of a box as slices."""
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)
