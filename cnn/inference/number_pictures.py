"""Pictures of numbers for the plots: the page around them, with their characters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from cnn.preprocessing.decode import View, open_image
from cnn.preprocessing.documents.page_view import region_box
from cnn.preprocessing.grayscale import to_rgb
from cnn.preprocessing.open_source import open_source, to_file_object
from cnn.preprocessing.source import Source

if TYPE_CHECKING:
    from cnn.number_prediction import NumberPrediction

# Longest side of a picture from which numbers are cropped, in pixels.
_SHEET_SIDE = 4096
# Longest side of a crop, in pixels.
_CROP_SIDE = 400
# Margin around a number, in heights of it: what was missed shall be seen.
_MARGIN_X = 1.5
_MARGIN_Y = 0.7


class Picture(NamedTuple):
    """A decoded source, and how its pixels lie on the page.

    Attributes:
      image: RGB.
      offset: `float (2,)`, left and top of the source, in pixels of the upright page.
      scale: `float (2,)`, pixels of the image per pixel of the page.
    """

    image: Image.Image
    offset: np.ndarray
    scale: np.ndarray

    def to_pixels(self, boxes: np.ndarray) -> np.ndarray:
        """Converts boxes `(N, 4)` from pixels of the page to those of the image."""
        pixels: np.ndarray = (boxes - np.tile(self.offset, 2)) * np.tile(self.scale, 2)
        return pixels

    def crop(self, box: Sequence[float]) -> "Picture":
        """Crops the surroundings of a box of the page, and reduces them."""
        left, top, right, bottom = self.to_pixels(np.array([box], float))[0]
        margin_x = _MARGIN_X * (bottom - top)
        margin_y = _MARGIN_Y * (bottom - top)
        width, height = self.image.size
        left = int(np.clip(left - margin_x, 0, width - 1))
        top = int(np.clip(top - margin_y, 0, height - 1))
        right = int(np.clip(np.ceil(right + margin_x), left + 1, width))
        bottom = int(np.clip(np.ceil(bottom + margin_y), top + 1, height))
        image = self.image.crop((left, top, right, bottom))
        size = image.size
        image.thumbnail((_CROP_SIDE, _CROP_SIDE))
        offset = self.offset + np.array([left, top]) / self.scale
        return Picture(image, offset, self.scale * np.array(image.size) / size)


def open_picture(source: Source, max_side: int = _SHEET_SIDE) -> Picture:
    """Decodes a source for a plot.

    Args:
      source: a file, or a page or region of it.
      max_side: longest side of the image, in pixels.

    Raises:
      UnreadableImageError: the file cannot be decoded.
    """
    view = View(source.page, source.region, max_side)
    with (
        open_source(source) as opened,
        open_image(to_file_object(opened), view=view) as decoded,
    ):
        image = to_rgb(decoded.image)
        left, top, right, bottom = region_box(decoded.size, source.region)
    size = np.array([right - left, bottom - top], float)
    return Picture(image, np.array([left, top], float), np.array(image.size) / size)


def describe_characters(
    number: "NumberPrediction", picture: Picture, remark: str = ""
) -> tuple[np.ndarray, list[str], bool, str]:
    """Returns the fields of a `cnn.plots.numbers.DrawnNumber`."""
    boxes = np.array([character.box for character in number.characters], float)
    texts = [character.prediction for character in number.characters]
    pixels = picture.to_pixels(boxes.reshape(-1, 4))
    return pixels, texts, number.status == "ok", remark
