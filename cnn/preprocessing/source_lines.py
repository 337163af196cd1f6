"""Finds the numbers of a file, of a page or of a region of it."""

from typing import BinaryIO

import numpy as np

from cnn.preprocessing.decode import DecodedImage, View, open_image
from cnn.preprocessing.documents.page_remark import describe_other_pages
from cnn.preprocessing.documents.page_view import region_box
from cnn.preprocessing.network_input import PREPROCESSING
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.source import ReadOptions, Source
from cnn.preprocessing.text_lines import TextLine
from cnn.preprocessing.text_lines.layouts import find_text_lines

# Longest side of an image by layout, in pixels. A number that fills its picture has
# digits of hundreds of pixels. A page keeps 300 dpi of A4, and a photograph of 12
# megapixels its size.
_MAX_SIDES = {"line": 2048, "page": 4096}


def find_source_lines(
    file: BinaryIO, source: Source, options: ReadOptions
) -> PreprocessedFile:
    """Finds the numbers of a source.

    Args:
      file: the file of the source.
      source: what is read of it.
      options: the preprocessing and the layout `line` or `page`.

    Raises:
      UnreadableImageError: the file cannot be decoded.
    """
    placement = PREPROCESSING[options.preprocessing]
    assert placement is not None
    view = View(source.page, source.region, _MAX_SIDES[options.layout])
    with open_image(file, view=view) as decoded:
        found = find_text_lines(decoded.image, options.layout, placement)
        lines = tuple(_to_page_pixels(line, decoded, view) for line in found)
    remarks = ["truncated: no pixel is missing"] if decoded.completed else []
    remarks += filter(None, [describe_other_pages(source, decoded.num_pages)])
    if not lines:
        detail = "; ".join(["no number found", *remarks])
        return PreprocessedFile(None, "blank", detail, size=decoded.size)
    detail = "; ".join(remarks)
    return PreprocessedFile(None, "ok", detail, lines=lines, size=decoded.size)


def _to_page_pixels(line: TextLine, decoded: DecodedImage, view: View) -> TextLine:
    """Moves and scales the boxes of a line from the decoded image to the page."""
    left, top, right, bottom = region_box(decoded.size, view.region)
    image = decoded.image
    scale = [(right - left) / image.width, (bottom - top) / image.height] * 2
    return line.transform_boxes(np.array(scale), np.array([left, top, left, top]))
