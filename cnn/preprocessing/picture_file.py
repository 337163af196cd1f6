"""Opens image files with Pillow, recognized by content, without decoding them."""

from typing import BinaryIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from cnn.plot_tag import PLOT_SOFTWARE
from cnn.preprocessing.documents.signatures import SIGNATURE_BYTES, is_heif
from cnn.preprocessing.unreadable import PlotError, UnreadableImageError

# Formats that Pillow opens by itself.
_PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF")
# All formats, as messages name them.
FORMATS = (*_PILLOW_FORMATS, "HEIC", "PDF")
# Largest number of pixels of an image. Pillow refuses more than twice its limit, too.
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
# Endings of the names of files that may have several pages.
PAGE_SUFFIXES = (
    ".pdf", ".tif", ".tiff", ".gif", ".webp", ".apng", ".heic", ".heif", ".avif",
)  # fmt: skip
# Formats that may have several pages, as Pillow names them.
PAGE_FORMATS = ("GIF", "TIFF", "WEBP", "PNG", "AVIF")


def open_picture(file: BinaryIO) -> Image.Image:
    """Opens an image file of any format but PDF, and checks its size.

    Args:
      file: the file, which is rewound first.

    Raises:
      UnreadableImageError: the file is not an image, or has too many pixels.
    """
    file.seek(0)
    try:
        image = _open(file)
    except (Image.UnidentifiedImageError, SyntaxError) as error:
        expected = ", ".join(FORMATS)
        raise UnreadableImageError(f"not an image (expected {expected})") from error
    except Image.DecompressionBombError as error:
        reason = f"too large: more than {MAX_PIXELS:,} pixels"
        raise UnreadableImageError(reason) from error
    try:
        check_size(image.size)
    except UnreadableImageError:
        image.close()
        raise
    return image


def refuse_plot(image: Image.Image) -> None:
    """Raises `PlotError` if an open image is a plot of this program."""
    if image.info.get("Software") == PLOT_SOFTWARE:
        raise PlotError("a plot of this program, not a picture of a character")


def check_size(size: tuple[int, int]) -> None:
    """Raises `UnreadableImageError` if an image has too many pixels."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(
            f"too large: {width}×{height}, at most {MAX_PIXELS:,} pixels"
        )


def _open(file: BinaryIO) -> Image.Image:
    signature = file.read(SIGNATURE_BYTES)
    file.seek(0)
    if signature.startswith(b"\xff\xd8\xff"):
        # `Image.open` takes a JPEG with further pictures (MPO) for another format, and
        # fails if its list of them is damaged.
        return JpegImageFile(file)
    if is_heif(signature):
        from cnn.preprocessing.documents.heif import open_heif

        return open_heif(file)
    if signature[4:8] == b"ftyp":
        _limit_avif_threads()
    return Image.open(file, formats=_PILLOW_FORMATS)


def _limit_avif_threads() -> None:
    """Keeps the decoder from starting a thread per core, each with its memory."""
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
