"""What is decoded of a file: a page, a region of it, and up to which size."""

from typing import NamedTuple

from cnn.page_region import Region

# Longest side of a decoded image, in pixels. Larger images are reduced. A digit of a
# fiftieth of its page's height keeps 20 pixels.
MAX_SIDE = 1024


class View(NamedTuple):
    """What is decoded of a file.

    Attributes:
      page: number of the page, counted from 1. None is the first page.
      region: the part of the upright page. None is all of it.
      max_side: longest side of the decoded image, in pixels. Larger ones are reduced.
    """

    page: int | None = None
    region: Region | None = None
    max_side: int = MAX_SIDE


def region_box(
    size: tuple[int, int], region: Region | None
) -> tuple[int, int, int, int]:
    """Computes the pixels of a region, at least one.

    Args:
      size: width and height of the upright page in pixels.
      region: the region. None is the whole page.

    Returns:
      Left, top, right and bottom in pixels.
    """
    width, height = size
    if region is None:
        return 0, 0, width, height
    left = min(int(region.left * width), width - 1)
    top = min(int(region.top * height), height - 1)
    right = max(round(region.right * width), left + 1)
    bottom = max(round(region.bottom * height), top + 1)
    return left, top, right, bottom
