"""Segments a file again to show the ink of its character."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cnn.preprocessing.decode import View, open_image
from cnn.preprocessing.glyph import Glyph, render_mask
from cnn.preprocessing.grayscale import grayscale_candidates, to_rgb
from cnn.preprocessing.network_input import PREPROCESSING
from cnn.preprocessing.open_source import open_source, to_file_object
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from cnn.preprocessing.source import Source

# Longest side of an overlay, in pixels.
_OVERLAY_SIDE = 400


class Overlay(NamedTuple):
    """An image and the mask of its segmented character.

    Attributes:
      original: `uint8 (height, width, 3)`, upright, reduced.
      mask: `float32 (height, width)` in [0, 1], the character's ink.
    """

    original: np.ndarray
    mask: np.ndarray


def explain(
    source: Source | str | Path, preprocessing: str = "mnist", candidate: int = 0
) -> Overlay:
    """Segments a file again to show the ink of its character.

    Args:
      source: a local path or URI, or a page or region of it.
      preprocessing: a key of `PREPROCESSING`. The mask of "resize" is 0.
      candidate: index among the candidates of `preprocess_file`.

    Raises:
      UnreadableImageError: the file cannot be decoded.
    """
    if not isinstance(source, Source):
        source = Source(str(source))
    view = View(source.page, source.region)
    with (
        single_threaded_opencv(),
        open_source(source) as opened,
        open_image(to_file_object(opened), view=view) as decoded,
    ):
        return overlay_ink(decoded.image, preprocessing, candidate, _OVERLAY_SIDE)


def overlay_ink(
    image: Image.Image, preprocessing: str, candidate: int, max_side: int
) -> Overlay:
    """Segments a decoded image again.

    Args:
      image: upright, of any mode.
      preprocessing: as for `explain`.
      candidate: as for `explain`.
      max_side: longest side of the overlay, in pixels.
    """
    glyphs = _find_first_glyphs(image) if PREPROCESSING[preprocessing] else []
    original = to_rgb(image)
    original.thumbnail((max_side, max_side))
    shape = (original.height, original.width)
    # The candidate after those of all glyphs is the first one without its slant.
    if candidate == len(glyphs):
        candidate = 0
    if candidate < len(glyphs):
        mask = render_mask(glyphs[candidate], shape)
    else:
        mask = np.zeros(shape, np.float32)
    return Overlay(np.asarray(original), mask)


def _find_first_glyphs(image: Image.Image) -> list[Glyph]:
    """Finds glyphs in the first grayscale candidate that shows any."""
    # For a quick start of processes that only hand out files.
    from cnn.preprocessing.segmentation import find_glyphs

    for gray in grayscale_candidates(image):
        glyphs = find_glyphs(gray)
        if glyphs:
            return glyphs
    return []
