"""Figure of one image file before and after preprocessing."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnn.plots.figures import BLUE, save_figure
from cnn.plots.settings import with_default_settings

# Foreground above this strength counts as ink for the box around the character.
_MIN_BOXED_INK = 0.2


@with_default_settings
def plot_preprocessing(
    original: np.ndarray,
    foreground: np.ndarray,
    image: np.ndarray,
    caption: str,
    path: Path,
) -> None:
    """Plots a file, its segmented ink and the network's input side by side.

    Args:
      original: `uint8 (height, width, 3)`, the file.
      foreground: `float32 (height, width)`, the character's ink, in [0, 1].
      image: `float32 (28, 28, 1)`, the network's input. All 0 where no ink was found.
      caption: title of the figure.
      path: PNG file to write.
    """
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    figure.suptitle(caption, fontsize=11)
    left, middle, right = figure.subplots(1, 3)
    left.imshow(original)
    left.set_title("original")
    middle.imshow(original)
    middle.imshow(_tint_red(foreground))
    _draw_bounding_box(middle, foreground)
    middle.set_title("segmented ink")
    right.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
    right.set_title("network input")
    for axes in (left, middle, right):
        axes.set_axis_off()
    save_figure(figure, path)


def _tint_red(foreground: np.ndarray) -> np.ndarray:
    """Returns red RGBA `float32 (height, width, 4)` with the ink as opacity."""
    height, width = foreground.shape
    red = np.array([0.85, 0.1, 0.1], np.float32)
    rgb = np.broadcast_to(red, (height, width, 3))
    alpha = 0.8 * foreground[..., None]
    return np.concatenate([rgb, alpha], axis=-1)


def _draw_bounding_box(axes: Axes, foreground: np.ndarray) -> None:
    """Draws the bounding box of the ink, if there is ink."""
    ink = foreground > _MIN_BOXED_INK
    rows = np.flatnonzero(ink.any(1))
    columns = np.flatnonzero(ink.any(0))
    if not ink.any():
        return
    left = columns[0] - 1
    top = rows[0] - 1
    width = columns[-1] - left + 1
    height = rows[-1] - top + 1
    box = Rectangle(
        (left, top),
        width,
        height,
        fill=False,
        color=BLUE,
        linewidth=1.5,
    )
    axes.add_patch(box)
