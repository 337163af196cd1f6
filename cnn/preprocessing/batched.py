"""Preprocesses many small images at once, as they come in data sets.

Handles plain images: one character on a uniform background without noise. Other images,
for which `segmentation` weighs alternatives, are left to the caller.

Some steps of `foreground` and `ink_levels` are here a second time, for a batch. One
implementation cannot serve both: the contrast of a batch takes two to three times as
long on one large image, and the others allow for noise. Tests hold both equal.
"""

import cv2
import numpy as np

from cnn.preprocessing.background import border_pixels_batch
from cnn.preprocessing.centering import IMAGE_SIZE, Placement, scale_and_center
from cnn.preprocessing.components import select_character
from cnn.preprocessing.network_input import MAX_BATCHED_SIDE
from cnn.preprocessing.thresholds import THRESHOLDS

MAX_SIDE = MAX_BATCHED_SIDE


def preprocess_batch(
    grays: np.ndarray, placement: Placement
) -> tuple[np.ndarray, np.ndarray]:
    """Converts the plain images of a batch to network inputs.

    Args:
      grays: `uint8 (N, height, width)`, no side longer than `MAX_SIDE`.
      placement: size and position of the character in the network input.

    Returns:
      `float32 (M, 28, 28)` in [0, 1], the M plain images, and `bool (N,)`, which images
      are plain.
    """
    foreground, is_plain = _subtract_uniform_background(grays)
    contrast = estimate_contrasts(foreground)
    is_plain &= contrast >= THRESHOLDS.min_contrast
    ink_threshold = _ink_thresholds(contrast)
    ink = foreground > ink_threshold[:, None, None]
    characters, is_single = _select_characters(
        foreground,
        ink,
        ink_threshold,
        is_plain,
    )
    is_plain &= is_single
    if not is_plain.any():
        no_images = np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.float32)
        return no_images, is_plain
    masks = _soft_masks(
        foreground[is_plain],
        ink[is_plain],
        characters[is_plain],
        contrast[is_plain],
    )
    images = scale_and_center(masks, placement)
    return images, is_plain


def _ink_thresholds(contrast: np.ndarray) -> np.ndarray:
    """Returns the level above which a pixel of each image is ink, `float32 (N,)`."""
    min_fraction = np.float32(THRESHOLDS.min_ink_fraction)
    min_level = np.float32(THRESHOLDS.min_ink_level)
    return np.maximum(min_fraction * contrast, min_level)


def _subtract_uniform_background(grays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subtracts the background level, which is the median of the border.

    Returns:
      `float32 (N, height, width)`, gray levels above the background, positive for ink,
      and `bool (N,)`, whether the background is uniform and covers most of the image.
    """
    border = border_pixels_batch(grays)
    border = np.sort(border, axis=1)
    # The border is sorted, so that this unsigned difference does not wrap around.
    border_range = border[:, -1] - border[:, 0]
    middle = border.shape[1] // 2
    median = border[:, middle].astype(np.int32)
    pixels = grays.reshape(len(grays), -1)
    difference = median[:, None] - pixels
    polarity = _estimate_polarities(difference)
    difference *= polarity[:, None]
    foreground = difference.astype(np.float32).reshape(grays.shape)
    is_plain = border_range <= THRESHOLDS.max_uniform_range
    is_plain &= _is_mostly_background(foreground)
    is_plain &= ~_may_have_frame(foreground)
    return foreground, is_plain


def _estimate_polarities(difference: np.ndarray) -> np.ndarray:
    """Returns 1 for dark ink and -1 for light ink, by the sign of the third moment.

    The sum is exact: each product of three differences has at most 24 bits, and an
    image has fewer than 2¹¹ pixels.

    Args:
      difference: `int32 (N, pixels)`, background minus gray level.
    """
    moment = np.einsum(
        "ni,ni,ni->n",
        difference,
        difference,
        difference,
        dtype=np.int64,
    )
    return np.where(moment >= 0, 1, -1)


def _is_mostly_background(foreground: np.ndarray) -> np.ndarray:
    """Tells which images have little ink and no noise."""
    levels = foreground.reshape(len(foreground), -1)
    _, size = levels.shape
    thresholds = THRESHOLDS.background
    contrast = levels.max(1, keepdims=True)
    min_ink = thresholds.uniform_ink_fraction * contrast
    num_ink = (levels > min_ink).sum(1)
    num_negative = (levels < 0).sum(1)
    max_ink = thresholds.max_uniform_ink_share * size
    max_negative = THRESHOLDS.min_noisy_share * size
    has_little_ink = num_ink <= max_ink
    is_clean = num_negative <= max_negative
    return has_little_ink & is_clean


def _may_have_frame(foreground: np.ndarray) -> np.ndarray:
    """Tells which images may have a frame around an image of its own."""
    _, height, width = foreground.shape
    thresholds = THRESHOLDS.page_boundary
    differs = np.abs(foreground) > THRESHOLDS.min_frame_contrast
    min_in_column = thresholds.min_crossing_share * height
    min_in_row = thresholds.min_crossing_share * width
    is_inner_column = differs.sum(1) > min_in_column
    is_inner_row = differs.sum(2) > min_in_row
    num_columns = is_inner_column.sum(1)
    num_rows = is_inner_row.sum(1)
    side = np.minimum(num_columns, num_rows)
    return side >= thresholds.min_interior_side


def estimate_contrasts(foreground: np.ndarray) -> np.ndarray:
    """Returns the level that the few strongest pixels of each image reach.

    Args:
      foreground: `float32 (N, height, width)`, levels above the background.

    Returns:
      `float32 (N,)`, for each image the same as `ink_levels.estimate_contrast`.
    """
    num_images = len(foreground)
    size = foreground[0].size
    few = max(1, int(THRESHOLDS.contrast_share * size))
    few = min(THRESHOLDS.max_contrast_pixels, few)
    levels = foreground.reshape(-1, size).copy()
    images = np.arange(num_images)
    # Removing a maximum per step is quicker than np.partition for so few pixels.
    for _ in range(few - 1):
        strongest = levels.argmax(1)
        levels[images, strongest] = -np.inf
    return levels.max(1)


def _select_characters(
    foreground: np.ndarray,
    ink: np.ndarray,
    ink_threshold: np.ndarray,
    is_plain: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Selects the components of the character in each plain image.

    Returns:
      `bool (N, height, width)`, the pixels of the character, and `bool (N,)`, which
      images have one character and no doubt of its components.
    """
    characters = ink.copy()
    is_single = _has_one_component(ink)
    has_several = is_plain & ~is_single
    for i in np.flatnonzero(has_several):
        selection = select_character(
            foreground[i],
            float(ink_threshold[i]),
            may_touch_border=True,
        )
        if selection is None:
            continue
        characters[i] = selection.mask
        is_alone = not selection.has_other_characters
        is_single[i] = selection.unambiguous and is_alone
    return characters, is_single


def _has_one_component(ink: np.ndarray) -> np.ndarray:
    """Tells which images have a single connected component of ink."""
    num_images, height, _ = ink.shape
    stacked = _stack_with_gaps(ink)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(stacked, connectivity=8)
    # The first component is the background.
    top = statistics[1:, cv2.CC_STAT_TOP]
    image_of_component = top // (height + 1)
    num_components = np.bincount(image_of_component, minlength=num_images)
    return num_components == 1


def _soft_masks(
    foreground: np.ndarray,
    ink: np.ndarray,
    characters: np.ndarray,
    contrast: np.ndarray,
) -> np.ndarray:
    """Scales the character's levels to [0, 1], with its antialiased edge."""
    num_images, height, width = ink.shape
    kernel = np.ones((3, 3), np.uint8)
    stacked = _stack_with_gaps(characters)
    dilated = cv2.dilate(stacked, kernel)
    dilated = dilated.reshape(num_images, height + 1, width)
    is_near = dilated[:, :height].astype(bool)
    # Ink that is near and not of the character belongs to another component.
    is_near &= characters | ~ink
    coverage = foreground / contrast[:, None, None]
    coverage *= is_near
    return np.clip(coverage, 0, 1, out=coverage)


def _stack_with_gaps(masks: np.ndarray) -> np.ndarray:
    """Stacks masks vertically with an empty row after each, so that none touch.

    Returns:
      `uint8 (N · (height + 1), width)`.
    """
    num_masks, height, width = masks.shape
    stacked = np.zeros((num_masks, height + 1, width), np.uint8)
    stacked[:, :-1] = masks
    return stacked.reshape(-1, width)
