"""Decodes an image file of any supported format, upright, and converts it to gray.

Reduces large images while decoding.
"""

import contextlib
import hashlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from cnn.errors import Error
from cnn.preprocessing import truncation

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
# Largest number of pixels of an image. Pillow refuses more than twice its limit, too.
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
# Longest side of a decoded image, in pixels. Larger images are reduced. A digit of a
# fiftieth of its page's height keeps 20 pixels.
MAX_SIDE = 1024
# Smallest longer side of a JPEG that its decoder reduces, as a fraction of MAX_SIDE.
_MIN_DRAFT_FRACTION = 0.7
# What the plots of this program name as their software, in a text chunk.
PLOT_SOFTWARE = "cnn plot"

# Rows of pixels that are digested at once.
_DIGEST_ROWS = 256
_BLACK = 0
_WHITE = 255
_COLOR_MODES = ("RGB", "P", "CMYK", "YCbCr")
_TRANSPARENT_MODES = ("LA", "PA", "RGBA", "La", "RGBa")


class UnreadableImageError(Error):
    """A file that cannot be decoded. The message gives the reason without the path."""


class PlotError(UnreadableImageError):
    """The file is a plot of this program, not a picture of a character."""


class DecodedImage(NamedTuple):
    """A decoded image.

    Attributes:
      image: upright, of any mode.
      is_truncated: whether the end of the file is missing, although no pixel is.
      lacks_color: whether an image with colors was decoded to gray.
    """

    image: Image.Image
    is_truncated: bool
    lacks_color: bool


@contextlib.contextmanager
def open_image(file: BinaryIO, in_color: bool = True) -> Iterator[DecodedImage]:
    """Decodes an image, turns it upright, and reduces it to at most `MAX_SIDE`.

    Args:
      file: an image file in one of `FORMATS`, which is recognized by content.
      in_color: whether colors are needed. Without them a large JPEG is decoded to gray,
        which is quicker.

    Yields:
      The image.

    Raises:
      PlotError: the file is a plot of this program.
      UnreadableImageError: the image cannot be decoded, or any other error was raised
        in the body of the `with` statement.
    """
    try:
        with _silence_pillow():
            decoded = _decode(file, in_color)
            with decoded.image:
                yield decoded
    except UnreadableImageError:
        raise
    except MemoryError as error:
        raise UnreadableImageError("needs more memory than there is") from error
    except Exception as error:
        raise UnreadableImageError(f"damaged image: {_first_line(error)}") from error


def grayscale_candidates(image: Image.Image) -> Iterator[np.ndarray]:
    """Converts an image to gray in several ways, the most plausible first.

    Yields:
      `uint8 (height, width)`, 0 for black and 255 for white. First the luminance, on
      white where the image is transparent. Then the luminance on black of an image with
      transparency, which shows light ink, or else the channels red, green and blue of a
      color image, which show ink as light as its background.
    """
    yield to_grayscale(image, background=_WHITE)
    if _has_transparency(image):
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
    if _has_high_bit_depth(image):
        values = _rescale_high_bit_depth(np.asarray(image, np.float32))
        return np.rint(255 * values).clip(0, 255).astype(np.uint8)
    if _has_transparency(image):
        image = _flatten_transparency(image, background)
    if image.mode == "LAB":
        image = image.getchannel("L")
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"))


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image of any mode to RGB, on white where it is transparent."""
    if _has_high_bit_depth(image) or image.mode == "LAB":
        return Image.fromarray(to_grayscale(image, _WHITE)).convert("RGB")
    if _has_transparency(image):
        image = _flatten_transparency(image, _WHITE)
    return image.convert("RGB")


@contextlib.contextmanager
def _silence_pillow() -> Iterator[None]:
    """Hides warnings of oddities that do not stop Pillow, which name no file.

    Log records still reach the handlers of the root logger, if there are any. Without
    any handler, the logging module prints them to stderr.
    """
    logger = logging.getLogger("PIL")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(handler)


def _decode(file: BinaryIO, in_color: bool) -> DecodedImage:
    """Decodes a file as it is, or completed if it was cut behind the last pixel."""
    try:
        if not truncation.lacks_end(file):
            return _decode_upright(file, in_color)
        failure = UnreadableImageError("damaged image: the end of the file is missing")
    except (PlotError, MemoryError):
        raise
    except Exception as error:
        failure = error
    completed = truncation.complete(file, _digest_pixels)
    if completed is None:
        raise failure
    return _decode_upright(completed, in_color)._replace(is_truncated=True)


def _decode_upright(file: BinaryIO, in_color: bool) -> DecodedImage:
    """Decodes an image, reduces it, and applies its EXIF orientation."""
    image = _open_checked(file)
    if image.info.get("Software") == PLOT_SOFTWARE:
        raise PlotError("a plot of this program, not a picture of a character")
    mode = image.mode
    _reduce_while_decoding(image, in_color)
    lacks_color = image.mode != mode
    image.load()
    # A damaged EXIF block does not make the pixels unreadable.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    image = _without_hiding_alpha(image)
    if max(image.size) > MAX_SIDE:
        image = _to_resizable_mode(image)
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return DecodedImage(image, is_truncated=False, lacks_color=lacks_color)


def _open_checked(file: BinaryIO) -> Image.Image:
    file.seek(0)
    try:
        image = _open(file)
    except (Image.UnidentifiedImageError, SyntaxError) as error:
        expected = ", ".join(FORMATS)
        raise UnreadableImageError(f"not an image (expected {expected})") from error
    except Image.DecompressionBombError as error:
        reason = f"too large: more than {MAX_PIXELS:,} pixels"
        raise UnreadableImageError(reason) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise UnreadableImageError(
            f"too large: {width}×{height}, at most {MAX_PIXELS:,} pixels"
        )
    return image


def _open(file: BinaryIO) -> Image.Image:
    signature = file.read(3)
    file.seek(0)
    if signature == b"\xff\xd8\xff":
        # `Image.open` takes a JPEG with further pictures (MPO) for another format, and
        # fails if its list of them is damaged.
        return JpegImageFile(file)
    return Image.open(file, formats=FORMATS)


def _digest_pixels(data: bytes) -> bytes | None:
    """Returns a digest of the full pixels of a file, or None if it is damaged."""
    try:
        with _open_checked(io.BytesIO(data)) as image:
            # Without the conversion to RGB, in which a small difference may vanish.
            image.draft("YCbCr", None)
            image.load()
            digest = hashlib.blake2b()
            for top in range(0, image.height, _DIGEST_ROWS):
                bottom = min(top + _DIGEST_ROWS, image.height)
                rows = image.crop((0, top, image.width, bottom))
                digest.update(rows.tobytes())
            return digest.digest()
    except Exception:
        return None


def _without_hiding_alpha(image: Image.Image) -> Image.Image:
    """Removes an alpha channel that hides everything, as some programs leave it 0."""
    if not _has_transparency(image):
        return image
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    _, highest = rgba.getchannel("A").getextrema()
    return image if highest else rgba.convert("RGB")


def _reduce_while_decoding(image: Image.Image, in_color: bool) -> None:
    """Lets the JPEG decoder reduce an image by 2, 4 or 8; other formats ignore it.

    The decoder takes the largest of these divisors that leaves at least the requested
    size, and therefore is asked for less than `MAX_SIDE`.
    """
    divisor = max(image.size) / (_MIN_DRAFT_FRACTION * MAX_SIDE)
    if divisor > 1:
        width, height = image.size
        mode = None if in_color else "L"
        image.draft(mode, (int(width / divisor), int(height / divisor)))


def _to_resizable_mode(image: Image.Image) -> Image.Image:
    """Converts the modes that Pillow cannot reduce by averaging."""
    if image.mode.startswith("I"):
        return Image.fromarray(np.asarray(image, np.float32))
    if image.mode in ("1", "P", "PA"):
        return image.convert("RGBA" if _has_transparency(image) else "RGB")
    return image


def _has_high_bit_depth(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _has_transparency(image: Image.Image) -> bool:
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


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
