"""Decodes a page of a file of any supported format, upright, or a region of it.

Reduces large images while decoding.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from cnn.preprocessing import truncation
from cnn.preprocessing.documents.open_documents import open_document
from cnn.preprocessing.documents.page_view import MAX_SIDE, View, region_box
from cnn.preprocessing.documents.pdf import PdfFile
from cnn.preprocessing.documents.picture_pages import (
    PictureFile,
    check_page,
    list_frames,
)
from cnn.preprocessing.documents.signatures import PDF_HEADER_BYTES, is_pdf
from cnn.preprocessing.grayscale import has_high_bit_depth, has_transparency
from cnn.preprocessing.library_errors import report_damage, silence_libraries
from cnn.preprocessing.picture_file import (
    FORMATS,
    MAX_PIXELS,
    open_picture,
    refuse_plot,
)
from cnn.preprocessing.unreadable import PlotError, UnreadableImageError

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "DecodedImage",
    "PlotError",
    "UnreadableImageError",
    "View",
    "count_pages",
    "open_image",
]

# The first page of a file, reduced for one character.
WHOLE_PICTURE = View()
# Alpha, of 255, up to which nothing can be seen.
_MAX_HIDING_ALPHA = 4
# Smallest longer side of a JPEG that its decoder reduces, as a fraction of the
# longest side wanted.
_MIN_DRAFT_FRACTION = 0.7
# Rows of pixels that are digested at once.
_DIGEST_ROWS = 256


class DecodedImage(NamedTuple):
    """A decoded image.

    Attributes:
      image: upright, of any mode.
      completed: the whole file if it was cut, although no pixel is missing, or None.
      lacks_color: whether an image with colors was decoded to gray.
      size: width and height of the whole upright page in pixels, before any reduction.
      num_pages: number of pages of the file.
    """

    image: Image.Image
    completed: BinaryIO | None
    lacks_color: bool
    size: tuple[int, int]
    num_pages: int


@contextlib.contextmanager
def open_image(
    file: BinaryIO, in_color: bool = True, view: View = WHOLE_PICTURE
) -> Iterator[DecodedImage]:
    """Decodes a page, turns it upright, crops its region and reduces it.

    Args:
      file: a file in one of `FORMATS`, which is recognized by content.
      in_color: whether colors are needed. Without them a large JPEG is decoded to gray,
        which is quicker.
      view: the page, the region and the longest side.

    Yields:
      The image.

    Raises:
      PlotError: the file is a plot of this program.
      UnreadableImageError: the image cannot be decoded, or any other error was raised
        in the body of the `with` statement.
    """
    with report_damage(), silence_libraries():
        decoded = _decode_page(file, in_color, view)
        with decoded.image:
            yield decoded


def count_pages(file: BinaryIO) -> int:
    """Counts the pages of a file, without decoding them.

    Args:
      file: a file of any format.

    Raises:
      UnreadableImageError: the file is not an image, is damaged, or has too many pages.
    """
    kind = PdfFile if is_pdf(_read_start(file)) else PictureFile
    with (
        report_damage(),
        silence_libraries(),
        open_document(file, kind) as document,
    ):
        check_page(1, document.num_pages)
        return document.num_pages


def _read_start(file: BinaryIO) -> bytes:
    """Reads the bytes that tell the format of a file, and rewinds it."""
    file.seek(0)
    start = file.read(PDF_HEADER_BYTES)
    file.seek(0)
    return start


def _decode_page(file: BinaryIO, in_color: bool, view: View) -> DecodedImage:
    if is_pdf(_read_start(file)):
        return _render_pdf(file, view)
    if view.page is not None:
        with open_document(file, PictureFile) as pages:
            check_page(view.page, pages.num_pages)
            if pages.num_pages > 1:
                return _decode_one_page(pages, view)
    # A cut file may be completed, below.
    elif view.region is not None and not truncation.lacks_end(file):
        with (
            contextlib.suppress(Exception),
            open_document(file, PictureFile) as pages,
        ):
            return _decode_one_page(pages, view)
    return _decode(file, in_color, view)


def _decode_one_page(pages: PictureFile, view: View) -> DecodedImage:
    page = view.page or 1
    if view.region is None:
        image = pages.decode(page)
        size = image.size
    else:
        image, size = pages.decode_region(page, view.region)
    reduced = _reduce(image, view.max_side)
    return DecodedImage(reduced, None, False, size, pages.num_pages)


def _render_pdf(file: BinaryIO, view: View) -> DecodedImage:
    with open_document(file, PdfFile) as document:
        check_page(view.page or 1, document.num_pages)
        image, size = document.render(view)
        return DecodedImage(image, None, False, size, document.num_pages)


def _decode(file: BinaryIO, in_color: bool, view: View) -> DecodedImage:
    """Decodes a file as it is, or completed if it was cut behind the last pixel."""
    try:
        if not truncation.lacks_end(file):
            return _decode_upright(file, in_color, view)
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
    return _decode_upright(completed, in_color, view)._replace(completed=completed)


def _decode_upright(file: BinaryIO, in_color: bool, view: View) -> DecodedImage:
    """Decodes the first page, reduces it, and applies its EXIF orientation."""
    image = open_picture(file)
    refuse_plot(image)
    frames = list_frames(image, file)
    if frames[0] != image.tell():
        image.seek(frames[0])
    mode = image.mode
    full_size = image.size
    if view.region is None:
        _reduce_while_decoding(image, in_color, view.max_side)
    lacks_color = image.mode != mode
    is_reduced = image.size != full_size
    image.load()
    if not _turn_upright(image):
        full_size = full_size[::-1]
    if not is_reduced:
        full_size = image.size
    if view.region is not None:
        image = image.crop(region_box(full_size, view.region))
    reduced = _reduce(image, view.max_side)
    return DecodedImage(reduced, None, lacks_color, full_size, len(frames))


def _turn_upright(image: Image.Image) -> bool:
    """Applies the EXIF orientation, and returns whether the size has stayed."""
    size = image.size
    # A damaged EXIF block does not make the pixels unreadable.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image.size == size


def _reduce(image: Image.Image, max_side: int) -> Image.Image:
    image = _without_hiding_alpha(image)
    if max(image.size) > max_side:
        image = _to_resizable_mode(image)
        image.thumbnail((max_side, max_side), Image.Resampling.BOX)
    return image


def _digest_pixels(data: bytes) -> bytes | None:
    """Returns a digest of the full pixels of a file, or None if it is damaged."""
    try:
        with open_picture(io.BytesIO(data)) as image:
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


def _reduce_while_decoding(image: Image.Image, in_color: bool, max_side: int) -> None:
    """Lets the JPEG decoder reduce an image by 2, 4 or 8; other formats ignore it.

    The decoder takes the largest of these divisors that leaves at least the requested
    size, and therefore is asked for less than `max_side`.
    """
    divisor = max(1, max(image.size) / (_MIN_DRAFT_FRACTION * max_side))
    width, height = image.size
    mode = None if in_color else "L"
    if divisor > 1 or mode:
        image.draft(mode, (int(width / divisor), int(height / divisor)))


def _to_resizable_mode(image: Image.Image) -> Image.Image:
    """Converts the modes that Pillow cannot reduce by averaging."""
    if image.mode.startswith("I"):
        return Image.fromarray(np.asarray(image, np.float32))
    if image.mode in ("1", "P", "PA"):
        return image.convert("RGBA" if has_transparency(image) else "RGB")
    return image
