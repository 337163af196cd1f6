"""Converts images of any mode to gray or RGB."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

_BLACK = 0
_WHITE = 255
_COLOR_MODES = ("RGB", "P", "CMYK", "YCbCr")
_TRANSPARENT_MODES = ("LA", "PA", "RGBA", "La", "RGBa")


def grayscale_candidates(image: Image.Image) -> Iterator[np.ndarray]:
    """Converts an image to gray in several ways, the most plausible first.

    Yields:
      `uint8 (height, width)`, 0 for black and 255 for white. First the luminance, on
      white where the image is transparent. Then the luminance on black of an image with
      transparency, which shows light ink, or else the channels red, green and blue of a
      color image, which show ink as light as its background.
    """
    yield to_grayscale(image, background=_WHITE)
    if has_transparency(image):
        yield to_grayscale(image, background=_BLACK)
    elif image.mode in _COLOR_MODES:
        for channel in image.convert("RGB").split():
            yield to_grayscale(channel, background=_WHITE)


def to_grayscale(image: Image.Image, background: int) -> np.ndarray:
    """Converts an image of any mode to gray.

    Args:
      image: any mode, including 16-bit integers and floats.
      background: gray level below transparent pixels, from 0 to 255.

    Returns:
      `uint8 (height, width)`, 0 for black and 255 for white.
    """
    if has_high_bit_depth(image):
        values = _rescale_high_bit_depth(np.asarray(image, np.float32))
        return np.rint(255 * values).clip(0, 255).astype(np.uint8)
    if has_transparency(image):
        image = _flatten_transparency(image, background)
    if image.mode == "LAB":
        image = image.getchannel("L")
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image of any mode to RGB, on white where it is transparent."""
    if has_high_bit_depth(image) or image.mode == "LAB":
        return Image.fromarray(to_grayscale(image, _WHITE)).convert("RGB")
    if has_transparency(image):
        image = _flatten_transparency(image, _WHITE)
    return image.convert("RGB")


def has_high_bit_depth(image: Image.Image) -> bool:
    """Tells whether the pixels of an image may have more than 8 bits."""
    return image.mode == "F" or image.mode.startswith("I")


def has_transparency(image: Image.Image) -> bool:
    """Tells whether an image has an alpha channel or a transparent color."""
    return image.mode in _TRANSPARENT_MODES or "transparency" in image.info


def _flatten_transparency(image: Image.Image, background: int) -> Image.Image:
    """Composites an image with transparency over a gray level."""
    color = (background, background, background, 255)
    canvas = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(canvas, image.convert("RGBA"))


def _rescale_high_bit_depth(values: np.ndarray) -> np.ndarray:
    """Scales pixels of more than 8 bits to [0, 1].

    Values up to 1 are kept. Larger ones are divided by the largest number with as many
    bits, and at least 8. Negative values make the range of the image the scale.
    """
    values = np.nan_to_num(values, posinf=0, neginf=0)
    low = float(values.min())
    high = float(values.max())
    if low < 0:
        return (values - low) / max(high - low, 1e-9)
    if high <= 1:
        return values
    bits = max(8, int(high).bit_length())
    return values / np.float32(2.0**bits - 1)
