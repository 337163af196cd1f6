"""Segments the character in a foreground, with and without printed lines.

Where a line may be a stroke of the character, there are several results.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing.boxes import OUTWARDS, box_slices, scale_box
from cnn.preprocessing.components import Selection, select_among, select_character
from cnn.preprocessing.crop_noise import limit_noise
from cnn.preprocessing.foreground import Foreground
from cnn.preprocessing.glyph import Glyph, to_image_region
from cnn.preprocessing.ink_levels import Ink, denoise, soft_mask
from cnn.preprocessing.lines.attached_lines import find_attached_line
from cnn.preprocessing.lines.lines_beside_character import remove_lines_beside_character
from cnn.preprocessing.lines.print_removal import PrintRemover, Removal, remove_print
from cnn.preprocessing.lines.remaining_ink import measure_remaining_ink
from cnn.preprocessing.single_character import SingleCharacter
from cnn.preprocessing.thresholds import THRESHOLDS
from cnn.preprocessing.touching_neighbors import cut_neighbors


class Character(NamedTuple):
    """A character in the image in which it was searched.

    Attributes:
      glyph: the segmented character.
      box: `int (4,)`, left, top, right and bottom of the ink, in pixels.
      removal: how printed lines were removed.
      lacks_line: whether a line that touches the character was removed.
      erased: `bool (height, width)`, pixels of lines beside it, or None.
    """

    glyph: Glyph
    box: np.ndarray
    removal: Removal | None
    lacks_line: bool = False
    erased: np.ndarray | None = None


def segment_characters(
    candidate: Foreground,
    remover: PrintRemover | None,
    within: np.ndarray | None = None,
) -> list[Character]:
    """Segments the character in a foreground.

    Args:
      candidate: the foreground.
      remover: removes printed lines, or None if there can be none.
      within: `int (4,)`, left, top, right and bottom of the area that is searched, in
        pixels. None is the whole image.

    Returns:
      The character, once or twice if lines may belong to it. The list is empty if there
      is no ink.
    """
    ink = denoise(candidate.levels)
    if candidate.may_have_neighbors:
        ink = limit_noise(ink, candidate.levels)
    min_contrast_to_noise = THRESHOLDS.min_contrast_to_noise * ink.noise
    if ink.contrast < max(THRESHOLDS.min_contrast, min_contrast_to_noise):
        return []
    if remover is None:
        return _select(candidate, ink, None, within)
    removals = remover(ink.foreground, ink.threshold)
    return _segment_without_print(candidate, ink, removals, within)


def _segment_without_print(
    candidate: Foreground,
    ink: Ink,
    removals: list[Removal],
    within: np.ndarray | None = None,
) -> list[Character]:
    """Segments the character without printed lines, in each way to remove them."""
    characters = []
    for removal in removals:
        rest = measure_remaining_ink(ink, removal)
        if rest is None:
            continue
        if within is None:
            selection = select_character(
                rest.foreground, rest.threshold, candidate.may_touch_border
            )
            characters += _select_beside_lines(candidate, rest, removal, selection)
        else:
            characters += _select(candidate, rest, removal, within)
    return characters


def segment_single_character(
    candidate: Foreground, single: SingleCharacter
) -> list[Character]:
    """Segments a character without other ink, like `segment_characters`."""
    ink = single.ink
    if single.may_be_line:
        removals = remove_print(ink.foreground, ink.threshold)
        if any(removal.is_ruled for removal in removals):
            return _segment_without_print(candidate, ink, removals)
    selection = select_among(
        single.components, ink.foreground, candidate.may_touch_border
    )
    removal = Removal(ink.foreground, 1.0, is_ruled=False)
    if selection is None or single.may_have_line:
        return _select_beside_lines(candidate, ink, removal, selection)
    return _cut_out_ways(candidate, ink, selection, removal)


def _select_beside_lines(
    candidate: Foreground, ink: Ink, removal: Removal, selection: Selection | None
) -> list[Character]:
    """Selects the character with and without lines beside it that end in the image."""
    beside = remove_lines_beside_character(ink, selection)
    characters = []
    if beside is not None:
        glyph = _cut_out(beside.ink, beside.selection, candidate)
        weight = glyph.weight * removal.weight * beside.weight
        if _is_stain(ink, beside.selection.mask, beside.erased):
            weight *= THRESHOLDS.stain_weight
        weighted = glyph._replace(weight=weight)
        box = beside.selection.box
        characters.append(Character(weighted, box, removal, erased=beside.erased))
        if beside.weight >= THRESHOLDS.line_segments.certain_weight:
            return characters
    if selection is None:
        return characters
    if beside is not None and not (selection.mask & beside.erased).any():
        return characters  # The lines were left out anyway.
    return characters + _cut_out_ways(candidate, ink, selection, removal)


def _select(
    candidate: Foreground,
    ink: Ink,
    removal: Removal | None,
    within: np.ndarray | None = None,
) -> list[Character]:
    """Selects the character's components. Returns an empty list without ink."""
    searched = ink.foreground
    if within is not None:
        searched = _clear_outside(searched, within)
    selection = select_character(
        searched,
        ink.threshold,
        candidate.may_touch_border,
        candidate.may_have_neighbors,
    )
    if selection is None:
        return []
    return _cut_out_ways(candidate, ink, selection, removal)


def _cut_out_ways(
    candidate: Foreground, ink: Ink, selection: Selection, removal: Removal | None
) -> list[Character]:
    """Cuts out a character, and again without a line or neighbors that touch it."""
    glyph = _cut_out(ink, selection, candidate)
    whole = Character(glyph, selection.box, removal)
    if removal is not None:
        weight = glyph.weight * removal.weight
        whole = whole._replace(glyph=glyph._replace(weight=weight))
        return _detach_line(candidate, ink, selection, whole)
    if not candidate.may_have_neighbors:
        return [whole]
    rest = cut_neighbors(ink.foreground, selection, ink.contrast)
    if rest is None:
        return [whole]
    return [whole, Character(_cut_out(ink, rest, candidate), rest.box, removal)]


def _detach_line(
    candidate: Foreground, ink: Ink, selection: Selection, whole: Character
) -> list[Character]:
    """Cuts out a character once more without a line that touches it, if there is one.

    Args:
      candidate: the foreground.
      ink: its ink.
      selection: the components of the character.
      whole: the character with the line.

    Returns:
      The character, and before it the one without the line.
    """
    inside = box_slices(selection.box)
    line = find_attached_line(selection.mask[inside])
    if line is None:
        return [whole]
    rest = selection.mask.copy()
    rest[inside] &= ~line.mask
    left, top, width, height = cv2.boundingRect(rest.astype(np.uint8))
    box = np.array([left, top, left + width, top + height])
    without_line = selection._replace(mask=rest, box=box)
    glyph = _cut_out(ink, without_line, candidate)
    weight = whole.glyph.weight
    kept_weight = weight * line.kept_weight
    if _is_stain(ink, rest, selection.mask & ~rest):
        kept_weight, weight = weight, weight * THRESHOLDS.stain_weight
    kept_glyph = whole.glyph._replace(weight=kept_weight)
    return [
        whole._replace(glyph=glyph._replace(weight=weight), lacks_line=True),
        whole._replace(glyph=kept_glyph),
    ]


def _is_stain(ink: Ink, rest: np.ndarray, line: np.ndarray) -> bool:
    """Tells whether what is beside a line is a stain, and the line is a 1.

    A stain, or ink that shows through the paper, is far fainter than the 1, which is
    nearer to the middle of the image. The lines of a frame are at its edges.

    Args:
      ink: the ink with the line.
      rest: `bool (height, width)`, the character without the line.
      line: `bool (height, width)`, the line.
    """
    line = line & (ink.foreground > ink.threshold)
    if not (rest.any() and line.any()):
        return False
    line_level = np.median(ink.foreground[line])
    if np.median(ink.foreground[rest]) > THRESHOLDS.max_stain_level * line_level:
        return False
    middle = rest.shape[1] / 2
    of_line = abs(np.nonzero(line)[1].mean() - middle)
    of_rest = abs(np.nonzero(rest)[1].mean() - middle)
    return bool(of_line < of_rest)


def _clear_outside(foreground: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the foreground with 0 outside a box."""
    inside = box_slices(box)
    cleared = np.zeros_like(foreground)
    cleared[inside] = foreground[inside]
    return cleared


def _cut_out(ink: Ink, selection: Selection, candidate: Foreground) -> Glyph:
    """Cuts out the selected components with a margin."""
    shape = ink.foreground.shape
    margin = THRESHOLDS.character_margin * OUTWARDS
    part = scale_box(selection.box + margin, 1, shape)
    inside = box_slices(part)
    cut = ink._replace(foreground=ink.foreground[inside])
    glyph = Glyph(
        mask=soft_mask(cut, selection.mask[inside]),
        region=(0.0, 0.0, 1.0, 1.0),
        unambiguous=candidate.unambiguous and selection.unambiguous,
        has_other_characters=selection.has_other_characters,
        weight=candidate.weight * selection.weight,
    )
    return to_image_region(glyph, part, shape)
