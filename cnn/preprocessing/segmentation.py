"""Segments the ink of one character in a gray image.

The steps are: subtract the background, remove printed lines and boxes, select the
components of the character, and repeat this at full resolution if it is small. If the
background or a line is ambiguous, several segmentations are returned for the network to
decide.
"""

import cv2
import numpy as np

from cnn.preprocessing import background, page_boundary
from cnn.preprocessing.characters import (
    OUTWARDS,
    Character,
    Glyph,
    box_slices,
    scale_box,
    segment_characters,
    to_image_region,
)
from cnn.preprocessing.foreground import Foreground, foreground_candidates
from cnn.preprocessing.print_removal import (
    PrintRemover,
    remove_all_lines,
    remove_print,
)
from cnn.preprocessing.thresholds import THRESHOLDS


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
            return [to_image_region(glyph, part, gray.shape) for glyph in glyphs]
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
        remover = remove_print if may_be_ruled else None
        characters = segment_characters(candidate, remover)
        found = [
            _refine_at_full_resolution(gray, small, candidate, character)
            for character in characters
        ]
        glyphs.extend(found)
        if any(glyph.unambiguous for glyph in found):
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


def _refine_at_full_resolution(
    gray: np.ndarray, small: np.ndarray, candidate: Foreground, character: Character
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
    context = THRESHOLDS.context_margin * (size * OUTWARDS)
    part = scale_box(box + context, zoom, gray.shape)
    nearby = background.downscale(gray[box_slices(part)], THRESHOLDS.working_side)
    levels = background.subtract_background(
        nearby, candidate.sign, THRESHOLDS.background.max_stroke_width
    )
    closer = candidate._replace(levels=levels, may_touch_border=False)
    # Other components nearby were no part of the character at the lower resolution.
    margin = THRESHOLDS.refined_margin * (size * OUTWARDS)
    box_in_part = zoom * (box + margin) - np.tile(part[:2], 2)
    scale = nearby.shape[0] / (part[3] - part[1])
    within = scale_box(box_in_part, scale, nearby.shape)
    is_large = max(nearby.shape) >= THRESHOLDS.min_ruled_side
    remover = _closer_remover(character) if is_large else None
    refined = segment_characters(closer, remover, within)
    closer_glyph = _same_way(refined, character)
    if closer_glyph is None:
        return character.glyph
    glyph = closer_glyph._replace(
        has_other_characters=character.glyph.has_other_characters,
        weight=character.glyph.weight,
    )
    return to_image_region(glyph, part, gray.shape)


def _closer_remover(character: Character) -> PrintRemover | None:
    """Returns what removes the lines near a character. There, all seem to be long."""
    removal = character.removal
    if removal is None or not removal.is_ruled:
        return None
    return remove_print if removal.keeps_lines else remove_all_lines


def _same_way(refined: list[Character], character: Character) -> Glyph | None:
    """Returns the glyph for which lines were removed as for another character."""
    alike = [other for other in refined if other.lacks_line == character.lacks_line]
    for other in alike:
        if other.removal is None or character.removal is None:
            break
        if other.removal.keeps_doubtful == character.removal.keeps_doubtful:
            return other.glyph
    return alike[0].glyph if alike else None
