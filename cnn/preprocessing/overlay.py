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
from cnn.preprocessing.segmentation import find_glyphs
from cnn.preprocessing.source import Source

# Longest side of an overlay, in pixels.
_OVERLAY_SIDE = 400


class Overlay(NamedTuple):
    """An image and the mask of its segmented character.

    Attributes:
      original: `uint8 (height, width, 3)`, upright, of at most 400 pixels per side.
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
        image = decoded.image
        glyphs = _find_first_glyphs(image) if PREPROCESSING[preprocessing] else []
        original = to_rgb(image)
    original.thumbnail((_OVERLAY_SIDE, _OVERLAY_SIDE))
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
    for gray in grayscale_candidates(image):
        glyphs = find_glyphs(gray)
        if glyphs:
            return glyphs
    return []
