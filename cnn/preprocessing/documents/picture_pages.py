"""Pages of TIFF files, and frames of animations."""

import contextlib
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageOps

from cnn.page_region import Region
from cnn.preprocessing.documents.page_view import region_box
from cnn.preprocessing.documents.tiff_pages import find_tiff_pages
from cnn.preprocessing.picture_file import (
    PAGE_FORMATS,
    check_size,
    open_picture,
    refuse_plot,
)
from cnn.preprocessing.unreadable import UnreadableImageError

# Largest page that is kept for its further regions, in pixels: three bytes each, beside
# the page that is decoded next.
_MAX_KEPT_PIXELS = 50_000_000

# Pages after which a file is not read. It is damaged, or made to keep a reader busy.
MAX_PAGES = 100_000


def list_frames(image: Image.Image, file: BinaryIO) -> list[int] | range:
    """Lists the frames of an open image that are pages, by their index.

    Thumbnails and masks of a TIFF, and the further pictures of a HEIC or JPEG, are no
    pages.

    Args:
      image: from `open_picture`.
      file: its file, whose position is kept.
    """
    if image.format not in PAGE_FORMATS:
        return range(image.tell(), image.tell() + 1)
    position = file.tell()
    try:
        if image.format == "TIFF":
            return find_tiff_pages(file, MAX_PAGES)
        return range(getattr(image, "n_frames", 1))
    # A file with damaged further pages has its first page.
    except Exception:
        return range(1)
    finally:
        file.seek(position)


class DecodedRegion(NamedTuple):
    """A region of a page.

    Attributes:
      image: the region, at its full size.
      size: width and height of the whole upright page in pixels.
    """

    image: Image.Image
    size: tuple[int, int]


class PictureFile:
    """An open image file of one or several pages.

    Attributes:
      num_pages: number of its pages.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Opens an image file of any format but PDF.

        Args:
          file: the file, which stays open until `close`, and is not closed by it.

        Raises:
          UnreadableImageError: the file is not an image, or too large.
        """
        self._image = open_picture(file)
        refuse_plot(self._image)
        self._frames = list_frames(self._image, file)
        self.num_pages = len(self._frames)

        # The last page whose region was wanted, and its number.
        self._kept: tuple[int, Image.Image] | None = None

    def decode(self, page: int) -> Image.Image:
        """Decodes a page, upright and at its full size.

        Args:
          page: number of the page, counted from 1, at most `num_pages`.

        Raises:
          UnreadableImageError: the page is too large.
          Exception: the page is damaged.
        """
        self._kept = None
        self._image.seek(self._frames[page - 1])
        check_size(self._image.size)
        self._image.load()
        # A damaged EXIF block does not make the pixels unreadable.
        with contextlib.suppress(Exception):
            return ImageOps.exif_transpose(self._image)
        return self._image.copy()

    def decode_region(self, page: int, region: Region) -> DecodedRegion:
        """Decodes a page, of which several regions are read in turn, and crops it.

        Args:
          page: number of the page, as for `decode`.
          region: the part of the page.
        """
        kept = self._kept
        image = kept[1] if kept and kept[0] == page else self.decode(page)
        if image.width * image.height <= _MAX_KEPT_PIXELS:
            self._kept = (page, image)
        cropped = image.crop(region_box(image.size, region))
        return DecodedRegion(cropped, image.size)

    def close(self) -> None:
        """Frees the memory of the image."""
        self._kept = None
        self._image.close()


def check_page(page: int, num_pages: int) -> None:
    """Raises `UnreadableImageError` if a file has no such page, or too many pages."""
    if num_pages > MAX_PAGES:
        raise UnreadableImageError(f"has more than {MAX_PAGES:,} pages")
    if page > num_pages:
        pages = "page" if num_pages == 1 else "pages"
        raise UnreadableImageError(f"has {num_pages:,} {pages}, no page {page:,}")
