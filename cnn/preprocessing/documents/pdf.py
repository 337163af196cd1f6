"""Renders pages of a PDF.

Source: PDFium, https://pdfium.googlesource.com/pdfium, by pypdfium2.
"""

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from PIL import Image

from cnn.preprocessing.documents.page_view import (
    View,
    drop_equal_channels,
    region_box,
)
from cnn.preprocessing.documents.pdf_resolution import (
    POINTS_PER_INCH,
    find_resolution,
)
from cnn.preprocessing.unreadable import UnreadableImageError, first_line

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# Longest side of a page in pixels. Larger ones are rendered at a lower resolution. A
# sheet A2 at 300 dpi, and A4 at 800 dpi, are smaller.
MAX_PAGE_SIDE = 10_000
# Pixels of a page: 4 times those of A4 at 300 dpi, and more than telephones take.
MAX_PAGE_PIXELS = 60_000_000
# A page is rendered with up to so many times the wanted pixels per side, and then
# reduced by averaging, which keeps thin strokes better than rendering them small.
_OVERSAMPLING = 2
# Reasons by the error codes of PDFium.
_REASONS = {
    2: "damaged PDF: cannot be read",
    3: "damaged PDF: no pages found",
    4: "encrypted PDF: needs a password",
    5: "encrypted PDF: of an unknown kind",
}

# PDFium is not thread-safe.
_LOCK = threading.RLock()


class RenderedPage(NamedTuple):
    """A page of a PDF, or a region of it, as an image.

    Attributes:
      image: mode `L` or `RGB`, of at most the view's `max_side`.
      size: width and height of the whole page in pixels, at its full resolution.
    """

    image: Image.Image
    size: tuple[int, int]


class PdfFile:
    """An open PDF.

    Attributes:
      num_pages: number of its pages.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Opens a PDF.

        Args:
          file: the file, which stays open until `close`, and is not closed by it.

        Raises:
          UnreadableImageError: the file is damaged or encrypted.
        """
        import pypdfium2

        file.seek(0)
        with _LOCK, _as_unreadable():
            _forget_last_error()
            self._document: PdfDocument = pypdfium2.PdfDocument(file)
            with contextlib.suppress(Exception):
                self._document.init_forms()
            self.num_pages = len(self._document)
        # The last page stays open, with its decoded scan, for its further regions.
        self._page: PdfPage | None = None
        self._page_number = 0

    def render(self, view: View) -> RenderedPage:
        """Renders a page, or a region of it.

        Raises:
          UnreadableImageError: there is no such page, or it is damaged.
        """
        with _LOCK, _as_unreadable():
            page = self._load_page(view.page or 1)
            return _render(page, view, self._document.formenv)

    def _load_page(self, number: int) -> "PdfPage":
        if self._page is None or self._page_number != number:
            self._close_page()
            try:
                self._page = self._document.get_page(number - 1)
            except Exception as error:
                raise UnreadableImageError(
                    f"damaged PDF: page {number} cannot be loaded"
                ) from error
            self._page_number = number
        return self._page

    def _close_page(self) -> None:
        if self._page is not None:
            self._page.close()
        self._page = None

    def close(self) -> None:
        """Frees the memory of the document."""
        with _LOCK:
            self._close_page()
            self._document.close()


@contextlib.contextmanager
def _as_unreadable() -> Iterator[None]:
    """Raises errors of PDFium as `UnreadableImageError`."""
    try:
        yield
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:
        reason = _REASONS.get(getattr(error, "err_code", None) or 0)
        reason = reason or f"damaged PDF: {first_line(error)}"
        raise UnreadableImageError(reason) from error


def _forget_last_error() -> None:
    """Sets PDFium's last error, which a document without pages does not set."""
    from pypdfium2 import raw

    raw.FPDF_LoadMemDocument64(b"", 0, None)


def _render(page: "PdfPage", view: View, form: Any) -> RenderedPage:
    size = _full_size(page)
    left, top, right, bottom = region_box(size, view.region)
    longest = max(right - left, bottom - top)
    scale = min(1.0, _OVERSAMPLING * view.max_side / longest)
    width, height = (max(1, round(side * scale)) for side in size)
    box = (round(left * scale), round(top * scale))
    shape = (
        max(1, round((right - left) * scale)),
        max(1, round((bottom - top) * scale)),
    )
    image = _draw(page, form, (width, height), box, shape)
    image.thumbnail((view.max_side, view.max_side), Image.Resampling.BOX)
    return RenderedPage(drop_equal_channels(image), size)


def _full_size(page: "PdfPage") -> tuple[int, int]:
    """Returns the width and height of a page in pixels, at its resolution."""
    width, height = page.get_size()
    if not (math.isfinite(width * height) and min(width, height) > 0):
        raise UnreadableImageError(
            f"damaged PDF: a page of {width:g}×{height:g} points"
        )
    scale = min(
        find_resolution(page) / POINTS_PER_INCH,
        MAX_PAGE_SIDE / max(width, height),
        math.sqrt(MAX_PAGE_PIXELS / (width * height)),
    )
    return max(1, round(width * scale)), max(1, round(height * scale))


def _draw(
    page: "PdfPage",
    form: Any,
    size: tuple[int, int],
    corner: tuple[int, int],
    shape: tuple[int, int],
) -> Image.Image:
    """Draws a part of a page on white.

    Args:
      page: the page.
      form: the fields of the document's form, or None.
      size: width and height of the whole page in pixels.
      corner: left and top of the part in pixels.
      shape: width and height of the part in pixels.
    """
    from pypdfium2 import PdfBitmap, raw

    bitmap = PdfBitmap.new_native(*shape, raw.FPDFBitmap_BGR, rev_byteorder=True)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *shape)
        flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
        place = (-corner[0], -corner[1], *size, 0, flags)
        raw.FPDF_RenderPageBitmap(bitmap, page, *place)
        if form:
            raw.FPDF_FFLDraw(form, bitmap, page, *place)
        return bitmap.to_pil().copy()
    finally:
        bitmap.close()
