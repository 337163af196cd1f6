"""Decodes an image file of any supported format, upright.

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
from cnn.preprocessing.grayscale import has_high_bit_depth, has_transparency

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
# Largest number of pixels of an image. Pillow refuses more than twice its limit, too.
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
# Longest side of a decoded image, in pixels. Larger images are reduced. A digit of a
# fiftieth of its page's height keeps 20 pixels.
MAX_SIDE = 1024
# Alpha, of 255, up to which nothing can be seen.
_MAX_HIDING_ALPHA = 4
# Smallest longer side of a JPEG that its decoder reduces, as a fraction of MAX_SIDE.
_MIN_DRAFT_FRACTION = 0.7
# What the plots of this program name as their software, in a text chunk.
PLOT_SOFTWARE = "cnn plot"

# Rows of pixels that are digested at once.
_DIGEST_ROWS = 256


class UnreadableImageError(Error):
    """A file that cannot be decoded. The message gives the reason without the path."""


class PlotError(UnreadableImageError):
    """The file is a plot of this program, not a picture of a character."""


class DecodedImage(NamedTuple):
    """A decoded image.

    Attributes:
      image: upright, of any mode.
      completed: the whole file if it was cut, although no pixel is missing, or None.
      lacks_color: whether an image with colors was decoded to gray.
    """

    image: Image.Image
    completed: BinaryIO | None
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
        failure: Exception = UnreadableImageError(
            "damaged image: the end of the file is missing"
        )
    except (PlotError, MemoryError):
        raise
    except Exception as error:
        failure = error
    completed = truncation.complete(file, _digest_pixels)
    if completed is None:
        raise failure
    return _decode_upright(completed, in_color)._replace(completed=completed)


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
    return DecodedImage(image, completed=None, lacks_color=lacks_color)


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
                if rows.mode == "P":
                    rows = rows.convert("RGBA")
                digest.update(rows.tobytes())
            return digest.digest()
    except Exception:
        return None


def _without_hiding_alpha(image: Image.Image) -> Image.Image:
    """Removes an alpha channel that hides everything, as some programs write it."""
    if not has_transparency(image) or has_high_bit_depth(image):
        return image
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    highest = np.asarray(rgba.getchannel("A")).max()
    return rgba.convert("RGB") if highest <= _MAX_HIDING_ALPHA else image


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
        return image.convert("RGBA" if has_transparency(image) else "RGB")
    return image


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
