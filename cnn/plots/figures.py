"""Parts of several figures: contact sheet, percent axes, saving."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import PercentFormatter
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cnn.atomic_write import atomic_write
from cnn.plot_tag import PLOT_SOFTWARE
from cnn.plots.class_names import shorten

BLUE = "#2166ac"
ORANGE = "#d9730d"
GREEN = "#1a7f37"
RED = "#c62828"
GRAY = "#57606a"

_DOTS_PER_INCH = 120
# In units of one cell's width: the height of a cell and the side of an image in it.
_CELL_HEIGHT = 1.4
_IMAGE_SIDE = 0.84
_GAP = 0.04
CAPTION_SIZE = 9.0  # In points.
# In inches: title and heading above a contact sheet.
_HEADING_HEIGHT = 0.8
# The width of a caption, relative to its cell.
_MAX_FILLED_SHARE = 0.9


class Caption(NamedTuple):
    """The text above one image of a contact sheet, up to three lines, and its color."""

    text: str
    color: str


def count_rows(num_images: int, columns: int) -> int:
    """Counts the rows of a contact sheet, at least 1."""
    rows = math.ceil(num_images / columns)
    return max(1, rows)


def draw_contact_sheet(
    figure: Figure | SubFigure,
    images: np.ndarray,
    captions: Sequence[Caption],
    columns: int,
    originals: Sequence[np.ndarray] = (),
) -> None:
    """Draws images in rows, each under its caption.

    Lines of captions that are wider than their cell are shortened. All images share
    one coordinate system: one `Axes` per image is several times slower.

    Args:
      figure: to draw in.
      images: `(N, 28, 28, 1)`, 0 is drawn white.
      captions: N of them.
      columns: images per row.
      originals: none, or N of `uint8 (height, width, 3)`. Each is drawn to the left of
        its image.
    """
    axes = figure.subplots()
    axes.set_axis_off()
    margin = (1 - _IMAGE_SIDE) / 2
    cell_width = 2 if originals else 1
    width = cell_width * columns
    height = count_rows(len(captions), columns) * _CELL_HEIGHT
    max_width = cell_width * _measure_unit(figure, width, height)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(i, columns)
        left = cell_width * column + margin
        top = row * _CELL_HEIGHT + _CELL_HEIGHT - _IMAGE_SIDE
        image_left = left
        if originals:
            _draw_in_square(axes, originals[i], left, top)
            image_left += _IMAGE_SIDE + _GAP
        right = image_left + _IMAGE_SIDE
        bottom = top + _IMAGE_SIDE
        axes.imshow(
            np.squeeze(image),
            cmap="gray_r",
            vmin=0,
            extent=(image_left, right, bottom, top),
        )
        center = (left + right) / 2
        _draw_caption(axes, caption, center, top - _GAP, max_width)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("equal")


def _measure_unit(figure: Figure | SubFigure, width: float, height: float) -> float:
    """Returns the size of one unit of a contact sheet, in inches."""
    box = figure.bbox
    figure_height = box.height / figure.dpi - _HEADING_HEIGHT
    return min(box.width / figure.dpi / width, figure_height / height)


def _draw_in_square(axes: Axes, image: np.ndarray, left: float, top: float) -> None:
    """Draws an image of any shape, scaled to and centered in a square."""
    shape = np.array(image.shape[:2])
    height, width = _IMAGE_SIDE * shape / max(shape)
    left += (_IMAGE_SIDE - width) / 2
    top += (_IMAGE_SIDE - height) / 2
    right = left + width
    bottom = top + height
    axes.imshow(image, extent=(left, right, bottom, top))


def _draw_caption(
    axes: Axes, caption: Caption, x: float, y: float, max_width: float
) -> None:
    room = _MAX_FILLED_SHARE * max_width
    lines = [shorten(line, room, CAPTION_SIZE) for line in caption.text.split("\n")]
    axes.text(
        x,
        y,
        "\n".join(lines),
        ha="center",
        va="bottom",
        fontsize=CAPTION_SIZE,
        color=caption.color,
    )


def format_as_percent(axis: Axis) -> None:
    """Labels an axis of fractions in percent, without the sign."""
    formatter = PercentFormatter(1, symbol="")
    axis.set_major_formatter(formatter)


def save_figure(figure: Figure, path: Path | BinaryIO) -> None:
    """Saves a figure as PNG, whole or not at all.

    `Figure.savefig` draws a figure twice, the first time to lay it out. This draws it
    once. The file says that it is a plot, so that it is not read as a digit.

    Args:
      figure: to draw.
      path: path of the file, or an open file.
    """
    figure.set_dpi(_DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    rgba = np.asarray(canvas.buffer_rgba())
    rgb = rgba[..., :3]
    image = Image.fromarray(rgb)
    text = PngInfo()
    text.add_text("Software", PLOT_SOFTWARE)
    opened = atomic_write(path) if isinstance(path, Path) else nullcontext(path)
    with opened as file:
        image.save(file, "PNG", compress_level=4, pnginfo=text)
