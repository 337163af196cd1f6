"""Small pictures of one character on even paper, many at once.

What data sets look like, and what the general chain (`ink`, `frame`) has an easy time with: no light to
even out, no rules, no noise. So here is its work on such pictures alone, a step for all
of them at a time. A picture that any of its choices depends on is not read here but left to it.
"""

import cv2
import numpy as np

from cnn.preprocessing.background import border_pixels_batch
from cnn.preprocessing.centering import IMAGE_SIZE, Placement, scale_and_center
from cnn.preprocessing.components import select_character
from cnn.preprocessing.thresholds import THRESHOLDS, SegmentationThresholds

# Larger characters may be wanted with wider strokes.
MAX_SIDE = 39


def preprocess_batch(
    greys: np.ndarray, fit: Placement, limits: SegmentationThresholds = THRESHOLDS
) -> tuple[np.ndarray, np.ndarray]:
    """Makes pictures for the network of those that are plain.

    Args:
      greys: `uint8 (N, height, width)`, no side longer than `LONGEST_SIDE`.
      fit: where in the frame the character goes.
      limits: what counts as what.

    Returns:
      `float32 (M, 28, 28)` in [0, 1], of the M plain ones, and which those are, `bool (N,)`.
    """
    strength, plain = _subtract_uniform_background(greys, limits)
    contrast = _contrasts(strength)
    plain &= contrast >= limits.min_contrast
    weakest = np.maximum(np.float32(limits.min_ink_fraction) * contrast, np.float32(5))
    mask = strength > weakest[:, None, None]
    kept = _select_characters(strength, mask, weakest, plain)
    if not plain.any():
        return np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.float32), plain
    soft = _soft_masks(strength[plain], mask[plain], kept[plain], contrast[plain])
    return scale_and_center(soft, fit), plain


def _subtract_uniform_background(
    greys: np.ndarray, limits: SegmentationThresholds
) -> tuple[np.ndarray, np.ndarray]:
    """Subtracts the paper, and tells where it is even, without noise, and more than there is ink."""
    border = np.sort(border_pixels_batch(greys), axis=1)
    even = (
        border[:, -1] - border[:, 0] <= limits.max_uniform_range
    )  # In order, so that no difference is below 0.
    paper = border[:, border.shape[1] // 2].astype(np.int32)
    flat = paper[:, None] - greys.reshape(len(greys), -1)
    # Three numbers below 2⁸ are multiplied, and fewer than 2¹¹ such products added.
    dark = np.einsum("ni,ni,ni->n", flat, flat, flat, dtype=np.int64) >= 0
    flat *= np.where(dark, 1, -1)[:, None]
    most, size = flat.max(1), flat.shape[1]
    much = (2 * flat > most[:, None]).sum(1) > 0.5 * size
    noisy = (flat < 0).sum(1) > 0.1 * size
    strength = flat.astype(np.float32).reshape(greys.shape)
    return strength, even & ~much & ~noisy & ~_may_be_framed(strength, limits)


def _may_be_framed(strength: np.ndarray, limits: SegmentationThresholds) -> np.ndarray:
    """Tells where there may be a frame around what is a picture of its own."""
    mask = np.abs(strength) > limits.min_frame_contrast
    _, rows, columns = mask.shape
    inked = 2 * mask.sum(1) > rows, 2 * mask.sum(2) > columns
    return (inked[0].sum(1) >= 10) & (inked[1].sum(1) >= 10)


def _contrasts(strength: np.ndarray) -> np.ndarray:
    """Returns the strength that the few strongest pixels of each reach."""
    size = strength[0].size
    few = min(8, max(1, int(0.005 * size)))
    flat, each = strength.reshape(-1, size).copy(), np.arange(len(strength))
    for _ in range(few - 1):  # NumPy's partition takes longer for so few.
        flat[each, flat.argmax(1)] = -np.inf
    return flat.max(1)


def _stack_with_gaps(mask: np.ndarray) -> np.ndarray:
    """Lays masks below each other, with an empty row after each, so that none touches the next."""
    apart = np.zeros((len(mask), mask.shape[1] + 1, mask.shape[2]), np.uint8)
    apart[:, :-1] = mask
    return apart.reshape(-1, mask.shape[2])


def _select_characters(
    strength: np.ndarray,
    mask: np.ndarray,
    weakest: np.ndarray,
    plain: np.ndarray,
) -> np.ndarray:
    """Returns the marks that make up each character; where there is another one, `plain` becomes false."""
    kept = mask.copy()
    for i in np.flatnonzero(plain & ~_has_one_component(mask)):
        choice = select_character(strength[i], float(weakest[i]), may_touch_border=True)
        plain[i] = (
            choice is not None
            and choice.unambiguous
            and not choice.has_other_characters
        )
        if choice is not None:
            kept[i] = choice.mask
    return kept


def _has_one_component(mask: np.ndarray) -> np.ndarray:
    _, _, boxes, _ = cv2.connectedComponentsWithStats(
        _stack_with_gaps(mask), connectivity=8
    )
    owner = boxes[1:, cv2.CC_STAT_TOP] // (mask.shape[1] + 1)
    return np.bincount(owner, minlength=len(mask)) == 1


def _soft_masks(
    strength: np.ndarray, mask: np.ndarray, kept: np.ndarray, contrast: np.ndarray
) -> np.ndarray:
    """Scales the ink that is kept to [0, 1], with its soft edges."""
    near = cv2.dilate(_stack_with_gaps(kept), np.ones((3, 3), np.uint8)).reshape(
        len(kept), -1, kept.shape[2]
    )
    near = near[:, :-1].astype(bool) & (kept | ~mask)
    return np.clip(np.where(near, strength / contrast[:, None, None], 0), 0, 1)
