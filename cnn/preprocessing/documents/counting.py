"""Counts the pages of a file."""

from typing import BinaryIO

from cnn.preprocessing.documents.open_documents import open_document
from cnn.preprocessing.documents.pdf import PdfFile
from cnn.preprocessing.documents.picture_pages import PictureFile, check_page
from cnn.preprocessing.documents.signatures import PDF_HEADER_BYTES, is_pdf


def count_pages(file: BinaryIO) -> int:
    """Counts the pages of a file, without decoding them.

    Args:
      file: a file of any format.

    Raises:
      UnreadableImageError: the file is not an image, or has too many pages.
    """
    kind = PdfFile if is_pdf(read_start(file)) else PictureFile
    with open_document(file, kind) as document:
        check_page(1, document.num_pages)
        return document.num_pages


def read_start(file: BinaryIO) -> bytes:
    """Reads the bytes that tell the format of a file, and rewinds it."""
    file.seek(0)
    start = file.read(PDF_HEADER_BYTES)
    file.seek(0)
    return start
