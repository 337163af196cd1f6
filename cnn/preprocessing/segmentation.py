"""Segments the ink of one character in a gray image.

The steps are: subtract the background, remove printed lines and boxes, select the
components of the character, and repeat this at full resolution if it is small. If the
background or a line is ambiguous, several segmentations are returned for the network to
decide.
"""

from itertools import chain

import numpy as np

from cnn.preprocessing import background, page_boundary
from cnn.preprocessing.boxes import OUTWARDS, box_slices, scale_box
from cnn.preprocessing.characters import segment_characters, segment_single_character
from cnn.preprocessing.closed_lines import enlarge
from cnn.preprocessing.enclosed_areas import find_enclosed_area
from cnn.preprocessing.enclosed_filling import cut_out_area
from cnn.preprocessing.enclosing_ink import may_enclose_character
from cnn.preprocessing.foreground import foreground_candidates
from cnn.preprocessing.glyph import Glyph, to_image_region
from cnn.preprocessing.lines.periodic_lines import remove_periodic_lines
from cnn.preprocessing.lines.print_removal import remove_print
from cnn.preprocessing.refinement import refine_at_full_resolution
from cnn.preprocessing.single_character import find_single_character
from cnn.preprocessing.thin_ink import find_thin_ink
from cnn.preprocessing.thresholds import THRESHOLDS


def find_glyphs(gray: np.ndarray, depth: int = 0) -> list[Glyph]:
    """Segments the character in an image.

    Args:
      gray: `uint8 (height, width)`.
      depth: number of areas, one in the other, of which `gray` is the innermost.

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
    glyphs = _find_on_sheet(gray, small)
    is_crop = max(gray.shape) <= THRESHOLDS.enclosed_areas.max_plain_side
    if is_crop or not may_enclose_character(glyphs):
        return glyphs
    enclosed = _find_in_enclosed_area(gray, small, depth)
    return enclosed or _find_on_small_card(gray, glyphs, depth) or glyphs


def _find_on_sheet(gray: np.ndarray, small: np.ndarray) -> list[Glyph]:
    """Segments the character on a sheet, or else in the whole image.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image at the resolution that is searched.
    """
    filled = page_boundary.fill_outside_sheet(gray, small)
    if filled is not None:
        small_filled = background.downscale(filled, THRESHOLDS.working_side)
        glyphs = _find_on_page(filled, small_filled)
        if glyphs:
            return glyphs
    return _find_on_page(gray, small)


def _find_in_enclosed_area(
    gray: np.ndarray, small: np.ndarray, depth: int
) -> list[Glyph]:
    """Segments the character in a ring, in a box, on a disc or on a card.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image at the resolution that is searched.
      depth: number of areas around the image.
    """
    if depth == THRESHOLDS.enclosed_areas.max_depth:
        return []
    searched = enlarge(small)
    area = find_enclosed_area(searched)
    if area is None:
        return []
    cut, part = cut_out_area(gray, searched, area)
    glyphs = find_glyphs(cut, depth + 1)
    return [to_image_region(glyph, part, gray.shape) for glyph in glyphs]


def _find_on_small_card(
    gray: np.ndarray, glyphs: list[Glyph], depth: int
) -> list[Glyph]:
    """Searches the likeliest glyph for another one, because it may be a small card.

    Args:
      gray: `uint8 (height, width)`.
      glyphs: segmentations of the image.
      depth: number of areas around the image.
    """
    if not glyphs:
        return []
    region = np.array(glyphs[0].region) * np.tile(gray.shape[::-1], 2)
    size = (region[2:] - region[:2]).max()
    limit = THRESHOLDS.enclosed_areas.max_small_side * min(gray.shape)
    if not THRESHOLDS.enclosed_areas.min_side_px <= size <= limit:
        return []
    margin = THRESHOLDS.enclosed_areas.small_margin * (size * OUTWARDS)
    part = scale_box(region + margin, 1, gray.shape)
    nearby = gray[box_slices(part)]
    small = background.downscale(nearby, THRESHOLDS.working_side)
    found = _find_in_enclosed_area(nearby, small, depth)
    return [to_image_region(glyph, part, gray.shape) for glyph in found]


def _find_on_page(gray: np.ndarray, small: np.ndarray) -> list[Glyph]:
    """Segments the character in an image whose background reaches all edges.

    Args:
      gray: `uint8 (height, width)`.
      small: the same image at the resolution that is searched.
    """
    is_large = max(small.shape) >= THRESHOLDS.min_ruled_side
    foregrounds = foreground_candidates(small)
    first = next(foregrounds)
    single = find_single_character(first)
    without_lines = remove_periodic_lines(gray) if single is None else None
    if without_lines is not None:
        gray = without_lines.gray
        small = background.downscale(gray, THRESHOLDS.working_side)
        is_large &= without_lines.may_be_ruled
        foregrounds = foreground_candidates(small)
        first = next(foregrounds)
    glyphs = []
    for candidate in chain(find_thin_ink(gray, small), [first], foregrounds):
        if candidate is first and single is not None:
            characters = segment_single_character(candidate, single)
        else:
            may_be_ruled = is_large and not candidate.may_touch_border
            remover = remove_print if may_be_ruled else None
            characters = segment_characters(candidate, remover)
        found = [
            refine_at_full_resolution(gray, small, candidate, character)
            for character in characters
        ]
        glyphs.extend(found)
        if any(glyph.unambiguous for glyph in found):
            break
    return glyphs
