"""One image file, of any format, size and colours, made grey and upright.

Nothing here knows about ink: a picture comes in as people have it, and goes out as numbers from black
to white.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from cnn.errors import Error

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)  # Where Pillow, too, refuses.
# Larger pictures are shrunk first: a digit a fiftieth as high as its page keeps 20 pixels.
MAX_SIDE = 1024
# From this share of it on, a picture is large enough.
_LARGE_ENOUGH = 0.7

# A file has a row; what Pillow would say beside it names no file.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class UnreadableImageError(Error):
    """A file that gives no picture; the message says why, without the path."""


@contextlib.contextmanager
def open_image(file: BinaryIO, in_colours: bool = True) -> Iterator[Image.Image]:
    """Opens an image, upright and no larger than is worth working with.

    Args:
      file: with the bytes of an image file, from where it is on.
      in_colours: whether they matter; without them, a large JPEG is decoded sooner.

    Raises:
      UnreadableImageError: it says why, whatever a decoder happens to raise in the `with`.
    """
    try:
        with (
            warnings.catch_warnings()
        ):  # Pillow warns of oddities in files that it can still read.
            warnings.simplefilter("ignore")
            with _open_checked(file) as image:
                yield _decode_upright(image, in_colours)
    except UnreadableImageError:
        raise
    except MemoryError as error:
        raise UnreadableImageError("needs more memory than there is") from error
    except Exception as error:
        raise UnreadableImageError(f"damaged image: {_first_line(error)}") from error


def grayscale_candidates(image: Image.Image) -> Iterator[np.ndarray]:
    """Makes a picture grey in one way after the other, for who finds no ink in the one before.

    Yields:
      `uint8 (height, width)`, from 0, black, to 255, white.
    """
    yield to_grayscale(image, paper=255)
    if _has_transparency(image):  # Light ink on transparency is invisible on white.
        yield to_grayscale(image, paper=0)
    elif image.mode in (
        "RGB",
        "P",
        "CMYK",
        "YCbCr",
    ):  # Colours may differ where their lightness does not.
        for channel in image.convert("RGB").split():
            yield to_grayscale(channel, paper=255)


def to_grayscale(image: Image.Image, paper: int) -> np.ndarray:
    """Makes a picture of any mode grey, over `paper` where it is transparent; `uint8 (height, width)`."""
    if image.mode == "F" or image.mode.startswith("I"):
        return (
            np.rint(255 * _rescale_high_bit_depth(np.asarray(image, np.float32)))
            .clip(0, 255)
            .astype(np.uint8)
        )
    if _has_transparency(image):
        image = image.convert("RGBA")
        image = Image.alpha_composite(
            Image.new("RGBA", image.size, (paper, paper, paper, 255)), image
        )
    if image.mode == "LAB":
        image = image.getchannel("L")
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"))


def to_rgb(image: Image.Image) -> Image.Image:
    """Makes a picture of any mode RGB, as a person would see it, over white where it is transparent."""
    if image.mode == "F" or image.mode.startswith("I") or image.mode == "LAB":
        return Image.fromarray(to_grayscale(image, paper=255)).convert("RGB")
    if _has_transparency(image):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _open_checked(file: BinaryIO) -> Image.Image:
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"not an image (expected {', '.join(FORMATS)})"
        ) from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(
            f"too large: more than {MAX_PIXELS:,} pixels"
        ) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise UnreadableImageError(
            f"too large: {width}×{height}, at most {MAX_PIXELS:,} pixels"
        )
    return image


def _decode_upright(image: Image.Image, in_colours: bool) -> Image.Image:
    """Decodes an image, small enough to work with, turned as its EXIF says."""
    # JPEG decodes to a half, a quarter, ... by itself: to what is nearest, not to what is larger.
    shrink = max(image.size) / (_LARGE_ENOUGH * MAX_SIDE)
    if shrink > 1:
        image.draft(
            None if in_colours else "L",
            (int(image.size[0] / shrink), int(image.size[1] / shrink)),
        )
    image.load()
    with contextlib.suppress(
        Exception
    ):  # Broken EXIF is no reason to refuse a whole picture.
        ImageOps.exif_transpose(image, in_place=True)
    if max(image.size) > MAX_SIDE:
        image = _to_resizable_mode(image)
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return image


def _to_resizable_mode(image: Image.Image) -> Image.Image:
    """Converts the modes that Pillow cannot shrink by averaging."""
    if image.mode.startswith("I"):
        return Image.fromarray(np.asarray(image, np.float32))
    if image.mode in ("1", "P", "PA"):
        return image.convert("RGBA" if _has_transparency(image) else "RGB")
    return image


def _has_transparency(image: Image.Image) -> bool:
    return (
        image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
    )


def _rescale_high_bit_depth(values: np.ndarray) -> np.ndarray:
    """Scales pixels of more than 8 bits: floats from [0, 1], whole numbers by the bits they use."""
    values = np.nan_to_num(values, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if low < 0:
        return (values - low) / max(high - low, 1e-9)
    white = 1.0 if high <= 1 else 2.0 ** max(8, int(high).bit_length()) - 1
    return values / np.float32(white)
