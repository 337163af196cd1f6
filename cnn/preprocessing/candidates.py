"""Extracts the character of a decoded image, as candidates for the network input.

An image has several candidates where its segmentation is ambiguous, or where its
character leans so far that it may be read better upright. The network decides between
them.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from cnn.preprocessing import batched
from cnn.preprocessing.centering import (
    IMAGE_SIZE,
    Placement,
    scale_and_center,
    thicken_strokes,
)
from cnn.preprocessing.grayscale import grayscale_candidates, to_grayscale
from cnn.preprocessing.segmentation import find_glyphs
from cnn.preprocessing.slant import estimate_slants, make_upright
from cnn.preprocessing.thresholds import THRESHOLDS


class Candidates(NamedTuple):
    """Network inputs by different segmentations of one image.

    Attributes:
      images: `float32 (N, 28, 28)` in [0, 1], the most plausible first. If that one
        leans far, the last is the same without its slant. N is 0 if no ink was found.
      weights: `float32 (N,)`, relative prior probabilities of the segmentations.
      detail: a remark on the image, or empty.
    """

    images: np.ndarray
    weights: np.ndarray
    detail: str


_NO_CANDIDATES = Candidates(
    np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.float32), np.empty(0, np.float32), ""
)
_CERTAIN = np.ones(1, np.float32)


def extract_candidates(image: Image.Image, placement: Placement | None) -> Candidates:
    """Finds and centers the character of a decoded image.

    Args:
      image: upright, of any mode.
      placement: size and position of the character, or None to resize the whole image.
    """
    if placement is None:
        return _resize_whole(image)
    for gray in grayscale_candidates(image):
        (candidates,) = extract_batch_candidates(gray[None], placement)
        if len(candidates.images):
            return candidates
    return _NO_CANDIDATES


def extract_batch_candidates(
    grays: np.ndarray, placement: Placement
) -> list[Candidates]:
    """Finds and centers the character of each image in `uint8 (N, height, width)`."""
    if max(grays.shape[1:]) > batched.MAX_SIDE:
        return [_segment_and_center(gray, placement) for gray in grays]
    images, is_plain = batched.preprocess_batch(grays, placement)
    plain_images = iter(images[:, None])
    slants = iter(estimate_slants(images).tolist())
    results = []
    for gray, plain in zip(grays, is_plain.tolist(), strict=True):
        if plain:
            candidates = Candidates(next(plain_images), _CERTAIN, "")
            results.append(_add_upright(candidates, next(slants), placement))
        else:
            results.append(_segment_and_center(gray, placement))
    return results


def _segment_and_center(gray: np.ndarray, placement: Placement) -> Candidates:
    glyphs = find_glyphs(gray)
    if not glyphs:
        return _NO_CANDIDATES
    weights = np.array([glyph.weight for glyph in glyphs], np.float32)
    images = []
    for glyph in glyphs:
        mask = thicken_strokes(glyph.mask)
        images.append(scale_and_center(mask[None], placement))
    detail = ""
    if glyphs[0].has_other_characters:
        detail = "several marks: read the largest"
    candidates = Candidates(np.concatenate(images), weights, detail)
    (slant,) = estimate_slants(candidates.images[:1]).tolist()
    return _add_upright(candidates, slant, placement)


def _add_upright(
    candidates: Candidates, slant: float, placement: Placement
) -> Candidates:
    """Adds the first candidate without its slant, if it leans far.

    Both ways show the same ink, so neither is more probable a priori.
    """
    if abs(slant) < THRESHOLDS.slant.min_slant:
        return candidates
    upright = make_upright(candidates.images[0], slant, placement)
    return candidates._replace(
        images=np.concatenate([candidates.images, upright[None]]),
        weights=np.append(candidates.weights, candidates.weights[0]),
    )


def _resize_whole(image: Image.Image) -> Candidates:
    """Resizes the whole image to 28×28, and keeps its aspect ratio by padding."""
    gray = Image.fromarray(to_grayscale(image, background=0))
    padded = ImageOps.pad(gray, (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    resized = np.asarray(padded, np.float32) / 255
    if not resized.any():
        return _NO_CANDIDATES
    return Candidates(resized[None], _CERTAIN, "")
