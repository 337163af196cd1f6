"""Makes a source of what a program may have: a path, a file's content, or pixels."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cnn.page_region import Region, parse_regions
from cnn.preprocessing.grayscale import has_transparency
from cnn.preprocessing.library_errors import report_damage
from cnn.preprocessing.picture_file import check_size
from cnn.preprocessing.source import Source
from cnn.preprocessing.unreadable import UnreadableImageError

# What a user may give as an image: a path or URI, the content of a file, an image of
# Pillow, or pixels.
ImageLike = str | Path | bytes | bytearray | memoryview | Image.Image | np.ndarray

# Modes of Pillow that a TIFF file keeps as they are.
_TIFF_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F")
_WIDE_MODE = "I;16"
# Numbers of channels: gray, red, green and blue, and these with alpha.
_CHANNELS = (1, 3, 4)
# Kinds of NumPy: truth values, integers with and without sign, and floats.
_NUMBER_KINDS = "biuf"
# Values may exceed their range by a rounding error.
_RANGE_TOLERANCE = 1e-6


def make_source(
    image: ImageLike, page: int | None = None, region: str | Region | None = None
) -> Source:
    """Makes a source of an image.

    Pixels become the content of an uncompressed file, so that they are read as those of
    a file are.

    Args:
      image: a path or URI, the content of a file, an image of Pillow, or `(height,
        width)`, `(height, width, 3)` or `(height, width, 4)` as integers in [0, 255] or
        floats in [0, 1], or as `uint16 (height, width)`.
      page: number of the page of a file, from 1. None is the first one.
      region: the part to read, as `bin/infer --region` takes it, or None for all.

    Returns:
      The source. It has a path if the image has one.

    Raises:
      UsageError: the region is none.
      ValueError: the page is none, or the pixels have another shape or range.
    """
    if isinstance(region, str):
        (region,) = parse_regions([region])
    if page is not None and page < 1:
        raise ValueError(f"page: expected 1 or more, got {page}")
    if isinstance(image, str | Path):
        return Source(str(image), page, region)
    if isinstance(image, bytes | bytearray | memoryview):
        return Source("", page, region, content=bytes(image))
    if not isinstance(image, Image.Image):
        image = _to_image(_to_pixels(image))
    try:
        check_size(image.size)
        with report_damage():  # Pillow may only now decode the image.
            content = _encode(image)
    except UnreadableImageError as error:
        return Source("", page, region, failure=str(error))
    return Source("", page, region, content=content)


def _to_pixels(image: object) -> np.ndarray:
    pixels = np.asarray(image)
    if pixels.dtype.kind not in _NUMBER_KINDS:
        raise ValueError(
            "image: expected a path, bytes, an image of Pillow or an array of numbers, "
            f"got {type(image).__name__}"
        )
    return pixels


def _to_image(pixels: np.ndarray) -> Image.Image:
    shape = pixels.shape
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in _CHANNELS or not pixels.size:
        raise ValueError(
            "image: expected pixels of shape (height, width), (height, width, 3) or "
            f"(height, width, 4), got {shape}"
        )
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.dtype == np.uint16 and pixels.ndim == 2:
        return Image.fromarray(pixels)
    return Image.fromarray(_to_bytes(pixels))


def _to_bytes(pixels: np.ndarray) -> np.ndarray:
    """Converts pixels to `uint8`, and checks their range."""
    if pixels.dtype == np.uint8:
        return pixels
    is_real = np.issubdtype(pixels.dtype, np.floating)
    if pixels.dtype == bool or is_real:
        highest, scale = 1, 255
    else:
        highest, scale = 255, 1
    low, high = pixels.min(), pixels.max()
    if not -_RANGE_TOLERANCE <= low <= high <= highest + _RANGE_TOLERANCE:
        raise ValueError(
            "image: expected integers from 0 to 255 or floats from 0 to 1, "
            f"got {low} to {high} as {pixels.dtype}"
        )
    return np.rint(scale * pixels.astype(np.float64)).astype(np.uint8)


def _encode(image: Image.Image) -> bytes:
    """Encodes an upright image as a file, without compression."""
    image = ImageOps.exif_transpose(image)
    if has_transparency(image) and image.mode not in ("LA", "RGBA"):
        # A TIFF file has no transparent color.
        image = image.convert("RGBA")
    elif image.mode.startswith(_WIDE_MODE):
        image = Image.fromarray(np.asarray(image).astype(np.uint16))
    elif image.mode not in _TIFF_MODES:
        image = image.convert("RGB")
    file = io.BytesIO()
    image.save(file, "TIFF", compression="raw")
    return file.getvalue()
