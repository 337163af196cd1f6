"""Where on a grey picture the ink of one character is, whatever paper, light and pen it has.

The steps: subtract the paper (`paper`), take printed lines off (`rules`), choose the marks that are the
character (`marks`), and look again at what is small. Where it is open which of two ways is right, both
are returned, and who reads the picture decides.
"""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.preprocessing import background, ruled_lines
from cnn.preprocessing.background import Foreground
from cnn.preprocessing.components import remove_boxes, select_character
from cnn.preprocessing.thresholds import THRESHOLDS, SegmentationThresholds

_BOX_MARGIN = 2 * np.array(
    [-1, -1, 1, 1]
)  # Pixels that are kept around a character, for its soft edge.


class Glyph(NamedTuple):
    """A character that was found.

    Attributes:
      strength: `float32 (height, width)` from 0, paper, to 1, ink; of the character alone.
      region: which part of the picture that is: left, top, right, bottom, as fractions of its sides.
      clear: whether there is no doubt of how to read the picture.
      several: whether there are other characters.
    """

    mask: np.ndarray
    region: tuple[float, float, float, float]
    unambiguous: bool
    has_other_characters: bool


class _Character(NamedTuple):
    """A character, its box of left, top, right and bottom, and whether there were printed lines about it."""

    ink: Glyph
    box: np.ndarray
    ruled: bool


def find_glyphs(
    grey: np.ndarray, limits: SegmentationThresholds = THRESHOLDS
) -> list[Glyph]:
    """Finds the character on a picture.

    Args:
      grey: `uint8 (height, width)`.
      limits: what counts as what.

    Returns:
      Ways to see it, the likeliest first; none where there is no ink.

    Example:
      >>> page = np.full((9, 9), 255, np.uint8)
      >>> find_glyphs(page)
      []
      >>> page[4, 2:7] = 60
      >>> find_glyphs(page)[0].mask[2]  # Of the character, with two pixels around it.
      array([0., 0., 1., 1., 1., 1., 1., 0., 0.], dtype=float32)
    """
    small = background.downscale(grey, limits.working_side)
    inside = background.find_frame_interior(small, limits)
    if inside is not None:
        part = _scale_box(inside, grey.shape[0] / small.shape[0], grey.shape)
        found = [
            _to_page_region(ink, part, grey.shape)
            for ink in find_glyphs(grey[_box_slices(part)], limits)
        ]
        if found:
            return found
    sheet = background.fill_outside_sheet(grey, small, limits)
    found = (
        []
        if sheet is None
        else _find_on_page(
            sheet, background.downscale(sheet, limits.working_side), limits
        )
    )
    return found or _find_on_page(grey, small, limits)


def _find_on_page(
    grey: np.ndarray, small: np.ndarray, limits: SegmentationThresholds
) -> list[Glyph]:
    """Finds the character on paper that goes on to all edges; `small` is the picture, shrunk."""
    found = []
    for relief in background.foreground_candidates(small, limits):
        character = _segment_character(
            relief, limits, not relief.may_touch_border and max(small.shape) >= 64
        )
        if character is None:
            continue
        found.append(_refine_at_full_resolution(grey, small, relief, character, limits))
        if found[-1].unambiguous:
            break
    return found


def paste_mask(mask: np.ndarray, ink: Glyph) -> None:
    """Draws ink that was found into a mask of the whole picture, `float32 (height, width)` of any size."""
    left, top, right, bottom = _scale_box(
        np.array(ink.region) * np.tile(mask.shape[::-1], 2), 1, mask.shape
    )
    if right > left and bottom > top:
        mask[top:bottom, left:right] = cv2.resize(
            ink.mask, (right - left, bottom - top)
        )


def _segment_character(
    relief: Foreground,
    limits: SegmentationThresholds,
    may_be_ruled: bool,
    within: np.ndarray | None = None,
) -> _Character | None:
    """Finds the marks of the character, in a box of the picture; returns None if there is no ink."""
    strength = relief.levels
    noise, contrast = _estimate_noise(strength), _estimate_contrast(strength)
    if noise > 3 and contrast < 20 * noise:
        strength = cv2.GaussianBlur(strength, (3, 3), 0)
        noise, contrast = _estimate_noise(strength), _estimate_contrast(strength)
    if contrast < max(limits.min_contrast, 5 * noise):
        return None
    with_rules, weakest = strength, _ink_threshold(noise, contrast, limits)
    if may_be_ruled:
        strength = _remove_print(strength, weakest, limits)
        contrast = _estimate_contrast(strength)
        # What was too faint beside the rules does not become ink without them.
        if contrast < max(limits.min_contrast, weakest):
            return None
    sought = strength if within is None else _keep_box(strength, within)
    choice = select_character(
        sought, _ink_threshold(noise, contrast, limits), relief.may_touch_border, limits
    )
    if choice is None:
        return None
    part = _scale_box(choice.box + _BOX_MARGIN, 1, strength.shape)
    cut, kept = strength[_box_slices(part)], choice.mask[_box_slices(part)]
    soft = _soft_mask(
        cut, kept, noise, contrast, _ink_threshold(noise, contrast, limits)
    )
    ink = Glyph(
        soft,
        (0.0, 0.0, 1.0, 1.0),
        relief.unambiguous and choice.unambiguous,
        choice.has_other_characters,
    )
    return _Character(
        _to_page_region(ink, part, strength.shape),
        choice.box,
        strength is not with_rules,
    )


def _remove_print(
    strength: np.ndarray, weakest: float, limits: SegmentationThresholds
) -> np.ndarray:
    """Takes rules off, and drawn boxes, whose sides may pass for rules."""
    erased = ruled_lines.remove_ruled_lines(strength, weakest, limits)
    if erased is strength:
        return strength
    unboxed = remove_boxes(strength, weakest, limits)
    return (
        erased
        if unboxed is strength
        else ruled_lines.remove_ruled_lines(unboxed, weakest, limits)
    )


def _keep_box(strength: np.ndarray, box: np.ndarray) -> np.ndarray:
    inside = np.zeros_like(strength)
    inside[_box_slices(box)] = strength[_box_slices(box)]
    return inside


def _ink_threshold(
    noise: float, contrast: float, limits: SegmentationThresholds
) -> float:
    return max(limits.above_noise * noise, limits.min_ink_fraction * contrast, 5)


def _soft_mask(
    strength: np.ndarray,
    kept: np.ndarray,
    noise: float,
    contrast: float,
    weakest: float,
) -> np.ndarray:
    """Scales the character's ink to [0, 1], with its soft edges, and leaves out all else."""
    rank = int(0.8 * np.count_nonzero(kept))
    level = contrast if noise < 1 else float(np.partition(strength[kept], rank)[rank])
    floor = 0.0 if noise < 1 else min(3 * noise, 0.4 * level)
    # What is no mark is a mark's soft edge, or nothing.
    near = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    near &= kept | (strength <= weakest)
    return np.clip(
        (np.where(near, strength, 0) - floor) / max(level - floor, 1e-6), 0, 1
    ).astype(np.float32)


def _estimate_noise(strength: np.ndarray) -> float:
    """Estimates the deviation of the paper's noise, from what is lighter than paper."""
    sample = background.subsample(strength)
    lighter = sample[sample < 0]
    # Of a normal distribution, half lies within 0.67 deviations.
    return (
        1.5 * float(background.upper_median(-lighter))
        if lighter.size > 0.1 * sample.size
        else 0.0
    )


def _estimate_contrast(strength: np.ndarray) -> float:
    """Returns the strength that the few strongest pixels reach."""
    few = min(8, max(1, int(0.005 * strength.size)))
    strong = strength[strength > 0.5 * strength.max()]
    values = strong if strong.size >= few else strength.ravel()
    return float(np.partition(values, -few)[-few])


def _refine_at_full_resolution(
    grey: np.ndarray,
    small: np.ndarray,
    relief: Foreground,
    character: _Character,
    limits: SegmentationThresholds,
) -> Glyph:
    """Looks again at a small character in a large picture, with all the pixels that there are."""
    ink, box, ruled = character
    zoom = grey.shape[0] / small.shape[0]
    size = (box[2:] - box[:2]).max()
    if zoom < 1.3 or size > 0.45 * background.equivalent_side(small):
        return ink
    outwards = size * np.array([-1, -1, 1, 1])
    part = _scale_box(box + 0.5 * outwards, zoom, grey.shape)
    nearby = background.downscale(grey[_box_slices(part)], limits.working_side)
    closer = Foreground(
        background.subtract_background(nearby, relief.sign, limits.widest_stroke),
        relief.sign,
        False,
        relief.unambiguous,
    )
    # What else is near was no part of it, and is none now that it is larger.
    own = zoom * (box + limits.again * outwards) - np.tile(part[:2], 2)
    within = _scale_box(own, nearby.shape[0] / (part[3] - part[1]), nearby.shape)
    again = _segment_character(
        closer, limits, ruled and max(nearby.shape) >= 64, within
    )
    return (
        ink
        if again is None
        else _to_page_region(
            again.ink._replace(has_other_characters=ink.has_other_characters),
            part,
            grey.shape,
        )
    )


def _to_page_region(ink: Glyph, part: np.ndarray, shape: tuple[int, ...]) -> Glyph:
    """Says of ink that was found in a part of a picture where in the whole it is."""
    (first, upper, last, lower), (rows, columns) = part.tolist(), shape
    left, right = (
        (first + share * (last - first)) / columns for share in ink.region[::2]
    )
    top, bottom = (
        (upper + share * (lower - upper)) / rows for share in ink.region[1::2]
    )
    return ink._replace(region=(left, top, right, bottom))


def _scale_box(box: np.ndarray, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """Finds a box of left, top, right and bottom in a larger picture of that shape."""
    rows, columns = shape
    ends = zip((box * scale).tolist(), (columns, rows, columns, rows), strict=True)
    return np.array([min(max(round(end), 0), most) for end, most in ends])


def _box_slices(box: np.ndarray) -> tuple[slice, slice]:
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)
