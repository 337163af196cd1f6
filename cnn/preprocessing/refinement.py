"""Segments a small character again, at the full resolution of the image."""

import numpy as np

from cnn.preprocessing import background
from cnn.preprocessing.boxes import OUTWARDS, box_slices, scale_box
from cnn.preprocessing.characters import Character, segment_characters
from cnn.preprocessing.foreground import Foreground
from cnn.preprocessing.glyph import Glyph, to_image_region
from cnn.preprocessing.lines.print_removal import (
    PrintRemover,
    remove_all_lines,
    remove_print,
)
from cnn.preprocessing.lines.remaining_ink import erase_enlarged
from cnn.preprocessing.thresholds import THRESHOLDS


def refine_at_full_resolution(
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
    if character.erased is not None:
        searched_part = scale_box(part, 1 / zoom, small.shape)
        levels = erase_enlarged(levels, character.erased[box_slices(searched_part)])
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
