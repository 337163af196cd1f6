"""Makes a picture of a source that a browser shows, with the ink that was found."""

import io
from typing import BinaryIO

import numpy as np
from PIL import Image

from cnn.preprocessing.decode import DecodedImage, View, open_image
from cnn.preprocessing.documents.page_view import MAX_SIDE, region_box
from cnn.preprocessing.grayscale import to_rgb
from cnn.preprocessing.overlay import Overlay, overlay_ink
from cnn.preprocessing.preprocessed_file import PreprocessedFile, Preview
from cnn.preprocessing.source import PreviewOptions, Source

# Pictures of more pixels than this are compressed with loss, which nobody sees there.
_MAX_LOSSLESS_PIXELS = 256 * 256
_JPEG_QUALITY = 85
# The ink's strength, in [0, 1], from which on it counts for the box around it.
_MIN_BOXED_INK = 0.2
# Modes of images that a PNG keeps as they are, so that they are read as before.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


def make_preview(
    file: BinaryIO, source: Source, options: PreviewOptions
) -> PreprocessedFile:
    """Makes a picture of a source.

    Args:
      file: the file of the source.
      source: what is shown of it.
      options: the size, and which ink is shown.

    Raises:
      UnreadableImageError: the file cannot be decoded.
    """
    # The ink is segmented in an image as large as the one that was read.
    has_ink = options.preprocessing is not None
    side = MAX_SIDE if has_ink else options.max_side
    with open_image(file, view=View(source.page, source.region, side)) as decoded:
        picture_box = region_box(decoded.size, source.region)
        if has_ink:
            overlay = _overlay(decoded, options)
            picture = _encode(Image.fromarray(overlay.original), options)
            mask = _encode_mask(overlay.mask)
            ink_box = _find_box(overlay.mask, picture_box)
        else:
            picture, mask, ink_box = _encode(decoded.image, options), None, None
        preview = Preview(picture, mask, decoded.size, picture_box, ink_box)
    return PreprocessedFile(None, "ok", "", preview=preview)


def to_png(image: Image.Image) -> bytes:
    """Returns an image as a PNG, which is read as the image is."""
    kept = image if image.mode in _PNG_MODES else to_rgb(image)
    return _save(kept, "PNG")


def _overlay(decoded: DecodedImage, options: PreviewOptions) -> Overlay:
    assert options.preprocessing is not None
    return overlay_ink(
        decoded.image, options.preprocessing, options.candidate, options.max_side
    )


def _encode(image: Image.Image, options: PreviewOptions) -> bytes:
    if options.is_lossless:
        return to_png(image)
    rgb = to_rgb(image)
    if rgb.width * rgb.height <= _MAX_LOSSLESS_PIXELS:
        return _save(rgb, "PNG")
    return _save(rgb, "JPEG", quality=_JPEG_QUALITY)


def _encode_mask(mask: np.ndarray) -> bytes | None:
    """Returns ink, `float32 (height, width)` in [0, 1], as the alpha of a PNG."""
    if not mask.any():
        return None
    alpha = Image.fromarray(np.rint(255 * mask.clip(0, 1)).astype(np.uint8))
    black = Image.new("L", alpha.size)
    return _save(Image.merge("LA", (black, alpha)), "PNG")


def _find_box(
    mask: np.ndarray, picture_box: tuple[int, int, int, int]
) -> tuple[float, float, float, float] | None:
    """Returns the box of the ink, in pixels of the page."""
    rows = np.flatnonzero((mask > _MIN_BOXED_INK).any(axis=1))
    columns = np.flatnonzero((mask > _MIN_BOXED_INK).any(axis=0))
    if not len(rows):
        return None
    left, top, right, bottom = picture_box
    scale_x = (right - left) / mask.shape[1]
    scale_y = (bottom - top) / mask.shape[0]
    return (
        left + scale_x * float(columns[0]),
        top + scale_y * float(rows[0]),
        left + scale_x * float(columns[-1] + 1),
        top + scale_y * float(rows[-1] + 1),
    )


def _save(image: Image.Image, kind: str, **settings: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()
